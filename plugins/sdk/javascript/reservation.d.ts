/** Reserves the next free value of a pool; the same value when asked twice under one name. */
export function reserve(
  pool: string,
  name?: string,
): { value: string; attributes: { [name: string]: string } };
