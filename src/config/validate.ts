// Plain data to Config, or every problem with it: expected, got, what to do. Positions come from the caller.

import type { z } from "zod";
import { configSchema } from "../core/config-schema.ts";
import type { Config } from "../core/config-schema.ts";
import { keyName } from "./problem.ts";
import type { ConfigPath } from "./problem.ts";
import { foreignKeyHint, knownKeys } from "./known-keys.ts";
import { didYouMean } from "./suggest.ts";

/** A problem that still has to be given its line. */
export interface Finding {
  readonly path: ConfigPath;
  readonly at: "key" | "value";
  readonly message: string;
}

export type Validated =
  | { readonly ok: true; readonly config: Config }
  | {
      readonly ok: false;
      readonly findings: readonly Finding[];
      /** What is left when the wrong keys are taken away, so that the rest can be checked too; `null` if nothing is. */
      readonly rest: Config | null;
    };

type Issue = z.core.$ZodIssue;

/** `x:` with nothing behind it is YAML's null; a person means "not set". The key stays, so that strictness holds. */
function withoutNulls(value: unknown): unknown {
  if (value === null) return undefined;
  if (Array.isArray(value)) return value.map((item: unknown) => (item === null ? null : withoutNulls(item)));
  if (typeof value !== "object") return value;
  // fromEntries defines its keys, so that `__proto__` stays a key and is refused as one.
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutNulls(item)]));
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const part of path) {
    if (current === null || typeof current !== "object") return undefined;
    current = (current as Readonly<Record<PropertyKey, unknown>>)[part];
  }
  return current;
}

/** Keys whose values may be secrets or addresses with one, whatever type a person gave them. */
const SECRET_KEYS = /^(api_keys?|headers|base_url)$/;
const ARTICLES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number; put it in quotes if it is meant as a text",
  boolean: "a yes/no; put it in quotes if it is meant as a text",
};

/** What a value is, in words; a text is shown cut, and never where a secret may stand. */
function describe(value: unknown, path: readonly PropertyKey[]): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "a block of keys";
  const secret = path.some((part) => SECRET_KEYS.test(String(part)));
  if (secret) return ARTICLES[typeof value] ?? "a value";
  if (typeof value === "boolean") return `${value} (yes/no)`;
  if (typeof value !== "string") return `${JSON.stringify(value)} (number)`;
  return `${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)} (text)`;
}

const EXPECTED: Readonly<Record<string, string>> = {
  object: "a block of keys",
  record: "a block of keys",
  array: "a list, like [a, b]",
  string: "a text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
};

function expectedOf(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return EXPECTED[issue.expected] ?? issue.expected;
    case "invalid_value":
      return `${issue.values.length > 1 ? "one of " : ""}${issue.values.map(String).join(", ")}`;
    case "too_small":
      if (issue.origin === "string") return "a text that is not empty";
      return issue.inclusive === false ? `more than ${issue.minimum}` : `${issue.minimum} or more`;
    case "too_big":
      return `${issue.maximum} or less`;
    case "invalid_union":
      return [...new Set(issue.errors.flat().map(expectedOf))].join(" or ");
    case "invalid_key":
      return issue.issues.map(expectedOf).join(", ");
    default:
      return issue.message;
  }
}

function findingsOf(issue: Issue, raw: unknown): readonly Finding[] {
  const path = issue.path as ConfigPath;
  if (issue.code === "unrecognized_keys") {
    const known = knownKeys(path);
    return issue.keys.map((key) => {
      const hint = foreignKeyHint(key) ?? didYouMean(key, known);
      const all = hint === "" ? ` Known here: ${known.join(", ")}.` : hint;
      return { path: [...path, key], at: "key", message: `${keyName([...path, key])} is not a key.${all}` };
    });
  }
  if (issue.code === "invalid_key") {
    return [{ path, at: "key", message: `${keyName(path)}: expected ${expectedOf(issue)}` }];
  }
  const where = path.length === 0 ? "the config" : keyName(path);
  const got = describe(valueAt(raw, path), path);
  const message = `${where}: expected ${expectedOf(issue)}, got ${got}`;
  return [{ path, at: "value", message }];
}

/** The data without what the findings are about. */
function without(value: unknown, findings: readonly Finding[]): unknown {
  const copy: unknown = structuredClone(value);
  for (const { path } of findings) {
    const parent = valueAt(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (parent === null || typeof parent !== "object" || last === undefined) continue;
    if (Array.isArray(parent)) parent[last as number] = undefined;
    else Reflect.deleteProperty(parent, last);
  }
  return copy;
}

/** Contract: never throws; all findings at once. */
export function validateConfig(raw: unknown): Validated {
  const value = withoutNulls(raw);
  const parsed = configSchema.safeParse(value);
  if (parsed.success) return { ok: true, config: parsed.data };
  const findings = parsed.error.issues.flatMap((issue) => findingsOf(issue, raw));
  const rest = configSchema.safeParse(without(value, findings));
  return { ok: false, findings, rest: rest.success ? rest.data : null };
}
