/** The placeholder of a secret; undefined if it was not granted or has no value. */
export function get(name: string): string | undefined;
/** The placeholder of a mandatory secret. */
export function require(name: string): string;
/** The header `Authorization` of a user and a password, which may be a placeholder. */
export function basic(user: string, password: string): string;
