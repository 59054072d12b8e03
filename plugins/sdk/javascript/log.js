// The log that is kept with the attempt.

import log from "ferrule:plugin/log@0.2.0";

/** For the developer of the plugin. */
export const debug = (message) => log.write("debug", String(message));
/** For the people who follow the order. */
export const info = (message) => log.write("info", String(message));
/** Something is odd, the work goes on. */
export const warn = (message) => log.write("warn", String(message));
/** The work cannot go on. */
export const error = (message) => log.write("error", String(message));
