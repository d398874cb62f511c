// Reading a chat: pairs calls with their results and finds what is new since the model last spoke.
// Pure; never throws. A result that is no JSON is kept as text.

import { parsePartial } from "./partial-json.ts";
import type { PolicyMessage, PolicyRequest } from "../policy.ts";

/** A call and what came back for it. */
export interface Exchange {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** The result as JSON; the text itself where it is none. */
  readonly value: unknown;
  readonly failed: boolean;
}

/** Whether a JSON value is an object with keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The first of these keys that holds a text which is not empty; `null` when none does. */
export function textAt(value: unknown, ...keys: readonly string[]): string | null {
  if (!isRecord(value)) return null;
  for (const key of keys) {
    const found = value[key];
    if (typeof found === "string" && found !== "") return found;
  }
  return null;
}

/** The first of these keys that holds a number; `null` when none does. */
export function numberAt(value: unknown, ...keys: readonly string[]): number | null {
  if (!isRecord(value)) return null;
  for (const key of keys) {
    const found = value[key];
    if (typeof found === "number") return found;
  }
  return null;
}

/** The value itself if it is a list, else the first of these keys that holds one; `null` when none does. */
export function listAt(value: unknown, ...keys: readonly string[]): readonly unknown[] | null {
  if (Array.isArray(value)) return value;
  if (!isRecord(value)) return null;
  for (const key of keys) {
    const found = value[key];
    if (Array.isArray(found)) return found;
  }
  return null;
}

function parsed(text: string): unknown {
  const first = text.trimStart()[0];
  return first === "{" || first === "[" ? (parsePartial(text) ?? text) : text;
}

/**
 * A refusal is a record with an error, or a sentence that says what was expected. Neither protocol marks errors, so a
 * model has to tell them by their words.
 */
function exchange(call: PolicyMessage["calls"][number], text: string): Exchange {
  const value = parsed(text);
  const failed = isRecord(value) ? "error" in value : /^\s*(error|expected|refused)\b/i.test(text);
  return { name: call.name, arguments: call.arguments, text, value, failed };
}

/** All answered calls of these messages, in the order of their results. */
export function exchangesOf(messages: readonly PolicyMessage[]): readonly Exchange[] {
  const found: Exchange[] = [];
  let open: PolicyMessage["calls"][number][] = [];
  for (const message of messages) {
    if (message.role === "assistant" && message.calls.length > 0) open = [...message.calls];
    if (message.role !== "tool") continue;
    const byId = open.findIndex((call) => call.id !== null && call.id === message.callId);
    const byName = open.findIndex((call) => call.name === message.toolName);
    const index = byId >= 0 ? byId : Math.max(byName, 0);
    const [call] = open.splice(index, 1);
    if (call) found.push(exchange(call, message.content));
  }
  return found;
}

/** The messages since the last answer that asked for nothing: the piece of work that is under way. */
export function underWay(request: PolicyRequest): readonly PolicyMessage[] {
  const last = request.messages.findLastIndex(
    (message) => message.role === "assistant" && message.calls.length === 0,
  );
  return request.messages.slice(last + 1).filter((message) => message.role !== "system");
}

/** User texts that came after the model last spoke. */
export function freshTexts(request: PolicyRequest): readonly string[] {
  const last = request.messages.findLastIndex((message) => message.role === "assistant");
  return userTexts(request.messages.slice(last + 1));
}

/** What users, or the runtime in their role, said; in order. */
export function userTexts(messages: readonly PolicyMessage[]): readonly string[] {
  return messages.filter((message) => message.role === "user").map((message) => message.content.trim());
}

/** One line, at most `chars` long. */
export function oneLine(text: string, chars: number): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > chars ? `${line.slice(0, chars - 1).trimEnd()}…` : line;
}
