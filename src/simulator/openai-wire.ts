// The OpenAI form of the same chats, as Ollama's `/v1` speaks it: no `num_ctx`, no `keep_alive`, errors with a type.
// Pure.

import { InvalidRequestError } from "../base/errors.ts";
import type { SimulatedBox } from "./box.ts";
import {
  isObject,
  messagesOf,
  modelNamed,
  requireTools,
  thinkFor,
  toolsOf,
  type JsonObject,
} from "./chat-request.ts";
import type { GenerationChunk, GenerationRequest } from "./generation.ts";
import type { PolicyMessage } from "./policy.ts";
import type { Figures } from "./seat.ts";

function contentOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (!Array.isArray(value)) return "";
  return value
    .map((part: unknown) => (isObject(part) && typeof part["text"] === "string" ? part["text"] : ""))
    .join("");
}

function argumentsOf(text: unknown): JsonObject {
  try {
    const value: unknown = JSON.parse(String(text));
    return isObject(value) ? value : {};
  } catch {
    throw new InvalidRequestError("invalid_arguments", "invalid tool call arguments: expected a JSON object");
  }
}

function callOf(raw: unknown): PolicyMessage["calls"][number] {
  const named = isObject(raw) && isObject(raw["function"]) ? raw["function"] : null;
  if (!isObject(raw) || !named || typeof named["name"] !== "string") {
    throw new InvalidRequestError("invalid_call", "expected each tool call to have a function with a name");
  }
  const id = typeof raw["id"] === "string" ? raw["id"] : null;
  return { id, name: named["name"], arguments: argumentsOf(named["arguments"]) };
}

function messageOf(raw: JsonObject): PolicyMessage {
  const role = raw["role"] === "developer" ? "system" : raw["role"];
  if (role !== "system" && role !== "user" && role !== "assistant" && role !== "tool") {
    throw new InvalidRequestError("invalid_role", `invalid role: ${String(role)}`);
  }
  return {
    role,
    content: contentOf(raw["content"]),
    calls: Array.isArray(raw["tool_calls"]) ? raw["tool_calls"].map(callOf) : [],
    callId: typeof raw["tool_call_id"] === "string" ? raw["tool_call_id"] : null,
    toolName: typeof raw["name"] === "string" ? raw["name"] : null,
  };
}

function formatOf(value: unknown): unknown {
  if (!isObject(value)) return null;
  if (value["type"] === "json_object") return "json";
  const named = value["json_schema"];
  return value["type"] === "json_schema" && isObject(named) ? (named["schema"] ?? "json") : null;
}

/** Throws InvalidRequestError or NotFoundError. */
export function generationFrom(body: JsonObject, box: SimulatedBox, signal: AbortSignal): GenerationRequest {
  const model = modelNamed(box, body["model"]);
  const tools = toolsOf(body["tools"]);
  requireTools(model, tools);
  const messages = messagesOf(body["messages"]).map(messageOf);
  if (messages.length === 0) {
    throw new InvalidRequestError("no_messages", "[] is too short - 'messages'");
  }
  const limit = body["max_completion_tokens"] ?? body["max_tokens"];
  const effort = body["reasoning_effort"];
  return {
    model,
    tools,
    messages,
    contextTokens: null,
    truncates: true,
    shifts: true,
    keepAliveMs: null,
    maxTokens: typeof limit === "number" && limit > 0 ? Math.floor(limit) : null,
    format: formatOf(body["response_format"]),
    think: thinkFor(model, effort === "none" ? false : effort, String(body["model"])),
    signal,
  };
}

/** Token counts; the protocol has no durations. */
export function usageBody(figures: Figures): JsonObject {
  return {
    prompt_tokens: figures.promptTokens,
    completion_tokens: figures.outputTokens,
    total_tokens: figures.promptTokens + figures.outputTokens,
  };
}

/** What every chunk of one answer repeats. */
export interface CompletionFrame {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: string;
}

function frameBody(frame: CompletionFrame, object: string): JsonObject {
  return {
    id: frame.id,
    object,
    created: frame.created,
    model: frame.model,
    system_fingerprint: "fp_troupe_simulator",
  };
}

function deltaOf(chunk: GenerationChunk, newId: () => string): JsonObject {
  if (chunk.type === "thinking") return { role: "assistant", content: "", reasoning: chunk.text };
  if (chunk.type === "text") return { role: "assistant", content: chunk.text };
  if (chunk.type === "done") return { role: "assistant", content: "" };
  const { name, arguments: input } = chunk.call;
  const call = {
    index: chunk.index,
    id: newId(),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  };
  return { role: "assistant", content: "", tool_calls: [call] };
}

/** Writes the chunks of one answer; remembers whether tools were called, for the reason at the end. */
export class CompletionWriter {
  readonly #frame: CompletionFrame;
  readonly #newId: () => string;
  #called = false;

  constructor(frame: CompletionFrame, newId: () => string) {
    this.#frame = frame;
    this.#newId = newId;
  }

  delta(chunk: GenerationChunk): JsonObject {
    this.#called ||= chunk.type === "call";
    const reason = chunk.type === "done" ? this.#reason(chunk.reason) : null;
    const choice = { index: 0, delta: deltaOf(chunk, this.#newId), finish_reason: reason };
    return { ...frameBody(this.#frame, "chat.completion.chunk"), choices: [choice] };
  }

  /** The last chunk of a stream that asked for it. */
  usage(figures: Figures): JsonObject {
    return { ...frameBody(this.#frame, "chat.completion.chunk"), choices: [], usage: usageBody(figures) };
  }

  whole(chunks: readonly GenerationChunk[]): JsonObject {
    const text = (type: "text" | "thinking"): string =>
      chunks.map((chunk) => (chunk.type === type ? chunk.text : "")).join("");
    const calls = chunks.flatMap((chunk) =>
      chunk.type === "call" ? [deltaOf(chunk, this.#newId)["tool_calls"]] : [],
    );
    const done = chunks.find((chunk) => chunk.type === "done");
    this.#called = calls.length > 0;
    const message = {
      role: "assistant",
      content: text("text"),
      ...(text("thinking") === "" ? {} : { reasoning: text("thinking") }),
      ...(calls.length > 0 ? { tool_calls: calls.flat() } : {}),
    };
    const choice = { index: 0, message, finish_reason: this.#reason(done?.reason ?? "stop") };
    const usage = done ? { usage: usageBody(done.figures) } : {};
    return { ...frameBody(this.#frame, "chat.completion"), choices: [choice], ...usage };
  }

  #reason(reason: "stop" | "length"): string {
    return this.#called && reason === "stop" ? "tool_calls" : reason;
  }
}

/** Ollama's types: 503 is an `api_error` like any other. */
export function errorBody(message: string, status: number): JsonObject {
  const types: Readonly<Record<number, string>> = { 400: "invalid_request_error", 404: "not_found_error" };
  return { error: { message, type: types[status] ?? "api_error", param: null, code: null } };
}
