// HTTP, as far as the operator granted it. No cookies, no retries, redirects only where a grant has them.

import http from "ferrule:plugin/http@0.2.0";

import { Failure } from "./index.js";
import { decode, encode } from "./text.js";

// The codes are those of the SDK for Rust.
const FAILURES = {
  invalid: ["ELEMENT_REQUEST", Failure.operator],
  denied: ["ELEMENT_NOT_GRANTED", Failure.operator],
  unreachable: ["ELEMENT_UNREACHABLE", Failure.retry],
  timeout: ["ELEMENT_TIMEOUT", Failure.retry],
  broken: ["ELEMENT_UNREACHABLE", Failure.retry],
  "too-large": ["ELEMENT_ANSWER", Failure.operator],
};

/** An answer, whatever its status. */
export class Response {
  constructor({ status, headers, body }) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Whether the status is 2xx. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** The first header of this name, whatever its case. */
  header(name) {
    return this.headers.find((one) => one.name.toLowerCase() === name.toLowerCase())?.value;
  }

  /** The body as text. */
  text() {
    return decode(this.body);
  }

  /** The body as JSON; undefined if it is none. */
  json() {
    try {
      return JSON.parse(this.text());
    } catch {
      return undefined;
    }
  }
}

/**
 * Sends a request for a task: it carries the task's idempotency key, and ends before the task must. Throws
 * a `Failure` if there is no answer.
 */
export function send(context, method, url, { json, media, headers = {}, timeoutMs } = {}) {
  const all = Object.entries(headers).map(([name, value]) => ({ name, value: String(value) }));
  all.push({ name: "idempotency-key", value: context.key });
  all.push({ name: "x-callback-url", value: context.callbackUrl });
  if (context.replaces !== undefined) all.push({ name: "x-replace", value: "true" });
  if (json !== undefined) all.push({ name: "content-type", value: media ?? "application/json" });
  const request = {
    method,
    url,
    headers: all,
    body: json === undefined ? new Uint8Array() : encode(JSON.stringify(json)),
    timeoutMs: timeoutMs ?? Math.floor(context.deadlineMs * 0.6),
    pauseMs: undefined,
    answerBytesMax: undefined,
    attributes: [],
  };
  let answer;
  try {
    answer = http.send(request);
  } catch (error) {
    throw failure(error, method, url);
  }
  return new Response(answer);
}

/** The failure for an answer that is no success: by its status, who must act. */
export function refused(response, what) {
  const status = response.status;
  const message = `${what} answered ${status}: ${response.text().slice(0, 500)}`;
  if (status === 409) return Failure.operator("ELEMENT_CONFLICT", message);
  const isBusy = [408, 425, 429].includes(status) || status >= 500;
  if (!isBusy) return Failure.operator("ELEMENT_REFUSED", message);
  const seconds = Number(response.header("retry-after"));
  const again = Failure.retry(`ELEMENT_${status}`, message);
  return Number.isInteger(seconds) && seconds > 0 ? again.afterMs(seconds * 1000) : again;
}

function failure(error, method, url) {
  const cause = error?.payload ?? error;
  const known = FAILURES[cause?.reason];
  if (!known) return error;
  const [code, make] = known;
  return make(code, `${method} ${url}: ${cause.message}`);
}
