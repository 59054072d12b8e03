// Makes Node resolve the imports of the contract to the fake host: `node --import ferrule-plugin/register`.

import { register } from "node:module";

const hooks = `
export async function resolve(specifier, context, next) {
  const found = /^ferrule:plugin\\/([a-z]+)@/.exec(specifier);
  if (!found) return next(specifier, context);
  const url = new URL("./fake/" + found[1] + ".js", ${JSON.stringify(import.meta.url)});
  return { url: url.href, shortCircuit: true };
}
`;

register(`data:text/javascript,${encodeURIComponent(hooks)}`);
