// Ollama's words: our messages as its request, its chunks as our events. Pure; the wire itself is in `exchange.ts`.

import type { ChatRequest, Message as OllamaMessage, Tool as OllamaTool } from "ollama/browser";
import { taggedModel, type RunnerOptions } from "../src/core/load-profile.ts";
import type { Message, MessagePart, ToolCall } from "../src/core/message.ts";
import type { JsonObject } from "./json.ts";
import { countOf, isObject, listOf, numberOf, objectOf, textOf } from "./json.ts";
import type {
  FinishReason,
  GenerateRequest,
  GenerationUsage,
  LoadedModelInfo,
  ModelInfo,
  ProviderEvent,
} from "./provider.ts";

/** As much of arguments that are no JSON is kept for the correction turn. */
export const MAX_MALFORMED_CHARS = 2000;
import type { CallIds } from "./tool-calls.ts";
import { decodedCall, sentArguments } from "./tool-calls.ts";

/** Longer than Ollama's 5 minutes, which a child's long tool call outlasts; not for ever, since others use the box. */
const PRELOAD_KEEP_ALIVE = "30m";

const NS_PER_MS = 1_000_000;

/**
 * What keeps a server from forgetting silently: a prompt that does not fit is refused instead of cut, and an answer
 * that fills the context ends by length instead of pushing the oldest turns out. `shift` is one of the options for
 * which Ollama loads a model anew, so that it goes with every request, the preload too.
 */
const FORGET_NOTHING = { truncate: false, shift: false };

/** The only place that writes an option for which Ollama would load a model anew (G15). */
function runnerFields({ contextTokens }: RunnerOptions): { readonly num_ctx?: number } {
  return contextTokens === undefined ? {} : { num_ctx: contextTokens };
}

/** The body of `/api/chat`. */
export function chatRequest(request: GenerateRequest): ChatRequest & { stream: true } {
  return {
    model: request.model,
    stream: true,
    ...FORGET_NOTHING,
    messages: request.messages.flatMap(messagesOf),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map((tool) => toolOf(tool)) }),
    ...(request.outputSchema === undefined ? {} : { format: request.outputSchema }),
    ...(request.think === undefined ? {} : { think: request.think }),
    options: {
      num_predict: request.maxOutputTokens,
      ...runnerFields(request),
      ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
      ...(request.seed === undefined ? {} : { seed: request.seed }),
    },
  };
}

/** The body that loads a model and generates nothing. */
export function preloadRequest(model: string, runner: RunnerOptions = {}): ChatRequest & { stream: false } {
  return {
    model,
    stream: false,
    ...FORGET_NOTHING,
    messages: [],
    keep_alive: PRELOAD_KEEP_ALIVE,
    ...(runner.contextTokens === undefined ? {} : { options: runnerFields(runner) }),
  };
}

/** The body that lets a model go once nobody uses it. It names no option, since it loads nothing. */
export function unloadRequest(model: string): ChatRequest & { stream: false } {
  return { model, stream: false, messages: [], keep_alive: 0 };
}

function toolOf(tool: GenerateRequest["tools"][number]): OllamaTool {
  const { name, description, parameters } = tool;
  return {
    type: "function",
    function: { name, description, parameters: parameters as Record<string, unknown> },
  };
}

/** One message of ours; each tool result is a message of its own there. */
function messagesOf(message: Message): OllamaMessage[] {
  const results: OllamaMessage[] = [];
  const calls: ToolCall[] = [];
  let content = "";
  let thinking = "";
  for (const part of message.parts) {
    if (part.type === "text") content += part.text;
    else if (part.type === "thinking") thinking += part.text;
    else if (part.type === "tool_call") calls.push(part.call);
    else results.push(resultOf(part));
  }
  if (results.length > 0 && content === "") return results;
  const own: OllamaMessage = { role: message.role, content };
  if (thinking !== "") own.thinking = thinking;
  if (calls.length > 0) own.tool_calls = calls.map(callOf);
  return [...results, own];
}

function resultOf(part: Extract<MessagePart, { type: "tool_result" }>): OllamaMessage {
  const message = { role: "tool", content: part.text, tool_name: part.name, tool_call_id: part.callId };
  return message;
}

/** Ollama takes an object only; arguments that were none are shown to the model as what they were. */
function callOf(call: ToolCall): NonNullable<OllamaMessage["tool_calls"]>[number] {
  const sent = sentArguments(call);
  const args = isObject(sent) ? sent : { malformed_arguments: sent };
  const wire = { id: call.id, function: { name: call.name, arguments: args as Record<string, unknown> } };
  return wire;
}

