// Steers, messages and cancels at inconvenient moments: what a receipt says is what the model read, and whoever
// waits is neither forgotten nor kept out by others.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { delay } from "../../src/base/clock.ts";
import { textOf } from "../../src/core/message.ts";
import type { Toolset } from "../../src/core/tool.ts";
import type { CommitWrite } from "../../src/store/store.ts";
import { converse, ROOMY } from "./conversation.ts";
import { rig, type Rig } from "./rig.ts";
import { wrappedStore } from "./wrapped-store.ts";

const origins = ({ messages }: GenerateRequest): string[] => messages.slice(1).map(({ origin }) => origin);
const words = ({ messages }: GenerateRequest): string[] => messages.slice(1).map(textOf);

async function steersOf({ api }: Rig, taskId: string): Promise<unknown[]> {
  return (await api.check(taskId)).steers.map(({ state, turn }) => [state, turn]);
}

describe("a child that a person hurried", () => {
  test("is stopped for a session's turn after the patience, and comes to its end", async () => {
    let turns = 0;
    const { api, clock } = rig({
      reply: ({ model }) => {
        if (model === "parent") return [say("hello")];
        return [wait(++turns === 1 ? 100 : 60_000), say("dug")];
      },
    });
    const session = await api.createSession();
    const child = await api.delegate({ goal: "dig", parentId: session.taskId });
    await clock.advance(50);
    // The turn that folds it in asks for its lease as a person's.
    await api.steer(child.taskId, { message: "left" });
    await clock.advance(1_000);
    const leases = (await api.gpus())[0]?.backends[0]?.leases;
    expect(leases).toMatchObject([{ taskId: child.taskId, class: "interactive" }]);
    await api.sendMessage(session.taskId, { text: "hi" });
    await clock.advance(4_000);
    expect((await api.check(session.taskId)).phase).toBe("waiting_slot");
    await clock.advance(1_200);
    const { items } = await api.transcript(session.taskId);
    expect(items.map(({ message }) => textOf(message))).toEqual(["hi", "hello"]);
    await clock.advance(120_000);
    expect(await api.check(child.taskId)).toMatchObject({ state: "done", steers: [{ state: "delivered" }] });
  });

  test("is not stopped by another one: both come to their ends, one after the other", async () => {
    const { api, clock, provider } = rig({
      reply: (request) => [wait(words(request)[0] === "first" ? 1_000 : 20_000), say("dug")],
    });
    await api.delegate({ goal: "first" });
    const ids = await Promise.all([1, 2].map(async (n) => (await api.delegate({ goal: `dig ${n}` })).taskId));
    for (const id of ids) await api.steer(id, { message: "left" });
    await clock.advance(42_000);
    const views = await Promise.all(ids.map((id) => api.check(id)));
    expect(views.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(provider.begun).toBe(3);
  });
});

test("a fold that loses its slot is in the next prompt when its receipt says delivered", async () => {
  const prompts: GenerateRequest[] = [];
  const { api, clock, ...rest } = rig({
    reply: (request) => {
      if (request.model === "parent") return [say("hello")];
      prompts.push(request);
      return [wait(100_000), say("dug")];
    },
    wrapStore: (store, time) =>
      wrappedStore(store, {
        before: (name, args) => {
          const write = args[2] as CommitWrite | undefined;
          return name === "commit" && write?.messages?.some(({ origin }) => origin === "steer")
            ? delay(time, 3_000)
            : undefined;
        },
      }),
  });
  const session = await api.createSession();
  const child = await api.delegate({ goal: "dig", parentId: session.taskId });
  await clock.advance(50);
  await api.sendMessage(session.taskId, { text: "hi" });
  await clock.advance(4_900);
  // The patience ends while this is on its way to the store.
  await api.steer(child.taskId, { message: "left", interrupt: true });
  await clock.advance(20_000);
  expect(await steersOf({ api, clock, ...rest }, child.taskId)).toEqual([["delivered", 2]]);
  expect(words(prompts.at(-1) as GenerateRequest)).toEqual(["dig", "[steer] left"]);
});

describe("a further run", () => {
  /** A task whose first run fails by `failing` once `ready`, and whose prompts are kept. */
  function failingOnce(first: (request: GenerateRequest, run: number) => readonly Step[]) {
    const prompts: GenerateRequest[] = [];
    return { prompts, reply: (request: GenerateRequest) => first(request, prompts.push(request)) };
  }

  test("knows what was told to the run that failed", async () => {
    const { prompts, reply } = failingOnce((_request, nth) => {
      if (nth === 1) return [wait(100), say("a")];
      return nth <= 6 ? [fail("network", "server_error", "Gone.")] : [say("ok")];
    });
    const made = rig({ reply });
    const { taskId } = await made.api.delegate({ goal: "dig", retryLimit: 2 });
    await made.clock.advance(50);
    await made.api.steer(taskId, { message: "in French" });
    await made.clock.advance(200_000);
    expect(await made.api.check(taskId)).toMatchObject({ state: "done", run: 2 });
    expect(words(prompts.at(-1) as GenerateRequest)).toEqual(["dig", "[steer] in French"]);
  });

  test("begins once, with its steer, when the fold that begins it loses its slot", async () => {
    const { prompts, reply } = failingOnce((request, nth) => {
      if (request.model === "parent") return [say("hello")];
      return nth <= 5 ? [fail("network", "server_error", "Gone.")] : [wait(100_000), say("ok")];
    });
    // The store becomes slow to say what the first run of this task was told.
    let slow: string | null = null;
    const made = rig({
      reply,
      wrapStore: (store, clock) =>
        wrappedStore(store, {
          before: (name, [id, after]) =>
            name === "inbox" && id === slow && after === 0 ? delay(clock, 8_000) : undefined,
        }),
    });
    const session = await made.api.createSession();
    const child = await made.api.delegate({ goal: "dig", parentId: session.taskId, retryLimit: 1 });
    while ((await made.store.get(child.taskId))?.run !== 2) await made.clock.advance(100);
    await made.api.steer(child.taskId, { message: "left" });
    await made.clock.advance(1);
    slow = child.taskId;
    while ((await made.store.get(child.taskId))?.state !== "steering") await made.clock.advance(100);
    await made.api.sendMessage(session.taskId, { text: "hi" });
    await made.clock.advance(200_000);
    const events = (await made.store.events({ after: 0, taskId: child.taskId })).map(({ type }) => type);
    expect(events.indexOf("generation.preempted")).toBeGreaterThan(0);
    expect(events.indexOf("generation.preempted")).toBeLessThan(events.indexOf("run.started"));
    expect(events.filter((type) => type === "run.started")).toHaveLength(1);
    slow = null;
    expect(words(prompts.findLast(({ model }) => model === "child") as GenerateRequest)).toEqual([
      "dig",
      "[steer] left",
    ]);
    expect(await made.api.check(child.taskId)).toMatchObject({ state: "done", run: 2 });
  });

  test("counts its turns upwards when a person interrupts it while it begins", async () => {
    const { prompts, reply } = failingOnce((_request, nth) =>
      nth <= 5 ? [fail("network", "server_error", "Gone.")] : [wait(1_000), say("ok")],
    );
    // The store becomes slow, once, to say what the first run was told.
    let slow = false;
    const turns: number[] = [];
    const made = rig({
      reply,
      wrapStore: (store, clock) =>
        wrappedStore(store, {
          before: (name, args) => {
            const turn = name === "commit" ? (args[2] as CommitWrite).turn : undefined;
            if (turn !== undefined) turns.push(turn);
            if (!slow || name !== "inbox") return undefined;
            slow = false;
            return delay(clock, 8_000);
          },
        }),
    });
    const { taskId } = await made.api.delegate({ goal: "dig", retryLimit: 1 });
    while ((await made.store.get(taskId))?.run !== 2) await made.clock.advance(100);
    slow = true;
    while ((await made.store.get(taskId))?.phase !== "generating") await made.clock.advance(100);
    await made.api.steer(taskId, { message: "left", interrupt: true });
    await made.clock.advance(200_000);
    expect(turns).toEqual(turns.toSorted((a, b) => a - b));
    expect(await made.api.check(taskId)).toMatchObject({ state: "done", run: 2, turn: turns.at(-1) });
    expect(await steersOf(made, taskId)).toEqual([["delivered", turns.at(-1)]]);
    expect(words(prompts.at(-1) as GenerateRequest)).toEqual(["dig", "[steer] left"]);
  });

  test("has no children of the run that failed: they end, and nothing of them is told", async () => {
    const { prompts, reply } = failingOnce((request, nth) => {
      if (textOf(request.messages[1] as never) !== "lead") return [hang()];
      if (nth === 1) return ["a", "b"].map((goal) => call("delegate_task_async", { goal }));
      return origins(request).includes("tool")
        ? [fail("malformed", "empty_answer", "Nothing.")]
        : [wait(500), say("led")];
    });
    const made = rig({ reply, settings: { backends: ROOMY } });
    const { taskId } = await made.api.delegate({
      goal: "lead",
      role: "orchestrator",
      toolsets: ["delegation"],
      retryLimit: 1,
    });
    while ((await made.api.check(taskId)).run < 2) await made.clock.advance(1);
    await made.clock.advance(10);
    const { children } = await made.api.check(taskId);
    expect(await Promise.all(children.map(async (id) => (await made.api.check(id)).state))).toEqual([
      "cancelled",
      "cancelled",
    ]);
    expect(made.runtime.counts()).toMatchObject({ slots: 0, living: 1 });
    await made.clock.advance(60_000);
    expect(await made.api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "led" });
    expect(words(prompts.at(-1) as GenerateRequest)).toEqual(["lead"]);
  });
});

