// The words of OpenAI's chat completions, as the many servers that imitate them speak them: our messages as their
// request, their chunks as our events. Pure, and lenient where the imitations differ: an index may be missing,
// the reasoning has two names, and arguments may be no JSON (kept as text, so that the model can be told).

import type { OpenAI } from "openai";
import type { Message, ToolCall } from "../src/core/message.ts";
import { textOf as messageText } from "../src/core/message.ts";
import type { JsonObject } from "./json.ts";
import { countOf, listOf, numberOf, objectOf, textOf } from "./json.ts";
import type { FinishReason, GenerateRequest, GenerationUsage, ModelInfo, ProviderEvent } from "./provider.ts";
import type { CallIds } from "./tool-calls.ts";
import { decodedCall, sentArguments } from "./tool-calls.ts";

type ChatParams = OpenAI.ChatCompletionCreateParamsStreaming;
type ChatMessage = OpenAI.ChatCompletionMessageParam;

/** OpenAI's newer models refuse `max_tokens`; most imitations know nothing else. */
const OPENAI_HOST = "api.openai.com";

/**
 * The body of `/chat/completions`. The context window and `think` are not in it: the protocol has no word for the
 * first and each server another one for the second.
 */
export function chatParams(request: GenerateRequest, baseUrl: string): ChatParams {
  const limit = new URL(baseUrl).hostname === OPENAI_HOST ? "max_completion_tokens" : "max_tokens";
  return {
    model: request.model,
    stream: true,
    stream_options: { include_usage: true },
    messages: request.messages.flatMap(messagesOf),
    [limit]: request.maxOutputTokens,
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(toolOf) }),
    ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(request.outputSchema === undefined
      ? {}
      : {
          response_format: {
            type: "json_schema",
            json_schema: { name: "answer", schema: { ...request.outputSchema } },
          },
        }),
  };
}

function toolOf(tool: GenerateRequest["tools"][number]): OpenAI.ChatCompletionFunctionTool {
  const { name, description, parameters } = tool;
  return { type: "function", function: { name, description, parameters: { ...parameters } } };
}

/** One message of ours; each tool result is a message of its own there, and thinking is not sent back. */
function messagesOf(message: Message): ChatMessage[] {
  const content = messageText(message);
  const results = message.parts.flatMap((part): ChatMessage[] =>
    part.type === "tool_result" ? [{ role: "tool", tool_call_id: part.callId, content: part.text }] : [],
  );
  if (message.role === "tool") return results;
  if (message.role !== "assistant") return [...results, { role: message.role, content }];
  const calls = message.parts.flatMap((part) => (part.type === "tool_call" ? [callOf(part.call)] : []));
  return [{ role: "assistant", content, ...(calls.length === 0 ? {} : { tool_calls: calls }) }];
}

/** Always JSON, since servers decode it again; arguments that were none are shown as what they were. */
function callOf(call: ToolCall): OpenAI.ChatCompletionMessageFunctionToolCall {
  return {
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: JSON.stringify(sentArguments(call)) },
  };
}

interface Draft {
  id: string;
  name: string;
  readonly parts: string[];
}

/** Turns the chunks of one generation into events; tool calls are whole only at the end. */
export class ChatDecoder {
  readonly #ids: CallIds;
  readonly #drafts = new Map<number, Draft>();
  #last = -1;
  #usage: JsonObject = {};
  #argumentChars = 0;
  /** As the server worded it; `null` until it came. */
  finishReason: string | null = null;

  constructor(ids: CallIds) {
    this.#ids = ids;
  }

  /** How much of tool calls is held back, so that a limit can be set on it. */
  get heldChars(): number {
    return this.#argumentChars;
  }

  /** The events of one chunk, without tool calls and the end. */
  events(chunk: unknown): ProviderEvent[] {
    const fields = objectOf(chunk);
    if (fields["usage"]) this.#usage = objectOf(fields["usage"]);
    const choice = objectOf(listOf(fields["choices"])[0]);
    const delta = objectOf(choice["delta"]);
    const events: ProviderEvent[] = [];
    const thinking = textOf(delta["reasoning_content"]) || textOf(delta["reasoning"]);
    if (thinking !== "") events.push({ type: "thinking", text: thinking });
    const text = textOf(delta["content"]) || textOf(delta["refusal"]);
    if (text !== "") events.push({ type: "text", text });
    for (const call of listOf(delta["tool_calls"])) this.#collect(objectOf(call));
    this.finishReason = textOf(choice["finish_reason"]) || this.finishReason;
    return events;
  }

  /** The tool calls, whole, and the end. */
  finish(): ProviderEvent[] {
    const drafts = [...this.#drafts.entries()].sort(([a], [b]) => a - b).map(([, draft]) => draft);
    const calls = drafts.map(({ id, name, parts }): ProviderEvent => {
      return { type: "tool_call", call: decodedCall(this.#ids.take(id), name, parts.join("")) };
    });
    const cut = this.finishReason === "length" || this.finishReason === "max_tokens";
    const reason: FinishReason = cut ? "length" : calls.length > 0 ? "tool_calls" : "stop";
    return [...calls, { type: "finished", reason, usage: usageOf(this.#usage) }];
  }

  #collect(call: JsonObject): void {
    const fn = objectOf(call["function"]);
    const id = textOf(call["id"]);
    const index = numberOf(call["index"]) ?? this.#indexOf(id);
    this.#last = index;
    const draft = this.#drafts.get(index) ?? { id: "", name: "", parts: [] };
    this.#drafts.set(index, draft);
    if (draft.id === "") draft.id = id;
    if (draft.name === "") draft.name = textOf(fn["name"]);
    const given = fn["arguments"];
    const piece = typeof given === "string" || given === undefined ? textOf(given) : JSON.stringify(given);
    draft.parts.push(piece);
    this.#argumentChars += piece.length;
  }

  /** Some servers send whole calls without an index: a new id is a new call. */
  #indexOf(id: string): number {
    const current = this.#drafts.get(this.#last);
    return current === undefined || (id !== "" && id !== current.id) ? this.#last + 1 : this.#last;
  }
}

function usageOf(usage: JsonObject): GenerationUsage {
  const details = objectOf(usage["prompt_tokens_details"]);
  // The second name is DeepSeek's.
  const cached = countOf(details["cached_tokens"] ?? usage["prompt_cache_hit_tokens"]);
  return {
    promptTokens: countOf(usage["prompt_tokens"]),
    ...(cached > 0 && { cachedPromptTokens: cached }),
    outputTokens: countOf(usage["completion_tokens"]),
    loadMs: 0,
    promptMs: 0,
    outputMs: 0,
    totalMs: 0,
  };
}

/** One entry of `/models`. The protocol tells no abilities, so tools are assumed; the config can say otherwise. */
export function listedModel(entry: unknown): ModelInfo {
  const fields = objectOf(entry);
  const name = textOf(fields["id"]);
  const embeddingOnly = /embed/i.test(name);
  return {
    name,
    sizeBytes: null,
    parameters: null,
    contextTokens: numberOf(fields["max_model_len"]) ?? numberOf(fields["context_length"]),
    tools: !embeddingOnly,
    thinking: false,
    embeddingOnly,
  };
}
