// The part of JSON Schema that the API's document uses: whether a value is what a schema says, and values that are, or
// nearly are. A keyword that is not known here is an error, so that nothing is taken for checked that is not.

import fc from "fast-check";

export type Schema = Readonly<Record<string, unknown>>;
export type Schemas = Readonly<Record<string, Schema>>;

const KNOWN = new Set(
  "$ref,$schema,id,anyOf,oneOf,allOf,enum,const,type,properties,required,additionalProperties,propertyNames,items,minItems,maxItems,minimum,maximum,exclusiveMinimum,exclusiveMaximum,minLength,maxLength,pattern,format,description,default,title".split(
    ",",
  ),
);

function resolved(schema: Schema, all: Schemas): Schema {
  const { $ref } = schema;
  if (typeof $ref !== "string") return schema;
  const found = all[$ref.split("/").at(-1) ?? ""];
  if (!found) throw new Error(`Expected a schema behind ${$ref}, got none.`);
  return resolved(found, all);
}

const typeOf = (value: unknown): string =>
  value === null
    ? "null"
    : Array.isArray(value)
      ? "array"
      : typeof value === "number"
        ? "number"
        : typeof value;

const isOfType = (value: unknown, type: unknown): boolean =>
  type === "integer" ? Number.isInteger(value) : type === typeOf(value);

/** The schemas that references mean, and where in the whole a value stands. */
export interface Place {
  readonly all: Schemas;
  readonly at?: string;
}

/** What is wrong with a value, with its place; nothing when it is what the schema says. */
export function wrongWith(value: unknown, schema: Schema, place: Place): readonly string[] {
  const { all, at = "$" } = place;
  const one = resolved(schema, all);
  const odd = Object.keys(one).find((key) => !KNOWN.has(key));
  if (odd !== undefined) return [`${at}: the schema has ${odd}, which is not known here`];
  const choices = (one["anyOf"] ?? one["oneOf"]) as readonly Schema[] | undefined;
  if (choices && !choices.some((each) => wrongWith(value, each, place).length === 0))
    return [`${at}: is none of the choices`];
  for (const each of (one["allOf"] ?? []) as readonly Schema[]) {
    const wrong = wrongWith(value, each, place);
    if (wrong.length > 0) return wrong;
  }
  if (Array.isArray(one["enum"]) && !one["enum"].includes(value))
    return [`${at}: ${JSON.stringify(value)} is not in the list`];
  if ("const" in one && one["const"] !== value) return [`${at}: is not ${JSON.stringify(one["const"])}`];
  const types = [one["type"] ?? []].flat().map(String);
  if (types.length > 0 && !types.some((type) => isOfType(value, type)))
    return [`${at}: is ${typeOf(value)}, not ${types.join(" or ")}`];
  if (typeof value === "number") return wrongNumber(value, one, at);
  if (typeof value === "string") return wrongText(value, one, at);
  if (Array.isArray(value)) {
    const items = one["items"] as Schema | undefined;
    return items ? value.flatMap((each, i) => wrongWith(each, items, { all, at: `${at}[${i}]` })) : [];
  }
  return typeof value === "object" && value !== null ? wrongObject(value, one, { all, at }) : [];
}

function wrongNumber(value: number, { minimum, maximum }: Schema, at: string): readonly string[] {
  const isIn =
    (typeof minimum !== "number" || value >= minimum) && (typeof maximum !== "number" || value <= maximum);
  return isIn ? [] : [`${at}: ${value} is out of bounds`];
}

function wrongText(value: string, { minLength, maxLength, pattern }: Schema, at: string): readonly string[] {
  if (typeof minLength === "number" && value.length < minLength) return [`${at}: is too short`];
  if (typeof maxLength === "number" && value.length > maxLength) return [`${at}: is too long`];
  return typeof pattern === "string" && !new RegExp(pattern, "u").test(value)
    ? [`${at}: does not match ${pattern}`]
    : [];
}