describe("a message whose id is that of a child", () => {
  test("does not keep the child from ending", async () => {
    const it = await converse(() => [wait(1_000), say("dug")]);
    const id = await it.start("dig");
    await it.api.sendMessage(it.sessionId, { text: "how is it?", messageId: id });
    await it.pass(10_000);
    expect(await it.state(id)).toBe("done");
    expect(await it.announced()).toEqual([expect.stringContaining("dug")]);
  });

  test("is read like any other when a result tells the end of that child", async () => {
    const it = await converse(() => [wait(1_000), say("dug")]);
    const id = await it.start("dig");
    await it.ask(wait(3_000), call("collect_task", { task_id: id }));
    await it.pass(2_000);
    await it.api.sendMessage(it.sessionId, { text: "and now?", messageId: id });
    await it.pass(5_000);
    expect((await it.results()).at(-1)).toMatchObject({ task_id: id, result: "dug" });
    expect((await it.messages()).filter(({ origin }) => origin === "person").map(textOf)).toEqual([
      "do it",
      "do it",
      "and now?",
    ]);
    expect(await it.announced()).toEqual([]);
  });
});

test("steers that no turn took are told at the end, each with the reason", async () => {
  const { api, clock, store } = rig({ reply: () => [hang()] });
  const { taskId } = await api.delegate({ goal: "dig" });
  await clock.advance(10);
  const sent = [await api.steer(taskId, { message: "left" }), await api.steer(taskId, { message: "right" })];
  await api.cancel(taskId);
  await clock.advance(10);
  const events = await store.events({ after: 0, taskId });
  expect(events.flatMap(({ type, data }) => (type === "steer.undelivered" ? [data] : []))).toEqual(
    sent.map(({ steerId }) => ({ steerId, reason: "task_cancelled" })),
  );
  expect(events.at(-1)?.type).toBe("task.cancelled");
});

