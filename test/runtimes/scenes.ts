// What the smoke program asks of a whole Troupe, as a client over HTTP. Every answer is free of ids, times and ports,
// so that those of three runtimes can be compared as text. Nothing waits by the clock: each scene follows events.

import { connect } from "node:net";
import { delay, systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { toTroupeError } from "../../src/base/errors.ts";
import type { TaskView, TreeNode } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { House } from "./house.ts";

export interface Scene {
  readonly name: string;
  run(house: House): Promise<unknown>;
}

/** Ids are drawn anew each time; here each is called by the order of its first appearance. */
function withoutIds(text: string): string {
  const seen: string[] = [];
  return text.replace(/\b(task|ses)_[0-9a-f]{32}\b/g, (id, kind: string) => {
    if (!seen.includes(id)) seen.push(id);
    return `${kind}#${seen.indexOf(id) + 1}`;
  });
}

async function eventsUntil(
  { client }: House,
  query: { readonly after?: number; readonly taskId?: string; readonly rootId?: string },
  last: (event: StoredEvent) => boolean,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const frame of client.events({ after: 0, ...query })) {
    if (frame.kind !== "event") continue;
    events.push(frame.event);
    if (last(frame.event)) break;
  }
  return events;
}

const isEnd = ({ type }: StoredEvent): boolean => /^task\.(done|failed|cancelled)$/.test(type);
const isGenerating = ({ phase }: StoredEvent): boolean => phase === "generating";

const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "not refused",
    (thrown: unknown) => toTroupeError(thrown).code,
  );

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
    return ended.size === 2 && answers.some((text) => text.includes("all 2 have ended"));
  });
  const [tree] = await client.tree(rootId);
  const closed = await client.closeSession(rootId);
  return {
    kind: session.kind,
    delegated: all.filter(({ type, taskId }) => type === "task.spawned" && taskId !== rootId).length,
    first: withoutIds(answers[0] as string),
    sum: answers.some((text) => text.includes("391")),
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
  await eventsUntil(house, { taskId }, isGenerating);
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
  await eventsUntil(house, { taskId }, isGenerating);
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

/** Sockets close in their own time: asked again until the box is idle, for at most ten seconds. */
async function untilIdle({ stats }: House): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (stats().generating === 0 && stats().waitingSlot === 0) return;
    await delay(systemClock, 10);
  }
  throw new Error(`The box still generates: ${JSON.stringify(stats())}`);
}

/** The stream as any client reads it: `Last-Event-ID`, one message an event, the cursor as its id. */
async function serverSentEvents(house: House): Promise<unknown> {
  const { client, url, token } = house;
  const { taskId } = await client.delegate({ goal: "Describe notes/beta.md", toolsets: ["file"] });
  await client.collect(taskId, { timeoutMs: 30_000 });
  const events = await eventsUntil(house, { taskId }, isEnd);
  const cursor = (events.at(-4) as StoredEvent).cursor;
  const stop = new AbortController();
  const response = await runtimeFetch()(`${url}/v1/events?task_id=${taskId}`, {
    headers: { authorization: `Bearer ${token}`, "last-event-id": String(cursor) },
    signal: stop.signal,
  });
  let text = "";
  const decoder = new TextDecoder();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  while (!text.includes("event: task.done")) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  stop.abort();
  const types = [...text.matchAll(/^event: (\S+)$/gm)].map(([, type]) => type);
  const ids = [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return {
    type: response.headers.get("content-type"),
    types,
    afterCursor: ids.every((id) => id > cursor),
    ids: ids.length === types.length,
  };
}

/** The gate: no token, a wrong one, a foreign Host, a foreign Origin, no JSON; and what needs no token. */
async function gate(house: House): Promise<unknown> {
  const { url, token, port } = house;
  const fetch = runtimeFetch();
  const ask = async (
    path: string,
    headers: Record<string, string>,
    init: RequestInit = {},
  ): Promise<unknown> => {
    const response = await fetch(url + path, { headers, ...init });
    const body = (await response.json()) as { readonly code?: string };
    return [response.status, body.code ?? null];
  };
  const mine = { authorization: `Bearer ${token}` };
  return {
    health: await ask("/healthz", {}),
    noToken: await ask("/v1/tree", {}),
    wrongToken: await ask("/v1/tree", { authorization: `Bearer ${"00".repeat(32)}` }),
    wrongTokenOfClient: await refusalOf(house.clientWith("00".repeat(32)).tree()),
    wrongHost: await rawStatus(port, "troupe.example", token),
    rightHost: await rawStatus(port, `localhost:${port}`, token),
    wrongOrigin: await ask("/v1/tree", { ...mine, origin: "https://troupe.example" }),
    noJson: await ask(
      "/v1/tasks",
      { ...mine, "content-type": "text/plain" },
      { method: "POST", body: "goal=x" },
    ),
    emptyGoal: await ask(
      "/v1/tasks",
      { ...mine, "content-type": "application/json" },
      { method: "POST", body: '{"goal":" "}' },
    ),
    unknownTask: await ask("/v1/tasks/task_0", mine),
  };
}

/** The status line for a Host that fetch would not send. */
function rawStatus(port: number, host: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const lines = [
      "GET /v1/tree HTTP/1.1",
      `Host: ${host}`,
      `Authorization: Bearer ${token}`,
      "Connection: close",
    ];
    const socket = connect(port, "127.0.0.1", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.setEncoding("utf8");
    socket.on("data", (chunk) => {
      answer += String(chunk);
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(Number(answer.split(" ")[1])));
  });
}

/** What a client learns of the server: its routes, its machine, its models, and that they are simulated. */
async function describing({ client, url, token }: House): Promise<unknown> {
  const response = await runtimeFetch()(`${url}/openapi.json`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const document = (await response.json()) as { readonly openapi: string; readonly paths: object };
  const machine = await client.machine("agent");
  const [provider] = await client.providers();
  const { simulated, durability, paused } = await client.status();
  const [lane] = await client.gpus();
  return {
    openapi: document.openapi,
    paths: Object.keys(document.paths).toSorted(),
    machine: Object.keys((machine.definition as { readonly states: object }).states),
    provider: {
      type: provider?.type,
      simulated: provider?.simulated,
      models: provider?.models.map((each) => each.model),
    },
    status: { simulated, durability, paused },
    slots: lane?.backends.map((backend) => backend.slots),
    leases: lane?.backends.map((backend) => backend.leases.length),
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
  { name: "serverSentEvents", run: serverSentEvents },
  { name: "gate", run: gate },
  { name: "describing", run: describing },
  { name: "leaving", run: leaving },
];
