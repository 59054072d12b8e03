/** For the developer of the plugin. */
export function debug(message: unknown): void;
/** For the people who follow the order. */
export function info(message: unknown): void;
/** Something is odd, the work goes on. */
export function warn(message: unknown): void;
/** The work cannot go on. */
export function error(message: unknown): void;