test("an answer stands when mail comes and no turn is left: the mail is undelivered", async () => {
  const { api, clock } = rig({ reply: () => [wait(100), say("gold")] });
  const { taskId } = await api.delegate({ goal: "dig", maxTurns: 1 });
  await clock.advance(50);
  await api.steer(taskId, { message: "deeper" });
  await clock.advance(1_000);
  expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "gold" });
  expect((await api.check(taskId)).steers).toMatchObject([{ state: "undelivered", reason: "task_done" }]);
});

test("repeated cancels of a task that will not let go do not fill its inbox", async () => {
  const deaf: Toolset = {
    name: "deaf",
    description: "Deaf.",
    tools: () => [
      {
        definition: { name: "sleep", description: "Sleeps.", parameters: { type: "object" } },
        repeatable: true,
        run: () => new Promise(() => {}),
      },
    ],
  };
  const { api, clock, store } = rig({ toolsets: [deaf], reply: () => [call("sleep", {})] });
  const { taskId } = await api.delegate({ goal: "dig", toolsets: ["deaf"] });
  await clock.advance(10);
  for (let times = 0; times < 50; times++) await api.cancel(taskId);
  expect(await store.inbox(taskId, 0)).toHaveLength(1);
  await clock.advance(10_000);
  expect((await api.check(taskId)).state).toBe("cancelled");
});
