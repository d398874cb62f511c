// A model's arguments against a tool's JSON Schema. zod's fromJSONSchema does the checking (bought, not built: it is
// in the tree already, covers the keywords that tools use, and 200 schemas take 10 ms; ajv would be another
// dependency and compiles code). What is ours is the mending that small local models need, guided by what zod
// complains of, and the words of the refusal.
//
// It mends by type only ("5" for 5, "true" for true, a JSON text for an object or list, one value for a list of
// such, null or "" for an optional argument that is left out). It never guesses names or meanings.

import { z } from "zod";
import { ToolError, messageOf } from "../base/errors.ts";
import type { ToolDefinition } from "../core/tool.ts";
import type { JsonSchema } from "../core/json-schema.ts";

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

export type JsonCheck =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Mending one value can bring up the next complaint inside of it; schemas of tools are no deeper. */
const MAX_ROUNDS = 6;
const MAX_PROBLEMS = 8;

const checkers = new WeakMap<JsonSchema, z.ZodType>();

/** Contract: throws ToolError `bad_schema` for a schema that zod cannot read. */
function checkerOf(schema: JsonSchema): z.ZodType {
  const known = checkers.get(schema);
  if (known !== undefined) return known;
  if (hasExpression(schema)) {
    const message =
      "Expected a JSON Schema without pattern and patternProperties: an expression could run for ever. Use enum.";
    throw new ToolError("bad_schema", message);
  }
  try {
    const checker = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    checkers.set(schema, checker);
    return checker;
  } catch (error) {
    throw new ToolError(
      "bad_schema",
      `Expected a JSON Schema (draft 2020-12), got one that ${messageOf(error)}.`,
    );
  }
}

/** Schemas also come from callers and models, and nothing bounds how long their expressions run. */
function hasExpression(schema: unknown): boolean {
  if (schema === null || typeof schema !== "object") return false;
  // A property that is merely called `pattern` has a schema as its value, not a text.
  return Object.entries(schema).some(
    ([key, value]) =>
      (key === "pattern" && typeof value === "string") || key === "patternProperties" || hasExpression(value),
  );
}