function wrongObject(value: object, schema: Schema, { all, at }: Required<Place>): readonly string[] {
  const properties = (schema["properties"] ?? {}) as Schemas;
  const rest = schema["additionalProperties"];
  const missing = ((schema["required"] ?? []) as readonly string[]).filter((key) => !(key in value));
  return [
    ...missing.map((key) => `${at}.${key}: is missing`),
    ...Object.entries(value).flatMap(([key, item]) => {
      const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
      if (own) return wrongWith(item, own, { all, at: `${at}.${key}` });
      if (rest === false) return [`${at}.${key}: is not in the schema`];
      return typeof rest === "object" && rest !== null
        ? wrongWith(item, rest as Schema, { all, at: `${at}.${key}` })
        : [];
    }),
  ];
}

/** Texts that have broken programs before. */
const ODD_TEXTS = [
  "",
  " ",
  "\u0000",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "\ud83d\ude00",
  "\u202e",
  "%00",
  "-1",
  "1e400",
  "x".repeat(300),
  `task_${"0".repeat(32)}`,
  "null",
  "{}",
  "\n\r",
  "'\";--",
] as const;

export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(...ODD_TEXTS),
  fc.string({ unit: "binary", maxLength: 40 }),
);

/** Stands for one of the ids that the run has met, by number. */
export const idMark: fc.Arbitrary<string> = fc.nat({ max: 1_000 }).map((nth) => `@id:${nth}`);

/** Values of a schema, mostly: one in some is anything that JSON can hold. */
export function valuesOf(schema: Schema, all: Schemas, name = ""): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 24, arbitrary: rightValues(resolved(schema, all), all, name) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

function rightValues(schema: Schema, all: Schemas, name: string): fc.Arbitrary<unknown> {
  const choices = (schema["anyOf"] ?? schema["oneOf"]) as readonly Schema[] | undefined;
  if (choices) return fc.oneof(...choices.map((each) => valuesOf(each, all, name)));
  if (Array.isArray(schema["enum"])) return fc.constantFrom(...(schema["enum"] as unknown[]));
  if ("const" in schema) return fc.constant(schema["const"]);
  const {
    minimum = 0,
    maximum = 10_000,
    items = {},
  } = schema as { minimum?: number; maximum?: number; items?: Schema };
  const most = Math.min(maximum, 10_000);
  switch (schema["type"]) {
    case "string":
      return textsFor(name);
    case "integer":
      return fc.integer({ min: Math.min(minimum, most), max: most });
    case "number":
      return fc.double({ min: minimum, max: most, noNaN: true });
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "array":
      return fc.array(valuesOf(items, all, name), { maxLength: 4 });
    case "object":
      return objects(schema, all);
    default:
      return fc.jsonValue();
  }
}

function objects(schema: Schema, all: Schemas): fc.Arbitrary<unknown> {
  const properties = (schema["properties"] ?? {}) as Schemas;
  const parts = Object.fromEntries(
    Object.entries(properties).map(([key, each]) => [key, valuesOf(each, all, key)]),
  );
  const required = (schema["required"] ?? []) as string[];
  // Few of the optional ones at once: a body that is wrong in each of ten places is refused for the first.
  const known = fc.record(parts, { requiredKeys: required });
  const few = fc.tuple(known, fc.nat({ max: 3 })).map(([whole, count]) => {
    const optional = Object.keys(whole).filter((key) => !required.includes(key));
    const kept = new Set([...required, ...optional.slice(0, count)]);
    return Object.fromEntries(Object.entries(whole).filter(([key]) => kept.has(key)));
  });
  const odd = fc
    .tuple(few, oddText, fc.jsonValue())
    .map(([whole, key, value]) => ({ ...whole, [key]: value }));
  return fc.oneof({ weight: 30, arbitrary: few }, { weight: 1, arbitrary: odd });
}

function textsFor(name: string): fc.Arbitrary<string> {
  const some =
    name.endsWith("_id") || name === "id"
      ? idMark
      : fc.constantFrom(...(WORDS[name] ?? ["look", "dig deep"]));
  return fc.oneof({ weight: 9, arbitrary: some }, { weight: 1, arbitrary: oddText });
}

/** What is right for texts whose schema does not say. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  toolsets: ["file", "progress", "delegation"],
  agent: ["default"],
  model: ["gpu/child", "child"],
  name: ["agent", "residency"],
  goal: ["dig", "fail fast", "hang on"],
  after: ["0", "1", "25"],
  limit: ["1", "50", "200"],
  workspace: ["/tmp"],
};
