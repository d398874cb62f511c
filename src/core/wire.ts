// JSON words are snake_case, TypeScript is camelCase (design.md §8). This is the one place that turns one into
// the other. Bodies that belong to users, models or schemas pass through untouched.

/** Keys whose values are somebody else's JSON: never renamed below here. Both spellings are listed. */
const OPAQUE: ReadonlySet<string> = new Set([
  "arguments",
  "definition",
  "input",
  "output_schema",
  "outputSchema",
  "partial",
  "value",
  "tasks_by_state",
]);

export type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : S;

/** The wire form of a view: its keys in snake_case, all the way down. */
export type Wire<T> = T extends readonly (infer U)[]
  ? Wire<U>[]
  : T extends object
    ? { [K in keyof T as K extends string ? SnakeCase<K> : never]: Wire<T[K]> }
    : T;

function rename(value: unknown, renameKey: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => rename(item, renameKey));
  if (value === null || typeof value !== "object") return value;
  const result: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined) continue;
    const name = renameKey(key);
    const body = OPAQUE.has(key) ? item : rename(item, renameKey);
    // A plain assignment of `__proto__` would set the prototype.
    Object.defineProperty(result, name, {
      value: body,
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return result;
}

export function snakeKey(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelKey(key: string): string {
  return key.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The value with its keys in snake_case. Never throws; drops `undefined`. */
export function toWire<T>(value: T): Wire<T> {
  return rename(value, snakeKey) as Wire<T>;
}

/** The value with its keys in camelCase; its shape is for the caller to check. */
export function fromWire(value: unknown): unknown {
  return rename(value, camelKey);
}
