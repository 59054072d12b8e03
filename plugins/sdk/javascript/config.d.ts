/** The value of a setting; undefined if it is not set. */
export function get(name: string): string | undefined;
/** The value of a mandatory setting. */
export function require(name: string): string;
