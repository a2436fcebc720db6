-- Repeat one request, each time with the next of many API keys. Arguments: a file of the raw request with "KEY" in the
-- place of the API key, and a file of API keys, one per line.

require("summary")

local texts, turn = {}, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local before, after = file:read("*a"):match("^(.-)KEY(.*)$")
   file:close()
   for key in io.lines(args[2]) do
      texts[#texts + 1] = before .. key .. after
   end
end

function request()
   turn = turn % #texts + 1
   issued = issued + 1
   return texts[turn]
end
