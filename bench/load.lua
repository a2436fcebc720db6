-- Requests of wrk: creates, each at a new path. Arguments: a file of "workspace API-key" lines, the number of the first
-- path, 1 if each request has an idempotency key of its own, the size of the objects in bytes, and the length of the
-- descriptions, 0 for none.
--
-- The script joins requests from prepared pieces, because wrk.format would build every header again. It does not examine
-- single responses, which would double the cost: wrk counts those of status 400 and above, and the caller compares the
-- number of responses with the rows in the database.

require("summary")

local heads, middles, tails, homes = {}, {}, {}, 0
local start = '{"name":"Acme-NDA-2026.pdf","mime_type":"application/pdf","storage_path":"workspaces/'
local tail = '","size_bytes":%d,"folder":"/clients/acme/ndas","tags":["nda","confidentiality"]%s}'
local next_path, idempotent = 0, false
local format, random = string.format, math.random

-- Random letters are the most expensive text to index. No two of these many requests in succession have the same one.
local DESCRIPTIONS = 64

local function description(length)
   local letters = {}
   for place = 1, length do
      letters[place] = string.char(random(97, 122))
   end
   return ',"description":"' .. table.concat(letters) .. '"'
end

function init(args)
   next_path, idempotent = tonumber(args[2]), args[3] == "1"
   local size_bytes, length = tonumber(args[4]), tonumber(args[5])
   math.randomseed(next_path)
   for place = 0, DESCRIPTIONS - 1 do
      tails[place] = format(tail, size_bytes, length > 0 and description(length) or "")
   end
   for line in io.lines(args[1]) do
      local workspace, key = line:match("^(%S+) (%S+)$")
      local body = start .. workspace .. "/documents/b"
      heads[homes] = "POST /v1/documents HTTP/1.1\r\nHost: " .. wrk.host .. ":" .. wrk.port
         .. "\r\nAuthorization: Bearer " .. key .. "\r\nContent-Type: application/json\r\nContent-Length: "
         .. (#body + 9 + #tails[0]) .. "\r\n"
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
   return heads[home] .. key .. middles[home] .. number .. tails[next_path % DESCRIPTIONS]
end
