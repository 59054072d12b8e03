/** The value of a key; undefined if it has none. */
export function get(key: string): { value: Uint8Array; text: string; revision: string } | undefined;
/** Writes the value of a key. `revision` is the one with which it was read, null if it had no value; without it the last write counts. */
export function put(key: string, value: string | Uint8Array, revision?: string | null): void;
/** Deletes the value of a key, if it has one. */
export function remove(key: string, revision?: string | null): void;
/** The keys that begin with `prefix` and come after `after`, at most `limit`. */
export function keys(prefix?: string, after?: string, limit?: number): { key: string; bytes: number; revision: string }[];
