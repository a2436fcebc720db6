-- Repeat one request. Argument: a file of the raw request.

require("summary")

local text

function init(args)
   local file = assert(io.open(args[1], "rb"))
   text = file:read("*a")
   file:close()
end

function request()
   issued = issued + 1
   return text
end
