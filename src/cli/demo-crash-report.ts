// The verdict on the kill: what was acknowledged before is there after, and what must happen once happened once. Pure
// arithmetic over what the API said.

import { parseCompletion } from "../core/transcript-marks.ts";
import type { StoredEvent } from "../core/event.ts";
import { textOf, type MessageOrigin, type TranscriptRow } from "../core/message.ts";
import type { CrashEvidence, CrashReport, Fact, Standing } from "./demo-crash-facts.ts";
import { duration, plural, shortId } from "./demo-words.ts";

/** What a busy machine may take to start a server and a turn; more is no restart that anybody would wait for. */
export const LONGEST_TO_TOKEN_MS = 30_000;

function fact(name: string, held: boolean, got: string): Fact {
  return { name, held, got };
}

function hashIn({ results }: Standing, taskId: string): string | null {
  return results.find((result) => result.taskId === taskId)?.sha256 ?? null;
}

function countOf(events: readonly StoredEvent[], type: StoredEvent["type"], data: object): number {
  const [entry] = Object.entries(data);
  const [key, value] = entry as [string, unknown];
  return events.filter(
    (event) => event.type === type && (event.data as Readonly<Record<string, unknown>>)[key] === value,
  ).length;
}

function textsOf(rows: readonly TranscriptRow[], origin: MessageOrigin): readonly string[] {
  return rows.filter(({ message }) => message.origin === origin).map(({ message }) => textOf(message));
}

/** The demo proves nothing when the kill came at a moment in which nothing could be lost. */
function moment({ kill: { underWay } }: CrashEvidence): Fact {
  const { atWork, generating, done, steer, message } = underWay;
  const held =
    atWork.length >= 2 &&
    generating.length > 0 &&
    done.length > 0 &&
    steer.state === "queued" &&
    !message.isAnswered;
  const got =
    `${atWork.length} at work, ${generating.length} generating, ${done.length} done, steer ${steer.state}, ` +
    `message ${message.isAnswered ? "answered" : "not answered"}`;
  return fact("the kill hits work under way", held, got);
}

function tasksThere({ before, after }: CrashEvidence): Fact {
  const there = before.tasks.filter(({ taskId, goal }) =>
    after.tasks.some((task) => task.taskId === taskId && task.goal === goal),
  );
  const held = before.tasks.length > 0 && there.length === before.tasks.length;
  return fact("every task is there again, by its id", held, `${there.length} of ${before.tasks.length}`);
}

function resultsSame({ before, after, end }: CrashEvidence): Fact {
  const same = before.results.filter(
    ({ taskId, sha256 }) => hashIn(after, taskId) === sha256 && hashIn(end, taskId) === sha256,
  );
  const [first] = same;
  const got = first === undefined ? "none" : `${shortId(first.taskId)} sha256 ${first.sha256.slice(0, 12)}…`;
  const held = before.results.length > 0 && same.length === before.results.length;
  return fact("the finished result is the same to the byte", held, got);
}

/** Each turn ends once, and the next one begins only then; one that was cut off may begin again. */
function turnsMadeAgain({ kill, stored }: CrashEvidence): Fact {
  const open = new Map<string, number>();
  let broken = 0;
  for (const { type, taskId, turn } of stored) {
    if (type === "turn.started") {
      broken += (open.get(taskId) ?? turn) === turn ? 0 : 1;
      open.set(taskId, turn);
    }
    if (type === "turn.finished") broken += open.delete(taskId) ? 0 : 1;
  }
  const resumed = new Set(stored.filter(({ type }) => type === "task.resumed").map(({ taskId }) => taskId));
  const { generating } = kill.underWay;
  const again = generating.filter((taskId) => resumed.has(taskId)).length;
  const held = broken === 0 && again === generating.length;
  const got = `${again} of ${generating.length} made again, ${plural(broken, "turn")} out of order`;
  return fact("generations in flight are made again, and no turn ends twice", held, got);
}

