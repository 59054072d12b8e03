// Write a Ferrule plugin as an object of functions: pick the role, and export what it makes of the object. An input that
// the schema of the plugin does not allow fails with `BAD_INPUT` before a function of the object is called.

import { known, mismatch } from "./schema.js";

/** Why a call did not succeed. Throw it. */
export class Failure extends Error {
  constructor(who, code, message) {
    super(message);
    this.class = who;
    this.code = code;
    this.retryAfterMs = undefined;
    this.attributes = [];
  }

  /** The host must act: the same call may succeed later. */
  static retry(code, message) {
    return new Failure("retry", code, message);
  }

  /** The customer's side must act: the order asks for the impossible. */
  static reject(code, message) {
    return new Failure("reject", code, message);
  }

  /** The operator must act: something here must be repaired first. */
  static operator(code, message) {
    return new Failure("operator", code, message);
  }

  /** The same with a minimum delay of the retry. */
  afterMs(ms) {
    this.retryAfterMs = ms;
    return this;
  }
}

/** An answer that comes later, by callback, under one of these keys. */
export class Waiting {
  constructor(keys, timeoutMs) {
    this.callback = { keys, timeoutMs, attributes: [] };
  }
}

/** The result of a probe: the work was not applied. */
export const NOT_APPLIED = Symbol("not applied");

/** The task that a plugin is called for. */
export class Context {
  #task;

  constructor(task) {
    this.#task = task;
  }

  /** A task for tests: this input, an item with these characteristics, the key `key-1`. */
  static task(input, { characteristics = {}, spec = "EXAMPLE", action = "add", replaces } = {}) {
    return {
      fulfilment: "fulfilment-1",
      name: "EXAMPLE.run",
      item: { spec, action, characteristics: JSON.stringify(characteristics) },
      input: JSON.stringify(input),
      attempt: 1,
      idempotencyKey: "key-1",
      replaces,
      callbackUrl: "http://localhost/callback/key-1",
      deadlineMs: 10_000,
      attributes: [],
    };
  }

  /** The task of an undo, for tests: the host gives undos a key of their own, that of the work followed by `:undo`. */
  static undo(task) {
    return { ...task, idempotencyKey: `${task.idempotencyKey}:undo` };
  }

  /** The fulfilment that the task belongs to. */
  get fulfilment() {
    return this.#task.fulfilment;
  }

  /** The task's name, unique in its fulfilment. */
  get name() {
    return this.#task.name;
  }

  /** The idempotency key: the same for every attempt. Pass it on to the systems that you call. */
  get key() {
    return this.#task.idempotencyKey;
  }

  /** The key of the prior work that this task changes; undefined if the work is new. */
  get replaces() {
    return this.#task.replaces ?? undefined;
  }

  /** The number of this attempt, from 1. */
  get attempt() {
    return this.#task.attempt;
  }

  /** Milliseconds left, when the call began, until the host stops it. */
  get deadlineMs() {
    return this.#task.deadlineMs;
  }

  /** Where an element may post its answer later. */
  get callbackUrl() {
    return this.#task.callbackUrl;
  }

  /** The specification of the item and what the order does to it; undefined for a step of the order. */
  get item() {
    const item = this.#task.item;
    return item && { spec: item.spec, action: item.action };
  }

