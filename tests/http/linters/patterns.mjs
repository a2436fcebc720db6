// Compiles every pattern of the OpenAPI document as ECMA 262 does with the flag `u`, which JSON Schema prescribes.
// Argument: the file with the document. Writes how many patterns it compiled.
import { readFileSync } from "node:fs";

const patterns = new Set();
JSON.parse(readFileSync(process.argv[2], "utf8"), (name, value) => {
  if (name === "pattern" && typeof value === "string") patterns.add(value);
  return value;
});
for (const pattern of patterns) new RegExp(pattern, "u");
console.log(patterns.size);
