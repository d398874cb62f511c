// How events' data and messages are written in rows: in as few bytes as say the same. Pure.
//
// X1. What is read back has the same keys in the same order as what was written, or it is written in full.
// X2. A form is never given another meaning: files of all versions hold it. A type whose keys have changed is written in
//     full, and its keys stay here for the rows that were written before.
//
// Data: nothing for `{}`, an array of the values when the keys are those of the type, `@7` for the text of transcript
// row 7, `@7.0` for its first call, else the object. Messages: two digits, for role and origin, and the plain text
// when they are one part of text, an array of the values when their keys are the known ones, else the object. The first
// character tells them apart.

import type { NewEvent } from "../core/event.ts";
import { callsOf, textOf } from "../core/message.ts";
import type { Message, MessageOrigin, MessagePart, MessageRole, ToolCall } from "../core/message.ts";
import { Words } from "./sqlite-words.ts";

type Data = NewEvent["data"];

const KEYS: Readonly<Record<string, readonly string[]>> = {
  "task.spawned": ["goal", "agent", "model", "depth"],
  "task.admitted": ["waitedMs"],
  "task.resumed": ["policy", "was", "resumes"],
  "task.done": ["resultChars", "truncated"],
  "task.failed": ["code", "message"],
  "task.cancelled": ["reason", "resultKept"],
  "task.progressed": ["percent", "note", "partial"],
  "turn.started": ["messages"],
  "turn.finished": ["reason", "toolCalls", "promptTokens", "outputTokens"],
  "lease.requested": ["backend", "class"],
  "lease.granted": ["leaseId", "backend", "waitedMs"],
  "lease.released": ["leaseId", "heldMs"],
  "tool.requested": ["callId", "tool", "input"],
  "tool.finished": ["callId", "tool", "isError", "chars", "ms"],
  "tool.resumed": ["callId", "tool", "cause"],
  "tool.suspended": ["callId", "tool", "waitsFor", "taskIds"],
  "steer.queued": ["steerId", "interrupt"],
  "steer.delivered": ["steerId"],
  "message.received": ["messageId"],
  "answer.finished": ["text"],
  "child.completed": ["childId", "state"],
};

/** A transcript row that an event may point at. */
export interface Pointed {
  readonly index: number;
  readonly message: Message;
}

/** Shorter texts and inputs are written as they are: a pointer costs a read. */
export const POINTED_CHARS = 200;

/** The data of an event as it is written; `rows` are transcript rows of its task that it may repeat. */
export function dataText(event: NewEvent, rows: readonly Pointed[] = []): string | null {
  const names = Object.keys(event.data);
  if (names.length === 0) return null;
  const pointer = rows.length === 0 ? null : pointerOf(event, rows);
  if (pointer !== null) return pointer;
  const values = Object.values(event.data) as readonly unknown[];
  const keys = KEYS[event.type];
  // `undefined` is no value of an array (X1).
  const fits = keys !== undefined && keys.length === names.length && !values.includes(undefined);
  return JSON.stringify(fits && keys.every((key, at) => names[at] === key) ? values : event.data);
}

/** Whether an event has something so long that a pointer would be worth looking for. */
export function mayPoint(event: NewEvent): boolean {
  if (event.type === "answer.finished") return event.data.text.length >= POINTED_CHARS;
  return event.type === "tool.requested" && (JSON.stringify(event.data.input) ?? "").length >= POINTED_CHARS;
}

function pointerOf(event: NewEvent, rows: readonly Pointed[]): string | null {
  if (!mayPoint(event)) return null;
  if (event.type === "answer.finished") {
    const row = rows.find(({ message }) => textOf(message) === event.data.text);
    return row === undefined || Object.keys(event.data).length > 1 ? null : `@${row.index}`;
  }
  if (event.type !== "tool.requested") return null;
  const wanted = JSON.stringify(event.data);
  const { callId } = event.data;
  for (const { index, message } of rows) {
    const calls = callsOf(message);
    // By their ids first: to write every call of an answer for each of them would take its square.
    const at = calls.findIndex((call) => call.id === callId && JSON.stringify(callData(call)) === wanted);
    if (at >= 0) return `@${index}.${at}`;
  }
  return null;
}

