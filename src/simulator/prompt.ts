// What a prompt costs and how a text becomes tokens. A token is a word, or twelve characters of a longer one, when it
// is written, and four characters when it is read: near enough for timing, and not any real tokenizer.

import type { PolicyMessage, PolicyRequest } from "./policy.ts";
import type { Prompt, PromptPart } from "./prompt-cache.ts";

const CHARS_PER_TOKEN = 4;
/** What a chat template adds around each message. */
const MESSAGE_OVERHEAD_TOKENS = 4;

/** Tokens of a text that is read. */
export function tokensIn(text: string): number {
  return Math.ceil(text.length / CHARS_PER_TOKEN);
}

/** The calls as a template writes them: without ids, which are the protocol's and not the model's. */
function writtenCalls(message: PolicyMessage): string {
  if (message.calls.length === 0) return "";
  return JSON.stringify(message.calls.map(({ name, arguments: input }) => ({ name, arguments: input })));
}

/** Tokens of one message, its calls among them. */
export function messageTokens(message: PolicyMessage): number {
  return MESSAGE_OVERHEAD_TOKENS + tokensIn(message.content) + tokensIn(writtenCalls(message));
}

/** A message as a stretch of a prompt: the same words and calls are the same stretch. */
export function messagePart(message: PolicyMessage): PromptPart {
  const key = JSON.stringify([message.role, message.content, writtenCalls(message)]);
  return { key, tokens: messageTokens(message) };
}

/** A whole prompt in stretches: the tools' definitions, then message after message. */
export function promptParts(request: PolicyRequest): Prompt {
  const tools = request.tools.length > 0 ? JSON.stringify(request.tools) : "";
  const head = tools === "" ? [] : [{ key: tools, tokens: tokensIn(tools) }];
  return [...head, ...request.messages.map(messagePart)];
}

/** Tokens of a whole prompt: messages and the definitions of the tools. */
export function promptTokens(request: PolicyRequest): number {
  const tools = request.tools.length > 0 ? tokensIn(JSON.stringify(request.tools)) : 0;
  return request.messages.reduce((sum, message) => sum + messageTokens(message), tools);
}

/**
 * Cuts a chat to the context as Ollama does, silently: system messages and the last message stay, and of the others
 * as many of the latest as fit.
 */
export function fitToContext(request: PolicyRequest, contextTokens: number): PolicyRequest {
  let dropped = request;
  while (promptTokens(dropped) > contextTokens) {
    const oldest = dropped.messages.findIndex(
      (message, index) => message.role !== "system" && index < dropped.messages.length - 1,
    );
    if (oldest < 0) return dropped;
    dropped = { ...dropped, messages: dropped.messages.toSpliced(oldest, 1) };
  }
  return dropped;
}

/** The tokens of an answer, in order; joined they are the text. */
export function pieces(text: string): readonly string[] {
  return text.match(/\s*\S{1,12}|\s+$/g) ?? [];
}
