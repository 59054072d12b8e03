// Checks JSON against the JSON Schema (draft 2020-12) that a plugin declares. The SDKs for Python and C check the same
// keywords and word what is wrong alike.

// Nested schemas beyond which one is taken for endless.
const DEPTH_MAX = 64;

// Keywords whose value is a schema, a list of schemas, or schemas by name.
const ONE = ["items", "additionalProperties", "not"];
const LIST = ["prefixItems", "allOf", "anyOf", "oneOf"];
const NAMED = ["properties", "$defs", "definitions"];

const CHECKED = new Set([
  ...ONE, ...LIST, ...NAMED, "$ref", "type", "enum", "const", "required", "minProperties", "maxProperties", "minItems",
  "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum",
  "exclusiveMaximum",
]);

// Keywords that tell something to readers alone.
const TOLD = new Set([
  "$schema", "$id", "$comment", "title", "description", "default", "examples", "example", "format", "deprecated",
  "readOnly", "writeOnly",
]);

/** Throws if a schema has a keyword that is not checked. */
export function known(schema, what) {
  if (typeof schema !== "object" || schema === null) return;
  for (const [keyword, value] of Object.entries(schema)) {
    if (!CHECKED.has(keyword) && !TOLD.has(keyword) && !keyword.startsWith("x-")) {
      throw new TypeError(
        `the schema of the ${what} has the keyword \`${keyword}\`, which the SDK does not check: leave it out, and ` +
          "check that in the code",
      );
    }
    if (ONE.includes(keyword)) known(value, what);
    if (LIST.includes(keyword)) value.forEach((one) => known(one, what));
    if (NAMED.includes(keyword)) Object.values(value).forEach((one) => known(one, what));
  }
}

/** The first thing that is wrong with a value: `{ path, expected, got }`; undefined if nothing is. */
export function mismatch(schema, value) {
  return new Checker(schema).check(schema, value, [], 0);
}

const kindOf = (value) => {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
};

const isKind = (value, kind) => {
  const own = kindOf(value);
  return own === kind || (own === "integer" && kind === "number");
};

const shown = (value) => {
  const text = JSON.stringify(value);
  return (value === null || typeof value !== "object") && text.length <= 40 ? `\`${text}\`` : kindOf(value);
};

const same = (left, right) => {
  if (typeof left !== "object" || typeof right !== "object" || !left || !right) return left === right;
  if (Array.isArray(left) !== Array.isArray(right)) return false;
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && same(left[name], right[name]))
  );
};

const listed = (texts) => (texts.length === 1 ? texts[0] : `one of ${texts.join(", ")}`);

const place = (path) =>
  path.reduce((text, part) => (typeof part === "number" ? `${text}[${part}]` : text ? `${text}.${part}` : part), "");

const wrong = (path, expected, got) => ({ path: place(path) || "input", depth: path.length, expected, got });

class Checker {
  constructor(root) {
    this.root = root;
  }

  check(schema, value, path, depth) {
    if (schema === undefined || schema === true) return undefined;
    if (schema === false) return wrong(path, "nothing", kindOf(value));
    if (depth > DEPTH_MAX) return wrong(path, `at most ${DEPTH_MAX} levels`, "more");
    return (
      (schema.$ref !== undefined ? this.check(this.named(schema.$ref), value, path, depth + 1) : undefined) ??
      this.kind(schema, value, path) ??
      this.size(schema, value, path) ??
      this.members(schema, value, path, depth) ??
      this.items(schema, value, path, depth) ??
      this.alternatives(schema, value, path, depth)
    );
  }

