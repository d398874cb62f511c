// What the smoke program asks of a whole Troupe, as a client over HTTP. Every answer is free of ids, times and ports,
// so that those of three runtimes can be compared as text. Nothing waits by the clock: each scene follows events.

import type { TaskView, TreeNode } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { DOOR_SCENES } from "./doors.ts";
import { eventsUntil, isEnd, refusalOf, untilIdle, untilWriting, type Scene } from "./follow.ts";
import type { House } from "./house.ts";

/** Ids are drawn anew each time; here each is called by the order of its first appearance. */
function withoutIds(text: string): string {
  const seen: string[] = [];
  return text.replace(/\b(task|ses)_[0-9a-f]{32}\b/g, (id, kind: string) => {
    if (!seen.includes(id)) seen.push(id);
    return `${kind}#${seen.indexOf(id) + 1}`;
  });
}

/** A child with file tools reads a real file; who watches it resumes in the middle of its events. */
async function reading(house: House): Promise<unknown> {
  const { client } = house;
  const handle = await client.delegate({
    goal: "Describe notes/alpha.md",
    toolsets: ["file"],
    idempotencyKey: "one",
  });
  const again = await client.delegate({
    goal: "Describe notes/alpha.md",
    toolsets: ["file"],
    idempotencyKey: "one",
  });
  const result = await client.collect(handle.taskId, { timeoutMs: 30_000 });
  const events = await eventsUntil(house, { taskId: handle.taskId }, isEnd);
  const cut = events[4] as StoredEvent;
  const resumed = await eventsUntil(house, { taskId: handle.taskId, after: cut.cursor }, isEnd);
  const { items } = await client.transcript(handle.taskId);
  return {
    created: [handle.created, again.created, again.taskId === handle.taskId],
    link: handle.link?.startsWith(house.url) ?? false,
    result: result.result,
    events: events.map(({ seq, type }) => `${seq} ${type}`),
    gapless: events.every(({ seq }, index) => seq === index + 1),
    resumedAt: resumed[0]?.seq,
    resumedWhole: JSON.stringify(resumed) === JSON.stringify(events.slice(5)),
    transcript: items.map(({ message }) => message.role),
  };
}

/** The parent delegates by itself while a person goes on talking to it. */
async function conversation(house: House): Promise<unknown> {
  const { client } = house;
  const session = await client.createSession();
  const rootId = session.taskId;
  const answers: string[] = [];
  const isAnswer = ({ type, taskId }: StoredEvent): boolean =>
    type === "answer.finished" && taskId === rootId;
  await client.sendMessage(rootId, {
    text: "Please do two things at once: Describe notes/alpha.md; Describe notes/beta.md",
  });
  const first = (await eventsUntil(house, { rootId }, isAnswer)).at(-1) as StoredEvent;
  answers.push(textOf(first));
  await client.sendMessage(rootId, { text: "What is 17 * 23?" });
  const ended = new Set<string>();
  const all = await eventsUntil(house, { rootId }, (event) => {
    if (isAnswer(event) && event.cursor > first.cursor) answers.push(textOf(event));
    if (event.taskId !== rootId && isEnd(event)) ended.add(event.taskId);
    const isSaid = (words: string): boolean => answers.some((text) => text.includes(words));
    return ended.size === 2 && isSaid("all 2 have ended") && isSaid("391");
  });
  const [tree] = await client.tree(rootId);
  const closed = await client.closeSession(rootId);
  return {
    kind: session.kind,
    delegated: all.filter(({ type, taskId }) => type === "task.spawned" && taskId !== rootId).length,
    // A child that was quick may be reported in the same answer, further down.
    first: withoutIds(answers[0] as string)
      .split("\n")
      .slice(0, 4),
    tree: shapeOf(tree as TreeNode),
    closed: closed.state,
  };
}

const textOf = (event: StoredEvent): string => (event.data as { readonly text: string }).text;

/** Children in the order of their goals: which of them was first is a matter of moments. */
function shapeOf({ kind, goal, state, children }: TreeNode): unknown {
  const below = children.toSorted((a, b) => (a.goal < b.goal ? -1 : 1)).map(shapeOf);
  return { kind, goal, state: kind === "session" ? "alive" : state, children: below };
}

/** A child that is writing is interrupted; its receipt says which turn took the steer. */
async function steering(house: House): Promise<unknown> {
  const { client } = house;
  const { taskId } = await client.delegate({ goal: "Write a novel.", agent: "novelist" });
  await untilWriting(house, taskId);
  const receipt = await client.steer(taskId, {
    message: "stop at once",
    interrupt: true,
    steerId: "steer-1",
  });
  const result = await client.collect(taskId, { timeoutMs: 30_000 });
  const { steers } = await client.check(taskId);
  const late = await refusalOf(client.steer(taskId, { message: "too late" }));
  return {
    receipt: [receipt.steerId, receipt.state, receipt.interrupt],
    result: result.result,
    steers: steers.map(({ steerId, state, turn, reason }) => ({ steerId, state, turn, reason })),
    late,
  };
}

/** A steer to a task that has not begun waits for its first turn. */
async function queueing(house: House): Promise<unknown> {
  const { client } = house;
  await client.pause(true);
  const { taskId, state, phase } = await client.delegate({ goal: "Write a novel.", agent: "novelist" });
  const queued = await client.steer(taskId, { message: "be brief" });
  const waiting = await client.check(taskId);
  const early = await client.collect(taskId, { timeoutMs: 0 });
  await client.pause(false);
  const result = await client.collect(taskId, { timeoutMs: 30_000 });
  const { steers, turn } = await client.check(taskId);
  return {
    before: { state, phase, position: waiting.queuePosition, steer: queued.state, finished: early.finished },
    after: {
      state: result.state,
      result: result.result,
      turn,
      steers: steers.map((steer) => [steer.state, steer.turn]),
    },
  };
}

/** One child is cancelled while it writes, and its generation ends on the box too. */
async function cancelling(house: House): Promise<unknown> {
  const { client } = house;
  const { taskId } = await client.delegate({ goal: "Write a novel.", agent: "novelist" });
  await untilWriting(house, taskId);
  const receipt = await client.cancel(taskId, { reason: "no longer needed" });
  const result = await client.collect(taskId, { timeoutMs: 30_000 });
  const again = await client.cancel(taskId);
  await untilIdle(house);
  return {
    cancelled: receipt.cancelled.length,
    result: { finished: result.finished, state: result.state, failure: result.failure },
    again: [again.cancelled.length, again.state],
    late: await refusalOf(client.steer(taskId, { message: "too late" })),
  };
}

/** Nothing is left: every task has ended, no generation runs, nothing was logged; then all of it closes. */
async function leaving(house: House): Promise<unknown> {
  const { client } = house;
  await untilIdle(house);
  const { items } = await client.list({ limit: 100 });
  const living = items.filter(({ finishedAt }: TaskView) => finishedAt === null).length;
  const stop = new AbortController();
  const frames = client.events({ after: 0, signal: stop.signal });
  let read = 0;
  for await (const frame of frames) {
    if (frame.kind === "event") read += 1;
    // The server goes while somebody reads; the reader would look for it until told to stop.
    if (read === 1) await house.close();
    stop.abort();
  }
  return { living, wasRead: read > 0, afterClose: await refusalOf(client.tree()), logged: house.logged };
}

export const SCENES: readonly Scene[] = [
  { name: "reading", run: reading },
  { name: "conversation", run: conversation },
  { name: "steering", run: steering },
  { name: "queueing", run: queueing },
  { name: "cancelling", run: cancelling },
  ...DOOR_SCENES,
  { name: "leaving", run: leaving },
];
