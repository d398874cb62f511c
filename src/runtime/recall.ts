// What a host remembers between its turns, read again from the transcript after a restart: which calls are open, what
// was answered last, which turn and run have begun. Reads from the end, and no more than it needs.

import { callsOf, textOf, type ToolCall, type TranscriptRow } from "../core/message.ts";
import type { Store } from "../store/store.ts";
import type { StorePatience } from "./store-patience.ts";

export interface Recalled {
  /** Of the last row; 0 when there is none. */
  readonly begunTurn: number;
  readonly begunRun: number;
  /** Calls of the last answer that have no result. */
  readonly openCalls: readonly ToolCall[];
  /** Those of them whose intent was recorded: they may have acted. */
  readonly intended: ReadonlySet<string>;
  /** The last answer without tool calls. */
  readonly answer: string | null;
  /** The newest rows, oldest first, for whoever looks at the output. */
  readonly newest: readonly TranscriptRow[];
}

const FIRST_PAGE = 32;
const LARGEST_PAGE = 1_024;
/** An answer that lies farther back than so many rows is nobody's result any more. */
const FARTHEST = 512;

export interface RecallOptions {
  readonly store: Store;
  readonly patience: StorePatience;
  readonly taskId: string;
  /** Index of the last transcript row. */
  readonly lastIndex: number;
}

/** Contract: throws what the store throws when it refuses. */
export async function recall(options: RecallOptions): Promise<Recalled> {
  let rows: readonly TranscriptRow[] = [];
  let newest: readonly TranscriptRow[] | null = null;
  let lastAnswer: TranscriptRow | undefined;
  let final: TranscriptRow | undefined;
  let lastWord: TranscriptRow | undefined;
  for (let size = FIRST_PAGE, end = options.lastIndex; end > 0; size = Math.min(size * 4, LARGEST_PAGE)) {
    const after = Math.max(0, end - size);
    const page = await transcript(options, after, end - after);
    newest ??= page;
    if (lastAnswer === undefined) rows = [...page, ...rows];
    lastWord ??= page.findLast(({ message }) => message.role !== "tool");
    lastAnswer ??= page.findLast(isAnswer);
    final ??= page.findLast((row) => isAnswer(row) && callsOf(row.message).length === 0);
    const isFarBack = options.lastIndex - after >= FARTHEST && lastAnswer !== undefined;
    if (final !== undefined || isFarBack) break;
    end = after;
  }
  const last = newest?.at(-1);
  // What a run that failed had asked for is not part of the next one's conversation.
  const asked = lastAnswer !== undefined && lastAnswer.run === last?.run ? lastAnswer : null;
  const openCalls = asked === null ? [] : openAfter(asked, rows);
  return {
    begunTurn: last?.turn ?? 0,
    // The results of a run that they ended are written when the next one is due, and bear its number.
    begunRun: lastWord?.run ?? 0,
    openCalls,
    intended: asked === null || openCalls.length === 0 ? new Set() : await intentsSince(options, asked),
    answer: final === undefined ? null : textOf(final.message),
    newest: newest ?? [],
  };
}

/** Something that the model wrote to its end. */
function isAnswer({ message }: TranscriptRow): boolean {
  return message.role === "assistant" && message.origin === "model" && message.interrupted !== true;
}

function openAfter(answer: TranscriptRow, rows: readonly TranscriptRow[]): readonly ToolCall[] {
  const told = new Set<string>();
  for (const { index, message } of rows) {
    if (index <= answer.index) continue;
    for (const part of message.parts) if (part.type === "tool_result") told.add(part.callId);
  }
  return callsOf(answer.message).filter((call) => !told.has(call.id));
}

function transcript(
  { store, patience, taskId }: RecallOptions,
  after: number,
  limit: number,
): Promise<readonly TranscriptRow[]> {
  return patience.call("transcript", () => store.transcript(taskId, { after, limit }));
}

/** Calls whose intent was written: with the answer that asked for them, or later. */
async function intentsSince(options: RecallOptions, answer: TranscriptRow): Promise<ReadonlySet<string>> {
  // The row has the sequence of its commit's last event, and an intent may be an earlier one of the same commit.
  const [before] = answer.index < 2 ? [] : await transcript(options, answer.index - 2, 1);
  const { store, patience, taskId } = options;
  const events = await patience.call("events", () =>
    store.events({
      after: 0,
      taskId,
      afterSeq: before?.seq ?? 0,
      types: ["tool.requested", "tool.resumed", "tool.suspended"],
    }),
  );
  const intended = new Set<string>();
  for (const { type, data } of events) {
    const { callId } = data as { readonly callId: string };
    // A call that waits has acted as far as it will before it goes on.
    if (type === "tool.suspended") intended.delete(callId);
    else intended.add(callId);
  }
  return intended;
}
