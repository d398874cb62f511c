// Reading JSON that somebody else wrote: every reader answers with a usable value, whatever came. None throws.

export type JsonObject = Readonly<Record<string, unknown>>;

const EMPTY: JsonObject = {};

export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** The value as an object; an empty one for anything else. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : EMPTY;
}

/** The value as a list; an empty one for anything else. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value as a text; empty for anything else. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** The value as a number; `null` for anything that is none. */
export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** The value as a count; 0 for anything that is none, and what is beyond exact numbers is the largest of them. */
export function countOf(value: unknown): number {
  return Math.min(Math.max(0, numberOf(value) ?? 0), Number.MAX_SAFE_INTEGER);
}

/** The decoded text, or `undefined` when it is no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
