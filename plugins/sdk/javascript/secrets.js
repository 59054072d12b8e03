// Secrets of the operator. The plugin never has a value: it gets a placeholder, which it puts into a header or the
// body of a request, and the host puts the value in on the way to a place that the secret was granted for.

import secrets from "ferrule:plugin/secrets@0.2.0";

import { Failure } from "./index.js";

/** The placeholder of a secret; undefined if it was not granted or has no value, which the log explains. */
export const get = (name) => secrets.get(name) ?? undefined;

/** The placeholder of a mandatory secret. */
export function require(name) {
  const placeholder = get(name);
  if (placeholder === undefined) {
    const message = `secret \`${name}\` is missing; grant it under \`[plugins.<id>.secrets]\` in the operator's ferrule.toml, the log has the lines`;
    throw Failure.operator("SECRET_MISSING", message);
  }
  return placeholder;
}

/** The header `Authorization` of a user and a password, which may be a placeholder. */
export const basic = (user, password) => `Basic ${base64(`${user}:${password}`)}`;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

function base64(text) {
  const bytes = [...unescape(encodeURIComponent(text))].map((one) => one.charCodeAt(0));
  let encoded = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const chunk = bytes.slice(at, at + 3);
    const whole = (chunk[0] << 16) | ((chunk[1] ?? 0) << 8) | (chunk[2] ?? 0);
    for (let place = 0; place <= chunk.length; place += 1) {
      encoded += ALPHABET[(whole >> (18 - 6 * place)) & 63];
    }
    encoded += "=".repeat(3 - chunk.length);
  }
  return encoded;
}
