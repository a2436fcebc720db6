-- Requests of wrk: creates, each at a new path. Arguments: a file of "workspace API-key" lines, the number of the first
-- path, 1 if each request has an idempotency key of its own, and the size of the objects in bytes.
--
-- The script joins requests from prepared pieces, because wrk.format would build every header again. It does not examine
-- single responses, which would double the cost: wrk counts those of status 400 and above, and the caller compares the
-- number of responses with the rows in the database.

require("summary")

local heads, middles, homes = {}, {}, 0
local tail = '","size_bytes":%d,"folder":"/clients/acme/ndas","tags":["nda","confidentiality"]}'
local start = '{"name":"Acme-NDA-2026.pdf","mime_type":"application/pdf","storage_path":"workspaces/'
local next_path, idempotent = 0, false
local format, random = string.format, math.random

function init(args)
   local size_bytes
   next_path, idempotent, size_bytes = tonumber(args[2]), args[3] == "1", tonumber(args[4])
   tail = format(tail, size_bytes)
   math.randomseed(next_path)
   for line in io.lines(args[1]) do
      local workspace, key = line:match("^(%S+) (%S+)$")
      local body = start .. workspace .. "/documents/b"
      heads[homes] = "POST /v1/documents HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
         .. "\r\nAuthorization: Bearer " .. key .. "\r\nContent-Type: application/json\r\nContent-Length: "
         .. (#body + 9 + #tail) .. "\r\n"
      middles[homes] = "\r\n" .. body
      homes = homes + 1
   end
end

function request()
   local home, number = next_path % homes, format("%09d", next_path)
   local key = ""
   if idempotent then
      -- Random digits first, as in the idempotency keys of clients, because an index compares the beginning first. Unique
      -- because of the number.
      key = format("Idempotency-Key: %08x-%04x-4000-8000-000%s\r\n", random(0, 4294967295), random(0, 65535), number)
   end
   next_path = next_path + 1
   issued = issued + 1
   return heads[home] .. key .. middles[home] .. number .. tail
end
