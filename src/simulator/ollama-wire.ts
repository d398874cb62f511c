// Ollama's native JSON: requests read into generations, chunks and models written out. Durations are nanoseconds,
// as Ollama counts them. Pure.

import { InvalidRequestError } from "../base/errors.ts";
import { seededRandom, toHex } from "../base/ids.ts";
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
import { taggedName, type SimulatedModel } from "./config.ts";
import type { GenerationChunk, GenerationRequest } from "./generation.ts";
import type { PolicyMessage } from "./policy.ts";
import type { LoadedRunner } from "./residents.ts";
import type { Figures } from "./seat.ts";

const NS_PER_MS = 1_000_000;

/** A duration as `keep_alive` takes it: seconds as a number, or Go's form ("5m", "1h30m", "-1s"). */
export function keepAliveMs(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "number") return value < 0 ? -1 : value * 1_000;
  const text = typeof value === "string" ? value.trim() : JSON.stringify(value);
  if (/^-?\d+(\.\d+)?$/.test(text)) return keepAliveMs(Number(text));
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
  if (!/^-?(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/.test(text)) {
    throw new InvalidRequestError("invalid_duration", `time: invalid duration "${text}"`);
  }
  if (text.startsWith("-")) return -1;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit ?? ""] ?? 0), 0);
}

function callOf(raw: unknown): PolicyMessage["calls"][number] | null {
  const named = isObject(raw) && isObject(raw["function"]) ? raw["function"] : null;
  if (!isObject(raw) || !named || typeof named["name"] !== "string") return null;
  const id = typeof raw["id"] === "string" ? raw["id"] : null;
  return { id, name: named["name"], arguments: isObject(named["arguments"]) ? named["arguments"] : {} };
}

function messageOf(raw: JsonObject): PolicyMessage {
  const role = raw["role"];
  if (role !== "system" && role !== "user" && role !== "assistant" && role !== "tool") {
    throw new InvalidRequestError("invalid_role", `invalid role: ${String(role)}`);
  }
  const calls = Array.isArray(raw["tool_calls"]) ? raw["tool_calls"].map(callOf) : [];
  return {
    role,
    content: typeof raw["content"] === "string" ? raw["content"] : "",
    calls: calls.filter((call) => call !== null),
    callId: typeof raw["tool_call_id"] === "string" ? raw["tool_call_id"] : null,
    toolName: typeof raw["tool_name"] === "string" ? raw["tool_name"] : null,
  };
}

function positive(value: unknown): number | null {
  return typeof value === "number" && value > 0 ? Math.floor(value) : null;
}

/** Throws InvalidRequestError or NotFoundError with Ollama's texts. */
export function generationFrom(body: JsonObject, box: SimulatedBox, signal: AbortSignal): GenerationRequest {
  const model = modelNamed(box, body["model"]);
  const options = isObject(body["options"]) ? body["options"] : {};
  const tools = toolsOf(body["tools"]);
  requireTools(model, tools);
  return {
    model,
    tools,
    messages: messagesOf(body["messages"]).map(messageOf),
    contextTokens: positive(options["num_ctx"]),
    runnerOptions: body["shift"] === false ? { ...options, shift: false } : options,
    keepAliveMs: keepAliveMs(body["keep_alive"]),
    maxTokens: positive(options["num_predict"]),
    truncates: body["truncate"] !== false,
    shifts: body["shift"] !== false,
    format: body["format"] === undefined || body["format"] === "" ? null : body["format"],
    think: thinkFor(model, body["think"], String(body["model"])),
    signal,
  };
}

/** Whose answer, and when: what every chunk repeats. */
export interface ChunkFrame {
  readonly model: string;
  readonly createdAt: string;
}

/** The figures as the last chunk has them, in whole nanoseconds. */
export function figuresNs(figures: Figures): JsonObject {
  const ns = (ms: number): number => Math.round(ms * NS_PER_MS);
  return {
    total_duration: ns(figures.totalMs),
    load_duration: ns(figures.loadMs),
    prompt_eval_count: figures.promptTokens,
    prompt_eval_duration: ns(figures.promptMs),
    eval_count: figures.outputTokens,
    eval_duration: ns(figures.outputMs),
  };
}

