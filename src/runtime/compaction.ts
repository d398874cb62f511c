// Keeps a transcript within a local model's context: decides when it must shrink, and what the digest that replaces
// its middle says. Nothing is cut silently: the host records `transcript.compacted`, and the rows stay readable.
// The digest is made by rule, not by a model: it costs no generation and cannot invent.

import { COMPACT_AT } from "../core/limits.ts";
import { callsOf, textMessage, textOf, type Message, type TranscriptRow } from "../core/message.ts";
import { cutMiddle } from "./output-ring.ts";

/**
 * Characters of English text and JSON in one token, on the cautious side: 3.5 is below the 4 that model makers name
 * for English, because JSON and code make more tokens of the same length.
 */
const CHARS_PER_TOKEN = 3.5;
/** The share of the context that the newest rows may keep after a compaction. */
const KEEP_SHARE = 0.4;
/** Characters of each dropped message that the digest quotes. */
const QUOTE_CHARS = 160;
/** What stays is cut to no less than this, or nothing of it would be left. */
const MIN_KEPT_TOKENS = 128;
const MIN_PART_CHARS = 120;
/** Each try cuts to this share of the one before. */
const CUT_STEP = 0.8;
/** Lines of the digest. */
const DIGEST_LINES = 40;

/** Tokens that a message takes, estimated from its characters. */
export function estimateTokens(messages: readonly Message[]): number {
  let chars = 0;
  for (const message of messages) {
    chars += 16;
    for (const part of message.parts) {
      if (part.type === "tool_call")
        chars += part.call.name.length + JSON.stringify(part.call.arguments ?? null).length;
      else chars += part.text.length;
    }
  }
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

export interface Compaction {
  /** Rows up to this index leave the conversation. */
  readonly dropTo: number;
  readonly droppedRows: number;
  /** The rows that stay, and questions before them that wait for an answer; cut where even they are too long. */
  readonly kept: readonly Message[];
  /** Stands where they were: the goal again, and the digest. */
  readonly replacement: readonly Message[];
  readonly beforeTokens: number;
  readonly afterTokens: number;
}

export interface CompactionInput {
  readonly rows: readonly TranscriptRow[];
  /** Tokens of the system prompt and the tools, which stay. */
  readonly fixedTokens: number;
  readonly contextTokens: number;
  readonly maxOutputTokens: number;
}

/** What to drop so that the next prompt and its answer fit; `null` while they do, or when nothing more can go. */
export function planCompaction(input: CompactionInput): Compaction | null {
  const { rows, fixedTokens, contextTokens } = input;
  const messages = rows.map((row) => row.message);
  const beforeTokens = fixedTokens + estimateTokens(messages);
  const answerRoom = Math.min(input.maxOutputTokens, Math.floor(contextTokens * (1 - COMPACT_AT)));
  if (beforeTokens + answerRoom <= contextTokens && beforeTokens <= contextTokens * COMPACT_AT) return null;
  const keepFrom = Math.min(firstKept(rows, Math.floor(contextTokens * KEEP_SHARE)), firstUnread(rows));
  const before = keepFrom < 2 ? [] : rows.slice(0, keepFrom);
  const goal = before.findLast((row) => row.message.origin === "goal");
  const open = unanswered(before);
  const told = before.filter((row) => row !== goal && !open.includes(row));
  const dropped = told.length === 0 ? [] : before;
  const replacement =
    dropped.length === 0
      ? []
      : [...(goal ? [goal.message] : []), textMessage("user", "summary", digest(told))];
  const reopened = dropped.length === 0 ? [] : open.map((row) => row.message);
  const stays = [...reopened, ...messages.slice(dropped.length)];
  const room = contextTokens * COMPACT_AT - answerRoom - fixedTokens - estimateTokens(replacement);
  const kept = cutToFit(stays, Math.max(MIN_KEPT_TOKENS, room));
  const afterTokens = fixedTokens + estimateTokens([...replacement, ...kept]);
  if (afterTokens >= beforeTokens) return null;
  const dropTo = dropped.at(-1)?.index ?? 0;
  return { dropTo, droppedRows: dropped.length, kept, replacement, beforeTokens, afterTokens };
}

/** Index in `rows` of the first one that stays: never a tool result whose call would be gone. */
function firstKept(rows: readonly TranscriptRow[], budget: number): number {
  let from = rows.length;
  let tokens = 0;
  while (from > 0) {
    const row = rows[from - 1] as TranscriptRow;
    tokens += estimateTokens([row.message]);
    if (tokens > budget && from < rows.length) break;
    from -= 1;
  }
  while (from < rows.length && (rows[from] as TranscriptRow).message.role === "tool") from += 1;
  return from;
}

/** Index of the first row that the model has not answered yet, the calls that it waits for included. */
function firstUnread(rows: readonly TranscriptRow[]): number {
  const last = rows.findLastIndex((row) => row.message.role === "assistant");
  if (last < 0) return 0;
  return callsOf((rows[last] as TranscriptRow).message).length > 0 ? last : last + 1;
}

/** What people asked since the last answer: however many calls it takes, the model must know what they are for. */
function unanswered(rows: readonly TranscriptRow[]): readonly TranscriptRow[] {
  const answer = rows.findLastIndex(
    ({ message }) => message.role === "assistant" && callsOf(message).length === 0,
  );
  return rows
    .slice(answer + 1)
    .filter(({ message }) => message.origin === "person" || message.origin === "steer");
}

/** The messages, their long parts cut in the middle, until all of them fit or are as short as they may be. */
function cutToFit(messages: readonly Message[], tokens: number): readonly Message[] {
  let chars = Math.floor((tokens * CHARS_PER_TOKEN) / Math.max(1, messages.length));
  let kept = messages;
  while (estimateTokens(kept) > tokens && chars >= MIN_PART_CHARS) {
    kept = messages.map((message) => cutParts(message, chars));
    chars = Math.floor(chars * CUT_STEP);
  }
  return kept;
}

/** Never the goal: a task that has forgotten what it is for had better fail. */
function cutParts(message: Message, chars: number): Message {
  if (message.origin === "goal") return message;
  const parts = message.parts.map((part) =>
    part.type === "tool_call" ? part : { ...part, text: cutMiddle(part.text, chars).text },
  );
  return { ...message, parts };
}

function digest(rows: readonly TranscriptRow[]): string {
  const lines = rows.flatMap((row) => describe(row.message));
  const cut = Math.max(0, lines.length - DIGEST_LINES);
  const head = `[earlier turns, shortened to fit the context: ${rows.length} messages]`;
  return [head, ...(cut > 0 ? [`… ${cut} older lines left out …`] : []), ...lines.slice(cut)].join("\n");
}

function describe(message: Message): string[] {
  const quote = (text: string): string => text.replace(/\s+/g, " ").trim().slice(0, QUOTE_CHARS);
  const lines = callsOf(message).map(
    (call) => `- called ${call.name} ${quote(JSON.stringify(call.arguments ?? {}))}`,
  );
  for (const part of message.parts) {
    if (part.type === "tool_result") lines.push(`- ${part.name} answered: ${quote(part.text)}`);
  }
  const text = quote(textOf(message));
  if (text !== "") lines.push(`- ${message.role === "assistant" ? "you said" : "you were told"}: ${text}`);
  return lines;
}
