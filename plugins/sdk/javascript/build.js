// Makes the component of a project: `build/plugin.wasm`, of `src/plugin.js` and the world in `wit`.

import { mkdir, readFile, writeFile } from "node:fs/promises";

import { componentize } from "componentize-qjs";

const entry = "src/plugin.js";
const { component } = await componentize({
  witPath: "wit",
  world: "adapter",
  jsSource: await readFile(entry, "utf8"),
  jsPath: entry,
  moduleRoot: process.cwd(),
  sync: true,
});
await mkdir("build", { recursive: true });
await writeFile("build/plugin.wasm", component);
