// A host for the tests of a plugin: it answers what the plugin asks of it with what the test gave it.

let running;

const host = () => {
  if (!running) throw new Error("a test starts a host first: `new Host().start()`");
  return running;
};

/** What the host of a test has. `start` takes it into use, in place of the one before. */
export class Host {
  constructor() {
    this.settings = new Map();
    this.secrets = new Set();
    this.scratch = new Map();
    this.writes = 0;
    this.documents = new Map();
    this.pools = new Map();
    this.reserved = new Map();
    this.answers = [];
    this.requests = [];
    this.log = [];
  }

  /** The same with a setting of the plugin. */
  setting(name, value) {
    this.settings.set(name, value);
    return this;
  }

  /** The same with a secret of the plugin, whose placeholder is `secret-<name>`. */
  secret(name) {
    this.secrets.add(name);
    return this;
  }

  /** The same with a value in the scratch space of the plugin. */
  kept(key, value) {
    this.scratch.set(key, { value: new TextEncoder().encode(value), revision: "0" });
    return this;
  }

  /** The text of a key of the scratch space. */
  scratchText(key) {
    const kept = this.scratch.get(key);
    return kept && new TextDecoder().decode(kept.value);
  }

  /** The same with a document of a kind, such as `service`, in the inventory. */
  document(kind, document) {
    this.documents.set(`${kind}/${document.id}`, document);
    return this;
  }

  /** The same with a pool of these values. */
  pool(name, values) {
    this.pools.set(name, [...values]);
    return this;
  }

  /** The same with an answer to the next request of this method and address: a status and JSON. */
  answer(method, url, status, json) {
    const body = json === undefined ? "" : JSON.stringify(json);
    const headers = json === undefined ? [] : [{ name: "content-type", value: "application/json" }];
    const response = { status, headers, body: new TextEncoder().encode(body), attributes: [] };
    this.answers.push({ method, url, response });
    return this;
  }

  /** The same with no answer to that request: `unreachable`, `timeout`, `broken`, `denied`. */
  noAnswer(method, url, reason) {
    this.answers.push({ method, url, error: { reason, message: reason, attributes: [] } });
    return this;
  }

  start() {
    running = this;
    return this;
  }
}

const failure = (code, message) => ({ class: "operator", code, message, attributes: [] });

export const log = { write: (level, message) => running?.log.push([level, message]) };

export const config = { get: (name) => host().settings.get(name) };

export const secrets = { get: (name) => (host().secrets.has(name) ? `secret-${name}` : undefined) };

// Writes are kept at once, whatever the call answers.
export const scratch = {
  get: (key) => host().scratch.get(checked(key)),
  put(key, value, expected) {
    writable(key, expected);
    host().scratch.set(key, { value, revision: String((host().writes += 1)) });
  },
  delete(key, expected) {
    writable(key, expected);
    host().scratch.delete(key);
  },
  keys(prefix, after, limit) {
    const found = [...host().scratch].filter(([key]) => key.startsWith(prefix) && !(after && key <= after));
    found.sort(([left], [right]) => (left < right ? -1 : 1));
    return found.slice(0, Math.min(limit, 1000)).map(([key, { value, revision }]) => ({ key, bytes: value.length, revision }));
  },
};

const checked = (key) => {
  if (/^[^\p{Cc}]{1,128}$/u.test(key)) return key;
  throw failure("SCRATCH_KEY", "a key of the scratch space has 1 to 128 bytes and no control character");
};

const writable = (key, { tag, val }) => {
  const revision = host().scratch.get(checked(key))?.revision;
  const is = tag === "any" || (tag === "absent" ? revision === undefined : revision === val);
  const message = `the key \`${key}\` of the scratch space was written meanwhile`;
  if (!is) throw { ...failure("SCRATCH_CONFLICT", message), class: "retry" };
};

export const inventory = {
  get(kind, id) {
    const found = host().documents.get(`${kind}/${id}`);
    return found && JSON.stringify(found);
  },
  find(kind, attribute, value) {
    const path = attribute.split(".");
    const of = [...host().documents].filter(([key]) => key.startsWith(`${kind}/`));
    const found = of.filter(([, document]) => leadsTo(document, path, value));
    return found.reverse().map(([, document]) => JSON.stringify(document));
  },
};

const leadsTo = (found, path, value) => {
  if (Array.isArray(found)) return found.some((one) => leadsTo(one, path, value));
  if (path.length === 0) return String(found) === value;
  const [name, ...rest] = path;
  return found?.[name] !== undefined && leadsTo(found[name], rest, value);
};

export const reservation = {
  reserve({ pool, name }) {
    const { pools, reserved } = host();
    const place = `${pool}/${name}`;
    if (!reserved.has(place)) {
      const values = pools.get(pool);
      if (!values) throw failure("UNKNOWN_POOL", `there is no pool \`${pool}\``);
      if (values.length === 0) throw failure("POOL_EXHAUSTED", `pool \`${pool}\` has no free value`);
      reserved.set(place, values.shift());
    }
    return { pool, value: reserved.get(place), attributes: [] };
  },
};

export const http = {
  send(request) {
    const { requests, answers } = host();
    const text = new TextDecoder().decode(request.body);
    const header = (name) => request.headers.find((one) => one.name === name)?.value;
    requests.push({ ...request, text, header });
    const place = answers.findIndex((one) => one.method === request.method && one.url === request.url);
    if (place < 0) throw new Error(`there is no answer to ${request.method} ${request.url}`);
    const [{ response, error }] = answers.splice(place, 1);
    if (error) throw error;
    return response;
  },
};
