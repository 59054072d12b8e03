import type { Context, Failure, Json } from "./index.js";

/** An answer, whatever its status. */
export class Response {
  readonly status: number;
  readonly headers: { name: string; value: string }[];
  readonly body: Uint8Array;
  /** Whether the status is 2xx. */
  readonly ok: boolean;
  /** The first header of this name, whatever its case. */
  header(name: string): string | undefined;
  /** The body as text. */
  text(): string;
  /** The body as JSON; undefined if it is none. */
  json(): any;
}

/**
 * Sends a request for a task: it carries the task's idempotency key, and ends before the task must. Throws
 * a `Failure` if there is no answer.
 */
export function send(
  context: Context,
  method: string,
  url: string,
  more?: { json?: Json; media?: string; headers?: { [name: string]: string | number }; timeoutMs?: number },
): Response;

/** The failure for an answer that is no success: by its status, who must act. */
export function refused(response: Response, what: string): Failure;