  /** The input of the step. */
  get input() {
    return JSON.parse(this.#task.input);
  }

  /** The characteristics of the item, name to value. */
  get characteristics() {
    return this.#task.item ? JSON.parse(this.#task.item.characteristics) : {};
  }

  /** The value of a mandatory characteristic. */
  characteristic(name) {
    const value = this.characteristics[name];
    if (value === undefined || value === null) {
      const spec = this.item?.spec ?? "";
      throw Failure.reject("CHARACTERISTIC_MISSING", `characteristic \`${name}\` of \`${spec}\` is missing`);
    }
    return value;
  }
}

const done = (outputs) => ({ outputs: JSON.stringify(outputs ?? {}), attributes: [] });

const outcome = (answer) =>
  answer instanceof Waiting
    ? { tag: "waiting", val: answer.callback }
    : { tag: "done", val: done(answer) };

const finding = (answer) => {
  if (answer === NOT_APPLIED) return { tag: "not-applied" };
  if (answer instanceof Waiting) return { tag: "waiting", val: answer.callback };
  return { tag: "applied", val: done(answer) };
};

const schema = (value) => (value === undefined ? undefined : JSON.stringify(value));

const describe = ({ input, output, settings }) => {
  known(input, "input");
  return {
    describe: () => ({
      input: schema(input),
      output: schema(output),
      settings: schema(settings),
      attributes: [],
    }),
  };
};

// The input of a task, if it is as the plugin declares it.
const given = ({ input: schema }, context) => {
  const refused = (why) =>
    Failure.operator("BAD_INPUT", `the input of task \`${context.name}\` cannot be used: ${why}`);
  let input;
  try {
    input = context.input;
  } catch {
    throw refused("it is no JSON");
  }
  const wrong = mismatch(schema, input);
  if (!wrong) return input;
  const { path, expected, got } = wrong;
  const failure = refused(`\`${path}\`: expected ${expected}, got ${got}`);
  failure.attributes = Object.entries({ path, expected, got }).map(([name, value]) => ({ name, value }));
  throw failure;
};

const called = (plugin, name, task, ...more) => {
  const context = new Context(task);
  return plugin[name](context, given(plugin, context), ...more);
};

// The functions of an interface. A failure leaves the component as a record: QuickJS takes an `Error` for a
// crash.
const exported = (functions) =>
  Object.fromEntries(
    Object.entries(functions).map(([name, act]) => [
      name,
      (...given) => {
        try {
          return act(...given);
        } catch (error) {
          throw error instanceof Failure ? record(error) : error;
        }
      },
    ]),
  );

const record = ({ class: who, code, message, retryAfterMs, attributes }) => ({
  class: who,
  code,
  message,
  retryAfterMs,
  attributes,
});

/** A plugin that validates orders: `validate(context, order)` returns outputs, or throws a `Failure`. */
export function validator(plugin) {
  return {
    validation: exported({ validate: (task) => done(called(plugin, "validate", task)) }),
    description: describe(plugin),
  };
}

/** A plugin that reserves values of pools: `allocate(context, input)` returns outputs. */
export function allocator(plugin) {
  return {
    allocation: exported({ allocate: (task) => done(called(plugin, "allocate", task)) }),
    description: describe(plugin),
  };
}

/** A plugin that decomposes items: `decompose(request)` returns `{ spec, characteristics }` of each part. */
export function decomposer(plugin) {
  const production = ({ spec, characteristics }) => ({
    spec,
    characteristics: JSON.stringify(characteristics ?? {}),
    attributes: [],
  });
  return {
    decomposition: exported({
      decompose: ({ spec, action, characteristics, order }) => {
        const request = { spec, action, characteristics: JSON.parse(characteristics), order: JSON.parse(order) };
        return plugin.decompose(request).map(production);
      },
    }),
  };
}

/** A plugin that turns prices into charges: `rate(request)` returns the charges. Amounts are text. */
export function rater(plugin) {
  const charge = (charge) => ({ attributes: [], ...charge });
  return { rating: exported({ rate: (request) => plugin.rate(request).map(charge) }) };
}

/** A plugin that does any step: `run(context, input)`, and `undo`, `probe` and `resume` if it has them. */
export function step(plugin) {
  const parts = {
    work: exported({ run: (task) => outcome(called(plugin, "run", task)) }),
    description: describe(plugin),
  };
  if (plugin.undo) {
    parts.undo = exported({
      undo: (task, outputs) => outcome(called(plugin, "undo", task, outputs && JSON.parse(outputs))),
      resume: (task, answer) => resumed(plugin, "resumeUndo", task, answer),
    });
  }
  if (plugin.probe) {
    parts.probe = exported({ probe: (task) => finding(called(plugin, "probe", task)) });
  }
  if (plugin.resume) {
    parts.callbacks = exported({ resume: (task, answer) => resumed(plugin, "resume", task, answer) });
  }
  return parts;
}

const resumed = (plugin, name, task, answer) => {
  if (!plugin[name]) {
    const message = `task \`${task.name}\` never waits, yet an answer came for it`;
    throw Failure.operator("UNEXPECTED_CALLBACK", message);
  }
  return outcome(called(plugin, name, task, JSON.parse(answer)));
};

/** A plugin that drives an element: a step with `undo` and `probe`. */
export function activator(plugin) {
  for (const name of ["run", "undo", "probe"]) {
    if (typeof plugin[name] !== "function") throw new TypeError(`an activator has a function \`${name}\``);
  }
  return step(plugin);
}
