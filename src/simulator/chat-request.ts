// What both protocols check before a request may queue: the body, the model, and what the model can do. The texts are
// Ollama's own, since clients match them; the classes are ours, so that each app maps them to its own error body.

import { InvalidRequestError, NotFoundError, TroupeError } from "../base/errors.ts";
import type { SimulatedBox } from "./box.ts";
import { taggedName, type SimulatedModel } from "./config.ts";
import type { PolicyTool } from "./policy.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a JSON value is an object with keys: no list and not null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads the body. Throws InvalidRequestError for one that is missing, no JSON, or no object. */
export function bodyOf(text: string): JsonObject {
  if (text.trim() === "") throw new InvalidRequestError("missing_body", "missing request body");
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new InvalidRequestError("invalid_json", `invalid JSON in the request body: ${String(error)}`);
  }
  if (!isObject(body))
    throw new InvalidRequestError("invalid_json", "expected a JSON object as the request body");
  return body;
}

/** The model that a body names. Throws NotFoundError in Ollama's words. */
export function modelNamed(box: SimulatedBox, name: unknown): SimulatedModel {
  if (typeof name !== "string" || name === "") {
    throw new InvalidRequestError("model_required", "model is required");
  }
  const model = box.model(name);
  if (!model) throw new NotFoundError("model_not_found", `model '${name}' not found`);
  return model;
}

/** Throws InvalidRequestError for tools on a model without them; Ollama names the full registry path here. */
export function requireTools(model: SimulatedModel, tools: readonly PolicyTool[]): void {
  if (tools.length === 0 || model.tools) return;
  const path = `registry.ollama.ai/library/${taggedName(model.name)}`;
  throw new InvalidRequestError("no_tools", `${path} does not support tools`);
}

/** Whether thoughts are wanted: by default where the model can, refused where it cannot. */
export function thinkFor(model: SimulatedModel, asked: unknown, name: string): boolean {
  const wanted = asked === undefined || asked === null ? model.thinking : asked !== false;
  if (wanted && !model.thinking) {
    throw new InvalidRequestError("no_thinking", `"${name}" does not support thinking`);
  }
  return wanted;
}

/** The offered tools. Throws InvalidRequestError for what is no list of named functions. */
export function toolsOf(value: unknown): readonly PolicyTool[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new InvalidRequestError("invalid_tools", "expected tools to be a list");
  return value.map((tool: unknown) => {
    const definition = isObject(tool) && isObject(tool["function"]) ? tool["function"] : null;
    if (!definition || typeof definition["name"] !== "string") {
      throw new InvalidRequestError("invalid_tools", "expected each tool to have a function with a name");
    }
    return {
      name: definition["name"],
      description: typeof definition["description"] === "string" ? definition["description"] : "",
      parameters: isObject(definition["parameters"]) ? definition["parameters"] : {},
    };
  });
}

/** The raw messages; none when absent. Throws InvalidRequestError for what is no list of objects. */
export function messagesOf(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw new InvalidRequestError("invalid_messages", "expected messages to be a list of objects");
  }
  return value;
}

const STATUSES: Readonly<Partial<Record<TroupeError["kind"], number>>> = {
  invalid_request: 400,
  not_found: 404,
  limit: 503,
  // What Ollama answers to a client that has gone; nobody reads it.
  cancelled: 499,
};

/** The HTTP status of anything thrown: from its class, 500 for what is no error of ours. Never throws. */
export function statusOf(error: unknown): number {
  return (error instanceof TroupeError ? STATUSES[error.kind] : undefined) ?? 500;
}