  /** The schema that a reference names; one that allows nothing if there is none. */
  named(reference) {
    const steps = reference === "#" ? [] : reference.replace(/^#\//, "").split("/");
    const step = (schema, part) => schema?.[part.replace(/~1/g, "/").replace(/~0/g, "~")];
    return (reference.startsWith("#") ? steps.reduce(step, this.root) : undefined) ?? false;
  }

  kind(schema, value, path) {
    const kinds = schema.type === undefined ? [] : [schema.type].flat();
    if (kinds.length && !kinds.some((kind) => isKind(value, kind))) {
      return wrong(path, kinds.join(" or "), kindOf(value));
    }
    const values = schema.const !== undefined ? [schema.const] : schema.enum;
    if (values && !values.some((one) => same(one, value))) {
      return wrong(path, listed(values.map(shown)), shown(value));
    }
    return undefined;
  }

  size(schema, value, path) {
    const limits = {
      string: ["Length", "characters", (text) => [...text].length],
      array: ["Items", "entries", (list) => list.length],
      object: ["Properties", "members", (object) => Object.keys(object).length],
    };
    const [suffix, unit, count] = limits[kindOf(value)] ?? [];
    if (suffix) {
      const size = count(value);
      const [least, most] = [schema[`min${suffix}`], schema[`max${suffix}`]];
      if (size < least) return wrong(path, `at least ${least} ${unit}`, `${size}`);
      if (size > most) return wrong(path, `at most ${most} ${unit}`, `${size}`);
    }
    if (typeof value === "string" && schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
      return wrong(path, `text that matches \`${schema.pattern}\``, shown(value));
    }
    if (typeof value !== "number") return undefined;
    const bounds = [
      ["minimum", "at least", (limit) => value < limit],
      ["maximum", "at most", (limit) => value > limit],
      ["exclusiveMinimum", "more than", (limit) => value <= limit],
      ["exclusiveMaximum", "less than", (limit) => value >= limit],
    ];
    const broken = bounds.find(([name, , breaks]) => schema[name] !== undefined && breaks(schema[name]));
    return broken && wrong(path, `${broken[1]} ${schema[broken[0]]}`, `${value}`);
  }

  members(schema, value, path, depth) {
    if (kindOf(value) !== "object") return undefined;
    const properties = schema.properties ?? {};
    for (const name of schema.required ?? []) {
      if (!Object.hasOwn(value, name)) return wrong([...path, name], this.expected(properties[name]), "nothing");
    }
    for (const [name, member] of Object.entries(value)) {
      if (Object.hasOwn(properties, name)) {
        const found = this.check(properties[name], member, [...path, name], depth + 1);
        if (found) return found;
      } else if (schema.additionalProperties === false) {
        const names = Object.keys(properties).map((name) => `\`${name}\``);
        return wrong([...path, name], `no other name than ${names.join(", ") || "none"}`, kindOf(member));
      } else {
        const found = this.check(schema.additionalProperties, member, [...path, name], depth + 1);
        if (found) return found;
      }
    }
    return undefined;
  }

  items(schema, value, path, depth) {
    if (!Array.isArray(value)) return undefined;
    const first = schema.prefixItems ?? [];
    for (const [at, item] of value.entries()) {
      const found = this.check(first[at] ?? schema.items, item, [...path, at], depth + 1);
      if (found) return found;
      if (schema.uniqueItems && value.slice(0, at).some((one) => same(one, item))) {
        return wrong([...path, at], "an entry that is not there yet", shown(item));
      }
    }
    return undefined;
  }

  alternatives(schema, value, path, depth) {
    const checked = (one) => this.check(one, value, path, depth + 1);
    for (const one of schema.allOf ?? []) {
      const found = checked(one);
      if (found) return found;
    }
    for (const name of ["anyOf", "oneOf"]) {
      const several = schema[name];
      if (!several) continue;
      const found = several.map(checked);
      const fit = found.filter((one) => !one).length;
      if (fit === 0) return this.nearest(several, found, value, path);
      if (fit > 1 && name === "oneOf") return wrong(path, "one alternative alone", `a value of ${fit}`);
    }
    if (schema.not !== undefined && !checked(schema.not)) {
      return wrong(path, "a value that is not excluded", shown(value));
    }
    return undefined;
  }

  /** What is wrong by the alternative that fits best, if one does. */
  nearest(several, found, value, path) {
    const deepest = Math.max(...found.map((one) => one.depth));
    const best = found.filter((one) => one.depth === deepest);
    if (deepest > path.length + 1 || several.length === 1) return best[0];
    return wrong(path, several.map((one) => this.expected(one)).join(", or "), this.got(value));
  }

  got(value) {
    const names = kindOf(value) === "object" ? Object.keys(value).slice(0, 5) : [];
    return names.length ? `object with \`${names.join("`, `")}\`` : kindOf(value);
  }

  /** What a schema allows, in a few words. */
  expected(schema) {
    if (typeof schema !== "object" || schema === null) return "any value";
    if (schema.$ref !== undefined) return this.expected(this.named(schema.$ref));
    if (schema.const !== undefined) return shown(schema.const);
    if (schema.enum) return listed(schema.enum.map(shown));
    const kind = schema.type === undefined ? "any value" : [schema.type].flat().join(" or ");
    const names = schema.required ?? [];
    return names.length && kind === "object" ? `object with \`${names.join("`, `")}\`` : kind;
  }
}
