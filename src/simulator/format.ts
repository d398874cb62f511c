// `format`: an answer that fits a JSON Schema. Gives one small value that the schema allows, with the answer's text in
// the first string that takes any; knows type, properties, items, enum, const, anyOf, oneOf and the minima.

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function numberAt(schema: Schema, key: string): number | undefined {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
}

const DEEPEST = 12;

class Instance {
  #text: string | null;

  constructor(text: string) {
    this.#text = text;
  }

  of(schema: unknown, depth = 0): unknown {
    if (!isSchema(schema) || depth > DEEPEST) return null;
    if ("const" in schema) return schema["const"];
    if (Array.isArray(schema["enum"])) return schema["enum"][0];
    const choices = schema["anyOf"] ?? schema["oneOf"];
    if (Array.isArray(choices)) return this.of(choices[0], depth + 1);
    const type: unknown = Array.isArray(schema["type"]) ? schema["type"][0] : schema["type"];
    if (type === "array") return this.#array(schema, depth);
    if (type === "string") return this.#string(schema);
    if (type === "integer" || type === "number") return Math.ceil(numberAt(schema, "minimum") ?? 0);
    if (type === "boolean") return false;
    if (type === "null") return null;
    return this.#object(schema, depth);
  }

  #object(schema: Schema, depth: number): Record<string, unknown> {
    const properties = isSchema(schema["properties"]) ? schema["properties"] : {};
    const required = Array.isArray(schema["required"])
      ? schema["required"].filter((key): key is string => typeof key === "string")
      : Object.keys(properties);
    return Object.fromEntries(required.map((key) => [key, this.of(properties[key], depth + 1)]));
  }

  #array(schema: Schema, depth: number): unknown[] {
    const length = Math.min(numberAt(schema, "minItems") ?? 0, 64);
    return Array.from({ length }, () => this.of(schema["items"], depth + 1));
  }

  #string(schema: Schema): string {
    const text = this.#text ?? "";
    this.#text = null;
    const padded = text.padEnd(Math.min(numberAt(schema, "minLength") ?? 0, 4_096), ".");
    return padded.slice(0, numberAt(schema, "maxLength") ?? padded.length);
  }
}

/** The answer as JSON text: `format` is `"json"` or a JSON Schema. Never throws. */
export function formatted(text: string, format: unknown): string {
  if (format === "json") return JSON.stringify({ answer: text });
  return JSON.stringify(new Instance(text).of(format));
}
