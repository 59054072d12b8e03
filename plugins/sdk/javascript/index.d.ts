/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** A JSON object. */
export type JsonObject = { [name: string]: Json };

/** Who must act on a failure. */
export type FailureClass = "retry" | "reject" | "operator";

/** Why a call did not succeed. Throw it. */
export class Failure extends Error {
  constructor(who: FailureClass, code: string, message: string);
  readonly class: FailureClass;
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  /** The host must act: the same call may succeed later. */
  static retry(code: string, message: string): Failure;
  /** The customer's side must act: the order asks for the impossible. */
  static reject(code: string, message: string): Failure;
  /** The operator must act: something here must be repaired first. */
  static operator(code: string, message: string): Failure;
  /** The same with a minimum delay of the retry. */
  afterMs(ms: number): this;
}

/** An answer that comes later, by callback, under one of these keys. */
export class Waiting {
  constructor(keys: string[], timeoutMs: number);
}

/** The result of a probe: the work was not applied. */
export const NOT_APPLIED: unique symbol;

/** What an order does to an item. */
export type Action = "add" | "modify" | "delete" | "no-change";

/** A task as the contract has it. */
export interface Task {
  fulfilment: string;
  name: string;
  item?: { spec: string; action: Action; characteristics: string };
  input: string;
  attempt: number;
  idempotencyKey: string;
  replaces?: string;
  callbackUrl: string;
  deadlineMs: number;
  attributes: { name: string; value: string }[];
}

/** The task that a plugin is called for. */
export class Context {
  constructor(task: Task);
  /** A task for tests: this input, an item with these characteristics, the key `key-1`. */
  static task(
    input: Json,
    item?: { characteristics?: JsonObject; spec?: string; action?: Action; replaces?: string },
  ): Task;
  /** The task of an undo, for tests: the host gives undos a key of their own, that of the work followed by `:undo`. */
  static undo(task: Task): Task;
  /** The fulfilment that the task belongs to. */
  readonly fulfilment: string;
  /** The task's name, unique in its fulfilment. */
  readonly name: string;
  /** The idempotency key: the same for every attempt. Pass it on to the systems that you call. */
  readonly key: string;
  /** The key of the prior work that this task changes; undefined if the work is new. */
  readonly replaces: string | undefined;
  /** The number of this attempt, from 1. */
  readonly attempt: number;
  /** Milliseconds left, when the call began, until the host stops it. */
  readonly deadlineMs: number;
  /** Where an element may post its answer later. */
  readonly callbackUrl: string;
  /** The item; undefined for a step of the whole order. */
  readonly item: { spec: string; action: Action } | undefined;
  /** The input of the step. */
  readonly input: any;
  /** The characteristics of the item, name to value. */
  readonly characteristics: { [name: string]: any };
  /** The value of a mandatory characteristic. */
  characteristic(name: string): any;
}

/** JSON Schemas of a plugin. */
export interface Described {
  input?: JsonObject;
  output?: JsonObject;
  settings?: JsonObject;
}

/** The exports of a component, by the interface of the contract. */
export interface Exports {
  [name: string]: { [name: string]: (...given: any[]) => any };
}

/** A plugin that validates orders. */
export function validator<Order = any>(
  plugin: Described & { validate(context: Context, order: Order): JsonObject | void },
): Exports;

/** A plugin that reserves values of pools. */
export function allocator<Input = any>(
  plugin: Described & { allocate(context: Context, input: Input): JsonObject },
): Exports;

/** A plugin that decomposes items. */
export function decomposer(plugin: {
  decompose(request: {
    spec: string;
    action: Action;
    characteristics: { [name: string]: any };
    order: any;
  }): { spec: string; characteristics?: JsonObject }[];
}): Exports;

/** An amount of money; the amount is decimal text. */
export interface Money {
  currency: string;
  amount: string;
}

/** A price of the catalog that is charged at the start. */
export interface Price {
  id: string;
  name: string;
  amount: Money;
  period?: { length: number; unit: "day" | "week" | "month" | "year" };
  taxRate?: string;
}

/** One line to bill. */
export interface Charge {
  price: string;
  net: Money;
  tax: Money;
  taxRate?: string;
  covers?: { first: string; last: string };
  prorated?: { days: number; ofDays: number };
}

/** A plugin that turns prices into charges. */
export function rater(plugin: {
  rate(request: {
    prices: Price[];
    quantity: number;
    start: string;
    billDay?: number;
    taxRate: string;
  }): Charge[];
}): Exports;

/** The parts of a step. */
export interface StepParts<Input, Output> {
  /** Does the work; doing it twice must be as good as once. */
  run(context: Context, input: Input): Output | Waiting | void;
  /** Undoes the work. If there is none, that is success. */
  undo?(context: Context, input: Input, output: Output | undefined): Waiting | void;
  /** Reads an answer to an undo that came by callback. */
  resumeUndo?(context: Context, input: Input, answer: any): Waiting | void;
  /** Finds out whether the work was applied. It changes nothing. */
  probe?(context: Context, input: Input): Output | Waiting | typeof NOT_APPLIED;
  /** Reads an answer that came by callback. */
  resume?(context: Context, input: Input, answer: any): Output | Waiting | void;
}

/** A plugin that does any step. */
export function step<Input = any, Output = any>(
  plugin: Described & StepParts<Input, Output>,
): Exports;

/** A plugin that drives an element: a step with `undo` and `probe`. */
export function activator<Input = any, Output = any>(
  plugin: Described &
    StepParts<Input, Output> &
    Required<Pick<StepParts<Input, Output>, "undo" | "probe">>,
): Exports;
