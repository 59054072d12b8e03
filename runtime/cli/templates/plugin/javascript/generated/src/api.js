// Addresses, requests and answers of the API.

import { Failure } from "ferrule-plugin";
import * as config from "ferrule-plugin/config";
import { refused, send } from "ferrule-plugin/http";

import { output } from "./schema.js";

/** An address that is put together. */
class Address {
  constructor(text) {
    this.url = text;
  }

  /** Segments as they are. */
  text(text) {
    return new Address(this.url + text);
  }

  /** A value as one segment. */
  value(name, value) {
    if (value === undefined || value === null || ["", ".", ".."].includes(String(value))) {
      const shown = value ?? "missing";
      throw Failure.operator("BAD_INPUT", `\`${name}\` is \`${shown}\`, which cannot be a part of an address`);
    }
    return new Address(`${this.url}/${escape(value)}`);
  }

  /** A parameter of the query for a value, or for each of several. */
  query(name, values) {
    let url = this.url;
    for (const value of Array.isArray(values) ? values : [values]) {
      if (value === undefined || value === null) continue;
      url += `${url.includes("?") ? "&" : "?"}${escape(name)}=${escape(value)}`;
    }
    return new Address(url);
  }
}

const escape = (value) =>
  encodeURIComponent(String(value)).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);

/** The value of a setting. */
export const setting = (name) => config.require(name);

/** The base address of the element of an input. */
export const address = (given) =>
  new Address(config.require(`element.${given.element}`).replace(/\/+$/, ""));

/** Sends a request; undefined if there is nothing at its address. */
export function find(context, given, method, address, { json, media, headers = {} } = {}) {
  const all = Object.entries(headers).filter(([, value]) => value !== undefined && value !== null);
  const own = Object.fromEntries(all);
{{login}}
  const response = send(context, method, address.url, { json, media, headers: own });
  if (response.status === 404 || response.status === 410) return undefined;
  if (!response.ok) throw refused(response, given.element);
  return response;
}

/** Sends a request; fails unless its answer is a success. */
export function call(context, given, method, address, more) {
  const response = find(context, given, method, address, more);
  if (response) return response;
  throw Failure.operator("ELEMENT_REFUSED", `${given.element} has nothing at ${address.url}`);
}

/** Deletes what is at an address. Work that is not there is as good as undone. */
export function remove(context, given, address) {
  if (find(context, given, "DELETE", address)?.status === 202) throw accepted(given);
}

/** The element has accepted the work and goes on with it: the next attempt looks for it. */
export const accepted = ({ element }) =>
  Failure.retry("ELEMENT_ACCEPTED", `\`${element}\` has accepted the work and goes on with it`).afterMs(5000);

/** The element has accepted the work, and no request shows its end. */
export const undecided = ({ element }) =>
  Failure.operator("ACCEPTED_UNDECIDED", `\`${element}\` has accepted the work: look whether it is done`);

const PENDING = [
  "pending", "inprogress", "running", "accepted", "acknowledged", "queued", "processing", "creating", "updating",
  "deleting", "provisioning", "scheduled", "waiting",
];

const FAILED = ["failed", "failure", "error", "rejected", "cancelled", "canceled", "aborted"];

/** Fails if the `state` or `status` of a document is one of work that goes on, or that failed. */
export function settled(given, document) {
  const state = String(document?.state ?? document?.status ?? "");
  const plain = state.toLowerCase().replace(/[^a-z0-9]/g, "");
  if (PENDING.includes(plain)) throw accepted(given);
  if (FAILED.includes(plain)) {
    throw Failure.operator("ELEMENT_FAILED", `the work on \`${given.element}\` is \`${state}\``);
  }
}

/** The outputs of an answer: those of its properties that the description has. */
export function outputs(given, answer) {
  if (typeof answer !== "object" || answer === null) {
    const message = `\`${given.element}\` did the work but its answer cannot be used`;
    throw Failure.operator("ELEMENT_ANSWER", message);
  }
  const known = Object.keys(output.properties ?? {}).filter((name) => (answer[name] ?? null) !== null);
  return Object.fromEntries(known.map((name) => [name, answer[name]]));
}

/** The entry of a list that has a value in a property. */
export const entry = (response, name, value) => {
  const list = response?.json();
  return Array.isArray(list) ? list.find((one) => one?.[name] === value) : undefined;
};

/** Whether a document has all that was sent. */
export function agrees(sent, found) {
  if (typeof sent !== "object" || sent === null) return sent === found;
  if (typeof found !== "object" || found === null) return false;
  if (Array.isArray(sent) !== Array.isArray(found)) return false;
  if (Array.isArray(sent) && sent.length !== found.length) return false;
  return Object.entries(sent).every(([name, value]) => agrees(value, found[name]));
}