function callData(call: ToolCall | undefined): Data {
  return { callId: call?.id ?? "", tool: call?.name ?? "", input: call?.arguments };
}

/** The data again; `rowAt` reads a transcript row of the event's task. Throws what it throws. */
export function dataOf(type: string, text: string | null, rowAt: (index: number) => Message): Data {
  if (text === null) return {};
  if (text.startsWith("{")) return JSON.parse(text) as Data;
  if (text.startsWith("[")) {
    const values = JSON.parse(text) as readonly unknown[];
    return Object.fromEntries((KEYS[type] ?? []).map((key, at) => [key, values[at]])) as unknown as Data;
  }
  const [index = "", place] = text.slice(1).split(".");
  const message = rowAt(Number(index));
  return place === undefined ? { text: textOf(message) } : callData(callsOf(message)[Number(place)]);
}

const ROLES = new Words<MessageRole>(["system", "user", "assistant", "tool"]);
const ORIGINS = new Words<MessageOrigin>([
  "goal",
  "person",
  "steer",
  "completion",
  "model",
  "tool",
  "correction",
  "summary",
  "question",
]);

/** A message as it is written. */
export function messageText(message: Message): string {
  const role = ROLES.toStored(message.role);
  const origin = ORIGINS.toStored(message.origin);
  const known = typeof role === "number" && typeof origin === "number";
  if (!known || !hasKeys(message, "role,origin,parts")) return JSON.stringify(message);
  const parts = message.parts.map(partValue);
  const [text] = parts;
  // JSON alone carries half of a surrogate pair, and a NUL on every runtime.
  if (parts.length === 1 && typeof text === "string" && text.isWellFormed() && !text.includes("\0")) {
    return `${role}${origin}${text}`;
  }
  return JSON.stringify(parts.includes(null) ? message : [role, origin, ...parts]);
}

const hasKeys = (value: object, keys: string): boolean => Object.keys(value).join() === keys;

type PartValue = string | readonly unknown[];

const THINKING = 0;
const CALL = 1;
const RESULT = 2;

/** A part in short, or `null` when its keys are not those that its kind had when the form was made (X1). */
function partValue(part: MessagePart): PartValue | null {
  switch (part.type) {
    case "text":
      return hasKeys(part, "type,text") ? part.text : null;
    case "thinking":
      return hasKeys(part, "type,text") ? [THINKING, part.text] : null;
    case "tool_call": {
      const { id, name, arguments: input } = part.call;
      const fits =
        hasKeys(part, "type,call") && hasKeys(part.call, "id,name,arguments") && input !== undefined;
      return fits ? [CALL, id, name, input] : null;
    }
    case "tool_result": {
      const { callId, name, text, isError } = part;
      return hasKeys(part, "type,callId,name,text,isError") ? [RESULT, callId, name, text, isError] : null;
    }
    default:
      return null;
  }
}

function partOf(value: PartValue): MessagePart {
  if (typeof value === "string") return { type: "text", text: value };
  const [kind, first, name, third, isError] = value as readonly [number, string, string, unknown, boolean];
  if (kind === THINKING) return { type: "thinking", text: first };
  if (kind === CALL) return { type: "tool_call", call: { id: first, name, arguments: third } };
  return { type: "tool_result", callId: first, name, text: third as string, isError };
}

/** The message again. */
export function messageOf(text: string): Message {
  if (text.startsWith("{")) return JSON.parse(text) as Message;
  const short = text.startsWith("[");
  const [role, origin, ...parts] = (
    short ? JSON.parse(text) : [Number(text[0]), Number(text[1]), text.slice(2)]
  ) as readonly [number, number, ...PartValue[]];
  return { role: ROLES.fromStored(role), origin: ORIGINS.fromStored(origin), parts: parts.map(partOf) };
}
