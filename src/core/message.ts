// A message: one entry of a transcript. Typed parts, so that a body can become a reference later (design.md §10.5).

/** A call that a model asked for. `arguments` is the decoded JSON value, whatever its shape. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: unknown;
  /** Set when the model's arguments were no JSON: the text as it came, cut to 2,000 characters. */
  readonly malformed?: string;
}

export type MessagePart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly call: ToolCall }
  | {
      readonly type: "tool_result";
      readonly callId: string;
      readonly name: string;
      readonly text: string;
      readonly isError: boolean;
    };

export type MessageRole = "system" | "user" | "assistant" | "tool";

/** Where a message came from, so that a reader can tell a person from a steer from a completion. */
export type MessageOrigin =
  | "goal"
  | "person"
  | "steer"
  | "completion"
  | "question"
  | "model"
  | "tool"
  | "correction"
  | "summary";

export interface Message {
  readonly role: MessageRole;
  readonly origin: MessageOrigin;
  readonly parts: readonly MessagePart[];
  /** The model was interrupted here: what it had written, and no answer. */
  readonly interrupted?: true;
}

/** A stored message: `index` is gapless per task from 1; `seq` is the task sequence of the commit that wrote it. */
export interface TranscriptRow {
  readonly taskId: string;
  readonly index: number;
  readonly seq: number;
  readonly run: number;
  readonly turn: number;
  readonly time: number;
  readonly message: Message;
}

/** A message of one text part. */
export function textMessage(role: MessageRole, origin: MessageOrigin, text: string): Message {
  return { role, origin, parts: [{ type: "text", text }] };
}

/** The text parts of a message, joined. */
export function textOf(message: Message): string {
  let text = "";
  for (const part of message.parts) if (part.type === "text") text += part.text;
  return text;
}

/** The tool calls of a message, in order. */
export function callsOf(message: Message): readonly ToolCall[] {
  return message.parts.flatMap((part) => (part.type === "tool_call" ? [part.call] : []));
}
