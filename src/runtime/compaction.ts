// Keeps a transcript within a local model's context: decides when it must shrink, and what the digest that replaces
// its middle says. Nothing is cut silently: the host records `transcript.compacted`, and the rows stay readable.
// The digest is made by rule, not by a model: it costs no generation and cannot invent.

import { COMPACT_AT } from "../core/limits.ts";
import { callsOf, textMessage, textOf, type Message, type TranscriptRow } from "../core/message.ts";

/**
 * Characters of English text and JSON in one token, on the cautious side: 3.5 is below the 4 that model makers name
 * for English, because JSON and code make more tokens of the same length.
 */
const CHARS_PER_TOKEN = 3.5;
/** The share of the context that the newest rows may keep after a compaction. */
const KEEP_SHARE = 0.4;
/** Characters of each dropped message that the digest quotes. */
const QUOTE_CHARS = 160;
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
  const keepFrom = firstKept(rows, Math.floor(contextTokens * KEEP_SHARE));
  // Results that no turn has read yet are worth more than the usual share, if an answer fits beside them.
  const unread = keepFrom === rows.length ? compactTo(input, lastTurn(rows), beforeTokens) : null;
  if (unread && unread.afterTokens + answerRoom <= contextTokens) return unread;
  return compactTo(input, keepFrom, beforeTokens);
}

/** The compaction that keeps the rows from `keepFrom` on; `null` when it would not shrink anything. */
function compactTo(input: CompactionInput, keepFrom: number, beforeTokens: number): Compaction | null {
  const { rows, fixedTokens } = input;
  const dropped = rows.slice(0, keepFrom);
  const last = dropped.at(-1);
  if (!last || dropped.length < 2) return null;
  const goal = dropped.findLast((row) => row.message.origin === "goal");
  const replacement = [
    ...(goal ? [goal.message] : []),
    textMessage("user", "summary", digest(dropped.filter((row) => row !== goal))),
  ];
  const kept = rows.slice(keepFrom).map((row) => row.message);
  const afterTokens = fixedTokens + estimateTokens([...replacement, ...kept]);
  if (afterTokens >= beforeTokens) return null;
  return { dropTo: last.index, droppedRows: dropped.length, replacement, beforeTokens, afterTokens };
}

/** Index of the row that the results at the end belong to. */
function lastTurn(rows: readonly TranscriptRow[]): number {
  return Math.max(
    0,
    rows.findLastIndex((row) => row.message.role !== "tool"),
  );
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
