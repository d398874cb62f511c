// What the record of a task must say when all is over: every fact of its transcript and its mail has its event, its
// result is what it answered last.

import { callsOf, textOf, type TranscriptRow } from "../../src/core/message.ts";
import { parseSteer } from "../../src/core/transcript-marks.ts";
import type { EventType } from "../../src/core/event.ts";
import type { Check, Rest, RestTask } from "./check.ts";

/** The result that closes a call that will get none; no tool has finished. */
const CLOSED = "This call was interrupted and its outcome is unknown.";

/** What calls came to. */
export function resultsIn(rows: readonly TranscriptRow[]): readonly string[] {
  return rows.flatMap(({ message }) =>
    message.parts.flatMap((part) => (part.type === "tool_result" ? [part.text] : [])),
  );
}

function isAnswer({ message }: TranscriptRow): boolean {
  return message.role === "assistant" && message.origin === "model" && message.interrupted !== true;
}

/** What the events must number, by type. */
function due({ transcript, inbox }: RestTask): ReadonlyMap<EventType, number> {
  const delivered = inbox.filter(({ state }) => state === "delivered").map(({ message }) => message.kind);
  const completions = delivered.filter((kind) => kind === "completion").length;
  const words = delivered.filter((kind) => kind !== "completion" && kind !== "cancel").length;
  return new Map<EventType, number>([
    ["turn.finished", transcript.filter(isAnswer).length],
    ["tool.finished", resultsIn(transcript).filter((text) => text !== CLOSED).length],
    ["child.completed", completions],
    ["steer.delivered", words],
  ]);
}

function wrongEvents(task: RestTask): string | null {
  const count = (type: EventType): number => task.events.filter((event) => event.type === type).length;
  for (const [type, wanted] of due(task)) {
    if (count(type) !== wanted) return `${wanted} of ${type} should be recorded, and ${count(type)} are`;
  }
  for (const type of ["task.spawned", "task.started", "task.released"] as const) {
    if (count(type) > 1) return `${type} is recorded ${count(type)} times`;
  }
  return null;
}

function wrongResult({ record, transcript }: RestTask): string | null {
  const last = transcript.findLast((row) => isAnswer(row) && callsOf(row.message).length === 0);
  const answer = last ? textOf(last.message) : null;
  const result = record.end?.result ?? null;
  if (record.end?.truncated || answer === result) return null;
  return `answered ${JSON.stringify(answer)}, and its result is ${JSON.stringify(result)}`;
}

/** Whether a result has this answer in it. */
function tells(text: string, answer: string): boolean {
  const quoted = JSON.stringify(answer);
  return (
    text.endsWith(`: ${answer}`) ||
    [`"answer":${quoted}`, `They said: ${quoted}`].some((each) => text.includes(each))
  );
}

/** An answer that ended a question is its result, and not said once more. */
function wrongAnswers({ inbox, transcript }: RestTask): string | null {
  for (const { message } of inbox) {
    // A plain yes is one of many.
    if (message.kind !== "answer" || message.text === "yes") continue;
    // One word denies all calls of a turn that want to be allowed.
    const places = transcript.flatMap(({ run, turn, index, message: row }) => {
      const words = row.role === "user" ? textOf(row) : null;
      const said = words !== null && (parseSteer(words) ?? words) === message.text;
      const told = resultsIn([{ message: row } as TranscriptRow]).some((text) => tells(text, message.text));
      return said || told ? [{ run, place: said ? `row ${index}` : `turn ${turn}` }] : [];
    });
    const seen = new Set(places.map(({ run, place }) => `${run} ${place}`));
    const runs = new Set(places.map(({ run }) => run));
    // A model may answer twice in the same words: the second comes too late, and is read like any other mail.
    const alike = inbox.filter(
      (mail) => mail.message.kind === "answer" && mail.message.text === message.text,
    );
    if (seen.size > runs.size * alike.length) return `the answer "${message.text}" is told twice`;
  }
  return null;
}

function ofEach(ask: (task: RestTask) => string | null): NonNullable<Check["rest"]> {
  return ({ tasks }: Rest) => {
    for (const [id, task] of tasks) {
      const complaint = ask(task);
      if (complaint !== null) return `${id}: ${complaint}`;
    }
    return null;
  };
}

export const RECORD_CHECKS: readonly Check[] = [
  {
    id: "I7",
    name: "events are complete",
    means:
      "Every turn, result, word and end of a child that is in the transcript or the inbox has its event.",
    // A log that lets old events go can show nothing of them.
    rest: (rest, book) => (book.diary.keepsEvents ? ofEach(wrongEvents)(rest, book) : null),
  },
  {
    id: "I1",
    name: "a result is the last answer",
    means: "What a task answered last is its result, whatever ended it and however often the server died.",
    rest: ofEach(wrongResult),
  },
  {
    id: "I6",
    name: "an answer is told once",
    means: "What a person answers to a question is the question's result, or a word, and not both.",
    rest: ofEach(wrongAnswers),
  },
];
