-- Shared by the other scripts: the number of generated requests, and the summary as a line of JSON.

local threads = {}
issued = 0

function setup(thread)
   threads[#threads + 1] = thread
end

function done(summary, latency)
   local errors = summary.errors
   print(string.format(
      '\n{"requests":%d,"issued":%d,"seconds":%.6f,"p50_ms":%.3f,"p99_ms":%.3f,"refused":%d,"broken":%d}',
      summary.requests, threads[1]:get("issued"), summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout
   ))
end