function valueAt(root: unknown, path: Path): unknown {
  let current = root;
  for (const part of path) {
    if (current === null || typeof current !== "object") return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return current;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The value as the expected type, where that is what was surely meant; else `undefined`. */
function mended(value: unknown, expected: string): unknown {
  if (typeof value === "string") {
    const text = value.trim();
    if (expected === "number" || expected === "int") {
      return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
    }
    if (expected === "boolean")
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
    if (expected === "object" || expected === "record") {
      const parsed = text.startsWith("{") ? parsedJson(text) : undefined;
      return typeof parsed === "object" ? parsed : undefined;
    }
    if (expected === "array") {
      const parsed = text.startsWith("[") ? parsedJson(text) : undefined;
      return Array.isArray(parsed) ? parsed : [value];
    }
    return undefined;
  }
  if (expected === "int" && typeof value === "number" && Number.isFinite(value)) {
    return Number.isInteger(value) ? value : undefined;
  }
  if (expected === "string" && (typeof value === "number" || typeof value === "boolean"))
    return String(value);
  if (expected === "array" && value !== null && value !== undefined && !Array.isArray(value)) return [value];
  return undefined;
}

/** Keys that the object at a path must have, as far as the schema says so. */
function isRequired(schema: JsonSchema, path: Path): boolean {
  let node: unknown = schema;
  for (const part of path.slice(0, -1)) {
    const at = node as
      | { readonly properties?: Record<PropertyKey, unknown>; readonly items?: unknown }
      | undefined;
    node = typeof part === "number" ? at?.items : at?.properties?.[part];
  }
  const required = (node as { readonly required?: unknown } | undefined)?.required;
  return Array.isArray(required) && required.includes(path.at(-1));
}

/** Mends what one complaint is about, in place. Contract: whether anything changed. */
function mendIssue(root: unknown, issue: Issue, schema: JsonSchema): boolean {
  const last = issue.path.at(-1);
  if (last === undefined) return false;
  const parent = valueAt(root, issue.path.slice(0, -1)) as Record<PropertyKey, unknown> | undefined;
  if (parent === null || typeof parent !== "object" || !Object.hasOwn(parent, last)) return false;
  const value = parent[last];
  const absent = value === null || value === "";
  if (absent && typeof last === "string" && !isRequired(schema, issue.path)) {
    Reflect.deleteProperty(parent, last);
    return true;
  }
  if (issue.code !== "invalid_type") return false;
  const better = mended(value, issue.expected);
  if (better === undefined || Object.is(better, value)) return false;
  parent[last] = better;
  return true;
}

const NAMES: Readonly<Record<string, string>> = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

function got(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text;
}

function expectedOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return NAMES[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `one of ${issue.values.map((value) => JSON.stringify(value)).join(", ")}`;
    case "too_small":
    case "too_big": {
      const bound = issue.code === "too_small" ? `at least ${issue.minimum}` : `at most ${issue.maximum}`;
      const units: Readonly<Record<string, string>> = {
        string: " characters",
        array: " items",
        object: " keys",
      };
      return `${bound}${units[issue.origin] ?? ""}`;
    }
    case "invalid_union":
      return [...new Set(issue.errors.flat().map(expectedOf))].join(" or ");
    default:
      return issue.message;
  }
}

function problemOf(issue: Issue, root: unknown, schema: JsonSchema): string {
  const where = issue.path.length === 0 ? "the arguments" : issue.path.map(String).join(".");
  if (issue.code === "unrecognized_keys") {
    const known =
      issue.path.length === 0 ? Object.keys((schema["properties"] as object | undefined) ?? {}) : [];
    const list = known.length === 0 ? "" : `; it takes ${known.join(", ")}`;
    return `${issue.keys.join(", ")}: not known${issue.path.length === 0 ? "" : ` in ${where}`}${list}`;
  }
  const value = valueAt(root, issue.path);
  if (value === undefined && issue.code === "invalid_type")
    return `${where}: expected ${expectedOf(issue)}, but it is missing`;
  return `${where}: expected ${expectedOf(issue)}, got ${got(value)}`;
}

/**
 * A JSON value against a schema; with `mend`, after mending what small models get wrong.
 * Contract: changes nothing that was given; throws ToolError `bad_schema` only.
 */
export function checkJson(schema: JsonSchema, value: unknown, mend = false): JsonCheck {
  const checker = checkerOf(schema);
  let candidate: unknown = mend ? structuredClone(value) : value;
  for (let round = 0; ; round++) {
    const parsed = checker.safeParse(candidate);
    if (parsed.success) return { ok: true, value: parsed.data };
    const { issues } = parsed.error;
    const changed =
      mend && round < MAX_ROUNDS && issues.filter((issue) => mendIssue(candidate, issue, schema)).length > 0;
    if (changed) continue;
    // Arguments that came as a JSON text as a whole.
    const whole = mend && round === 0 && typeof candidate === "string" ? parsedJson(candidate) : undefined;
    if (whole === undefined) {
      return {
        ok: false,
        problems: issues.slice(0, MAX_PROBLEMS).map((issue) => problemOf(issue, candidate, schema)),
      };
    }
    candidate = whole;
  }
}

/**
 * The arguments of a call, mended and checked: what Tool.run may be given.
 * Contract: throws ToolError `bad_arguments` that says expected and got for each argument.
 */
export function checkArguments(
  { definition: tool }: { readonly definition: ToolDefinition },
  input: unknown,
): Readonly<Record<string, unknown>> {
  // Some models send nothing at all for a tool whose arguments are all optional.
  const checked = checkJson(tool.parameters, input ?? {}, true);
  if (checked.ok && checked.value !== null && typeof checked.value === "object") {
    return checked.value as Readonly<Record<string, unknown>>;
  }
  const problems = checked.ok ? ["the arguments: expected an object"] : checked.problems;
  throw new ToolError(
    "bad_arguments",
    `Bad arguments for ${tool.name}. ${problems.join("; ")}. Call it again with these mended.`,
    {
      details: { tool: tool.name, problems },
    },
  );
}
