import type { Json } from "./index.js";

/** A host for the tests of a plugin. `start` takes it into use, in place of the one before. */
export class Host {
  readonly requests: {
    method: string;
    url: string;
    text: string;
    header(name: string): string | undefined;
  }[];
  readonly log: [level: string, message: string][];
  /** The same with a setting of the plugin. */
  setting(name: string, value: string): this;
  /** The same with a secret of the plugin, whose placeholder is `secret-<name>`. */
  secret(name: string): this;
  /** The same with a value in the scratch space of the plugin. */
  kept(key: string, value: string): this;
  /** The text of a key of the scratch space. */
  scratchText(key: string): string | undefined;
  /** The same with a document of a kind, such as `service`, in the inventory. */
  document(kind: string, document: { id: string; [name: string]: Json }): this;
  /** The same with a pool of these values. */
  pool(name: string, values: string[]): this;
  /** The same with an answer to the next request of this method and address. */
  answer(method: string, url: string, status: number, json?: Json): this;
  /** The same with no answer to that request. */
  noAnswer(method: string, url: string, reason: "unreachable" | "timeout" | "broken" | "denied"): this;
  start(): this;
}
