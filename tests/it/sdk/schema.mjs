// Checks the table of `schema.json`: prints the path, expected and got of each row, or `null`.

import { readFileSync } from "node:fs";

const { known, mismatch } = await import(`${process.argv[2]}/schema.js`);

for (const { schema, value } of JSON.parse(readFileSync(process.argv[3], "utf8"))) {
  known(schema, "input");
  const wrong = mismatch(schema, value);
  console.log(JSON.stringify(wrong ? [wrong.path, wrong.expected, wrong.got] : null));
}
let refused = "";
try {
  known({ properties: { a: { dependentRequired: {} } } }, "input");
} catch (error) {
  refused = error.message;
}
console.log(refused);