/** A message of one chunk; `newId` makes the ids of tool calls. */
function messageFor(chunk: GenerationChunk, newId: () => string): JsonObject {
  if (chunk.type === "thinking") return { role: "assistant", content: "", thinking: chunk.text };
  if (chunk.type === "text") return { role: "assistant", content: chunk.text };
  if (chunk.type === "done") return { role: "assistant", content: "" };
  const { name, arguments: input } = chunk.call;
  const call = { id: newId(), function: { index: chunk.index, name, arguments: input } };
  return { role: "assistant", content: "", tool_calls: [call] };
}

/** One line of a native answer; `newId` makes the ids of tool calls. Never throws. */
export function chunkBody(chunk: GenerationChunk, frame: ChunkFrame, newId: () => string): JsonObject {
  const body = { model: frame.model, created_at: frame.createdAt, message: messageFor(chunk, newId) };
  if (chunk.type !== "done") return { ...body, done: false };
  return { ...body, done: true, done_reason: chunk.reason, ...figuresNs(chunk.figures) };
}

/** One body for all chunks, as `stream: false` has it. */
export function wholeBody(bodies: readonly JsonObject[]): JsonObject {
  const messages = bodies.map((body) => (isObject(body["message"]) ? body["message"] : {}));
  const joined = (key: string): string =>
    messages.map((message) => (typeof message[key] === "string" ? message[key] : "")).join("");
  const calls = messages.flatMap((message) =>
    Array.isArray(message["tool_calls"]) ? message["tool_calls"] : [],
  );
  const thinking = joined("thinking");
  const message = {
    role: "assistant",
    content: joined("content"),
    ...(thinking === "" ? {} : { thinking }),
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
  return { ...bodies.at(-1), message };
}

/** What a model can do, in Ollama's words. */
export function capabilities(model: SimulatedModel): readonly string[] {
  return ["completion", ...(model.tools ? ["tools"] : []), ...(model.thinking ? ["thinking"] : [])];
}

/** Not a hash of any weights: there are none. Stable for a name. */
function digest(model: SimulatedModel): string {
  let seed = 7;
  for (const char of model.name) seed = (seed * 31 + (char.codePointAt(0) ?? 0)) >>> 0;
  return toHex(seededRandom(seed).bytes(32));
}

/** Where a reader sees that there is no model behind the name. */
export function details(model: SimulatedModel): JsonObject {
  return {
    parent_model: "",
    format: "rules",
    family: model.family ?? "simulated",
    families: [model.family ?? "simulated"],
    parameter_size: model.parameters,
    quantization_level: "none",
  };
}

/** A model as `/api/tags` lists it. */
export function listedModel(model: SimulatedModel): JsonObject {
  const name = taggedName(model.name);
  return { name, model: name, size: model.sizeBytes, digest: digest(model), details: details(model) };
}

/** A model as `/api/ps` lists it: no queue, no slots, no GPU, as with Ollama. */
export function loadedModel({ runner, expiresAt }: LoadedRunner): JsonObject {
  return {
    ...listedModel(runner.model),
    size: runner.bytes,
    size_vram: runner.vramBytes,
    expires_at: new Date(expiresAt).toISOString(),
    context_length: runner.contextTokens,
  };
}

/** A model as `/api/show` describes it. */
export function shownModel(model: SimulatedModel): JsonObject {
  return {
    license: "MIT",
    modelfile: `# A rule-based policy of Troupe's simulator. Not a language model.\nFROM ${model.name}`,
    parameters: "",
    template: "",
    details: details(model),
    model_info: {
      "general.architecture": "simulated",
      "general.parameter_count": Number.parseFloat(model.parameters) * 1e9,
      "simulated.context_length": model.contextTokens,
    },
    capabilities: capabilities(model),
  };
}