/** Turns the chunks of one generation into events. */
export class OllamaDecoder {
  readonly #ids: CallIds;
  #calls = 0;

  constructor(ids: CallIds) {
    this.#ids = ids;
  }

  /** The events of one chunk, without the end. */
  events(chunk: unknown): ProviderEvent[] {
    const message = objectOf(objectOf(chunk)["message"]);
    const events: ProviderEvent[] = [];
    const thinking = textOf(message["thinking"]);
    if (thinking !== "") events.push({ type: "thinking", text: thinking });
    const text = textOf(message["content"]);
    if (text !== "") events.push({ type: "text", text });
    for (const call of listOf(message["tool_calls"])) {
      this.#calls++;
      events.push({ type: "tool_call", call: this.#call(objectOf(call)) });
    }
    return events;
  }

  /** The end, when this chunk is the last one. */
  finish(chunk: unknown): Extract<ProviderEvent, { type: "finished" }> | undefined {
    const fields = objectOf(chunk);
    if (fields["done"] !== true) return undefined;
    const cut = fields["done_reason"] === "length";
    const reason: FinishReason = cut ? "length" : this.#calls > 0 ? "tool_calls" : "stop";
    return { type: "finished", reason, usage: usageOf(fields) };
  }

  #call(call: JsonObject): ToolCall {
    const fn = objectOf(call["function"]);
    const id = this.#ids.take(textOf(call["id"]));
    const name = textOf(fn["name"]);
    const args = fn["arguments"];
    return typeof args === "string" ? decodedCall(id, name, args) : { id, name, arguments: args ?? {} };
  }
}

function usageOf(fields: JsonObject): GenerationUsage {
  const ms = (key: string): number => countOf(fields[key]) / NS_PER_MS;
  return {
    promptTokens: countOf(fields["prompt_eval_count"]),
    outputTokens: countOf(fields["eval_count"]),
    loadMs: ms("load_duration"),
    promptMs: ms("prompt_eval_duration"),
    outputMs: ms("eval_duration"),
    totalMs: ms("total_duration"),
  };
}

/** One entry of `/api/tags`; older servers tell no capabilities there. */
export function listedModel(entry: unknown): ModelInfo {
  const fields = objectOf(entry);
  const capabilities = listOf(fields["capabilities"]);
  const digest = textOf(fields["digest"]);
  return {
    name: textOf(fields["name"]) || textOf(fields["model"]),
    sizeBytes: numberOf(fields["size"]),
    parameters: textOf(objectOf(fields["details"])["parameter_size"]) || null,
    contextTokens: null,
    ...abilities(capabilities),
    ...(digest !== "" && { digest }),
  };
}

/** One entry of `/api/ps`. */
export function loadedModel(entry: unknown): LoadedModelInfo {
  const fields = objectOf(entry);
  const expiresAt = Date.parse(textOf(fields["expires_at"]));
  return {
    name: textOf(fields["name"]) || textOf(fields["model"]),
    sizeBytes: countOf(fields["size"]),
    vramBytes: countOf(fields["size_vram"]),
    contextTokens: numberOf(fields["context_length"]),
    digest: textOf(fields["digest"]) || null,
    expiresAt: Number.isNaN(expiresAt) ? null : expiresAt,
  };
}

/** The answer of `/api/show`; servers before 0.6.4 tell no capabilities, but their template shows tools. */
export function shownModel(name: string, answer: unknown): ModelInfo {
  const fields = objectOf(answer);
  const info = objectOf(fields["model_info"]);
  const capabilities = Array.isArray(fields["capabilities"])
    ? listOf(fields["capabilities"])
    : textOf(fields["template"]).includes(".Tools")
      ? ["completion", "tools"]
      : ["completion"];
  return {
    name,
    sizeBytes: null,
    parameters: textOf(objectOf(fields["details"])["parameter_size"]) || null,
    contextTokens: numberOf(info[`${textOf(info["general.architecture"])}.context_length`]),
    ...abilities(capabilities),
  };
}

function abilities(
  capabilities: readonly unknown[],
): Pick<ModelInfo, "tools" | "thinking" | "vision" | "embeddingOnly"> {
  return {
    tools: capabilities.includes("tools"),
    thinking: capabilities.includes("thinking"),
    ...(capabilities.includes("vision") && { vision: true }),
    embeddingOnly: capabilities.includes("embedding") && !capabilities.includes("completion"),
  };
}

/** Whether two names mean one model: without a tag, `latest` is meant. */
export function sameModel(a: string, b: string): boolean {
  return taggedModel(a) === taggedModel(b);
}
