// How a turn begins: one commit with the goal (on the first turn of a run), the mail that is folded in, and an
// answer for every call that was left open. A steer counts as delivered when this commit is acknowledged.

import type { FoldOutput } from "../../machines/agent.ts";
import type { NewEvent } from "../core/event.ts";
import type { Message } from "../core/message.ts";
import { answerMessage } from "./generation.ts";
import { resultRoomOf } from "./result-room.ts";
import { foldMail as readMail, goalMessage } from "./mail.ts";
import type { TaskHost } from "./task-host.ts";

/** However many children end at once, each says at least this much. */
const LEAST_RESULT_CHARS = 400;
const NOTHING_KNOWN: ReadonlySet<string> = new Set();
/** A further run has other children. */
const ABOUT_CHILDREN: ReadonlySet<string> = new Set(["completion", "question"]);

/** Which turn of which run. */
export interface TurnInput {
  readonly turn: number;
  readonly run: number;
}

/** Folds all mail into the transcript, in the commit that begins the turn. */
export async function foldMail(host: TaskHost, input: TurnInput): Promise<FoldOutput> {
  const { mailbox } = host;
  await host.turn.memory?.();
  const waiting = Math.max(1, mailbox.pending.length);
  const room = resultRoomOf(host);
  // Several ends at once share the room of one result, or together they would fill the context.
  const folded = mailbox.takeAll(Math.max(LEAST_RESULT_CHARS, Math.floor(room / waiting)));
  if (folded === null) {
    // What the machine still counts as mail was taken before: without this it would begin a turn for nothing.
    host.send({ type: "mail.taken", position: host.mailbox.seen });
    return { outcome: "folded" };
  }
  const partial = host.turn.partial.trim();
  host.turn.partial = "";
  host.turn.forgetRepetition();
  const spoken: readonly Message[] =
    partial === ""
      ? []
      : [{ ...answerMessage({ text: partial, thinking: "", calls: [] }), interrupted: true }];
  await beginTurn(host, input, {
    messages: [...spoken, ...folded.messages],
    events: folded.events,
    cursor: folded.cursor,
  });
  host.send({ type: "mail.taken", position: folded.cursor });
  return { outcome: "folded" };
}

interface TurnOpening {
  readonly messages: readonly Message[];
  readonly events: readonly NewEvent[];
  readonly cursor: number;
}

/** Commits the beginning of a turn, once: the goal on the first of a run, what was folded in, and no call left open. */
export function beginTurn(host: TaskHost, input: TurnInput, opening: TurnOpening | null): Promise<void> {
  const { turn, journal } = host;
  // A fold that lost its slot is still at it: what it took belongs to this turn, and a run begins once.
  if (turn.opening) return turn.opening.then(() => beginTurn(host, input, opening));
  // Its beginning may still be on its way to the store: the model reads what is there.
  if (turn.begunTurn >= input.turn && opening === null) return journal.flush();
  const isAnotherRun = turn.begunRun > 0 && input.run > turn.begunRun;
  if (!isAnotherRun) return stageTurn(host, input, { opening, heard: [] });
  const begun = forgetRun(host).then((heard) => stageTurn(host, input, { opening, heard }));
  turn.opening = begun.finally(() => {
    turn.opening = null;
  });
  return turn.opening;
}

/** A further run begins without the conversation of the one that failed, but for what people said in it. */
async function forgetRun(host: TaskHost): Promise<readonly Message[]> {
  const { turn, journal } = host;
  turn.openCalls = [];
  await journal.flush();
  const heard = await wordsOfPeople(host);
  journal.stage({ compactedTo: journal.lastIndex, events: [{ type: "run.started", data: {} }] });
  return heard;
}

/** Not async: whoever waits for a slot waits for every step between the lease and the first byte. */
function stageTurn(
  host: TaskHost,
  input: TurnInput,
  { opening, heard }: { readonly opening: TurnOpening | null; readonly heard: readonly Message[] },
): Promise<void> {
  const { turn, journal, spec } = host;
  const messages: Message[] = closeOpenCalls(host);
  const events: NewEvent[] = [];
  const isFirstOfRun = input.run > turn.begunRun;
  if (isFirstOfRun && spec.goal !== "") messages.push(goalMessage(spec.goal, spec.context));
  messages.push(...heard, ...(opening?.messages ?? []));
  events.push({ type: "turn.started", data: { messages: messages.length } }, ...(opening?.events ?? []));
  // A person may have interrupted while this was made ready: the turn that replaces this one is in the store already.
  turn.begunTurn = Math.max(input.turn, turn.shownTurn);
  turn.begunRun = input.run;
  journal.stage({
    messages,
    events,
    turn: turn.begunTurn,
    run: input.run,
    ...(opening && { inboxCursor: opening.cursor }),
  });
  return journal.flush();
}

/** What was told to the run that failed: it was delivered, so the next run must know it too, whole and once. */
async function wordsOfPeople({ id, services, mailbox }: TaskHost): Promise<readonly Message[]> {
  const { store, patience } = services;
  // Not from the transcript: there a compaction may have shortened them.
  const entries = await patience.call("inbox", () => store.inbox(id, 0));
  const told = entries.filter(
    ({ state, message: { kind, id: messageId } }) =>
      state === "delivered" && !ABOUT_CHILDREN.has(kind) && !(kind === "answer" && mailbox.knows(messageId)),
  );
  return readMail(told, NOTHING_KNOWN, 0).messages;
}

/** Results for calls that will get none: a model must not read an open call. */
function closeOpenCalls(host: TaskHost): Message[] {
  const open = host.turn.openCalls;
  host.turn.openCalls = [];
  return open.map((call) => ({
    role: "tool",
    origin: "tool",
    parts: [
      {
        type: "tool_result",
        callId: call.id,
        name: call.name,
        text: "This call was interrupted and its outcome is unknown.",
        isError: true,
      },
    ],
  }));
}
