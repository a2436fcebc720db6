-- Repeat requests, each in its turn. Argument: a file of raw requests, separated by NUL bytes.

require("summary")

local texts, turn = {}, 0

function init(args)
   local file = assert(io.open(args[1], "rb"))
   for text in file:read("*a"):gmatch("%Z+") do
      texts[#texts + 1] = text
   end
   file:close()
end

function request()
   turn = turn % #texts + 1
   issued = issued + 1
   return texts[turn]
end
