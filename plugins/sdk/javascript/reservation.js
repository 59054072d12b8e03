// Values out of pools, committed together with the outcome of the task.

import reservation from "ferrule:plugin/reservation@0.2.0";

/** Reserves the next free value of a pool; the same value when asked twice under one name. */
export function reserve(pool, name = "value") {
  const { value, attributes } = reservation.reserve({ pool, name, attributes: [] });
  return { value, attributes: Object.fromEntries(attributes.map((one) => [one.name, one.value])) };
}