/** In the log, and in what the parent's model was given to read. */
function endsToldOnce({ sessionId, before, stored, parentRows }: CrashEvidence): Fact {
  const children = before.tasks.filter(({ taskId }) => taskId !== sessionId);
  const notes = textsOf(parentRows, "completion").map((text) => parseCompletion(text)?.taskId);
  const once = children.filter(
    ({ taskId }) =>
      countOf(stored, "child.completed", { childId: taskId }) === 1 &&
      notes.filter((id) => id === taskId).length === 1,
  );
  const held = children.length > 0 && once.length === children.length && notes.length === children.length;
  return fact("each child's end is told to the parent once", held, `${once.length} of ${children.length}`);
}

function steerOnce({ kill, stored, steeredRows }: CrashEvidence): Fact {
  const { steerId } = kill.underWay.steer;
  const times = countOf(stored, "steer.delivered", { steerId });
  const read = textsOf(steeredRows, "steer").length;
  const got = `delivered ${times} ×, read ${read} ×`;
  return fact("the steer is delivered once", times === 1 && read === 1, got);
}

function messageOnce({ kill, stored, sessionId }: CrashEvidence): Fact {
  const { messageId } = kill.underWay.message;
  const times = countOf(stored, "steer.delivered", { steerId: messageId });
  const took = stored.findIndex(
    ({ type, data }) => type === "steer.delivered" && (data as { steerId?: string }).steerId === messageId,
  );
  const answered = stored.some(
    ({ type, taskId }, index) => type === "answer.finished" && taskId === sessionId && index > took,
  );
  const held = times === 1 && answered;
  return fact("your last message is read once, and answered", held, `read ${times} ×`);
}

function streamWhole({ streamed, stored, gaps }: CrashEvidence): Fact {
  const seen = streamed.map(({ cursor }) => cursor);
  const kept = stored.map(({ cursor }) => cursor);
  const last = seen.at(-1) ?? 0;
  const due = kept.filter((cursor) => cursor <= last);
  const held =
    gaps === 0 && seen.length > 0 && due.length === seen.length && due.every((c, at) => c === seen[at]);
  return fact("the event stream goes on: no event missing, none twice", held, `${seen.length} events`);
}

function firstToken({ kill: { firstTokenMs } }: CrashEvidence): Fact {
  const held = firstTokenMs !== null && firstTokenMs <= LONGEST_TO_TOKEN_MS;
  const got = firstTokenMs === null ? "none came" : duration(firstTokenMs);
  return fact("a model writes again soon after the kill", held, got);
}

function nothingLeft({ left }: CrashEvidence): Fact {
  const held = left.tasks.length === 0 && left.leases + left.waiting + left.places === 0;
  const got = `${plural(left.tasks.length, "task")}, ${plural(left.leases, "lease")}, ${left.waiting} waiting`;
  return fact("nothing is left running", held, got);
}

function onDisk({ durability }: CrashEvidence): Fact {
  return fact("what was acknowledged was on disk", durability === "full", `durability ${durability}`);
}

const FACTS: readonly ((evidence: CrashEvidence) => Fact)[] = [
  moment,
  onDisk,
  tasksThere,
  resultsSame,
  turnsMadeAgain,
  endsToldOnce,
  steerOnce,
  messageOnce,
  streamWhole,
  firstToken,
  nothingLeft,
];

/** Contract: pure; never throws. A string says why there is no evidence. */
export function crashReportOf(evidence: CrashEvidence | string): CrashReport {
  if (typeof evidence === "string") {
    const facts = [fact("the kill is made and looked into", false, evidence)];
    return { kill: null, durability: null, tasksBefore: 0, tasksAfter: 0, results: [], facts };
  }
  const { kill, durability, before, after } = evidence;
  return {
    kill,
    durability,
    tasksBefore: before.tasks.length,
    tasksAfter: after.tasks.length,
    results: before.results.map(({ taskId, sha256 }) => ({
      taskId,
      before: sha256,
      after: hashIn(after, taskId),
    })),
    facts: FACTS.map((check) => check(evidence)),
  };
}
