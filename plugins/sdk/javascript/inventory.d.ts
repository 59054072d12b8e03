/** The document of this kind and id, as last committed; undefined if there is none. */
export function get(kind: string, id: string): any;
/** The documents of this kind with this value at this attribute, at most a hundred. */
export function find(kind: string, attribute: string, value: string): any[];
