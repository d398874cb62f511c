// A store that is away for a while: nothing is lost, nobody waits for ever, and nothing is refused for good.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { StoreError } from "../../src/base/errors.ts";
import { ROOMY } from "./conversation.ts";
import { rig } from "./rig.ts";
import { wrappedStore, type StoreCall } from "./wrapped-store.ts";

const TEN_MINUTES = 600_000;
const away = (): StoreError => new StoreError("busy", "The store is away.");

/** A rig whose store throws on the calls that are named while it is down. */
function outage(calls: readonly StoreCall[], at: { down: boolean }) {
  return rig({
    settings: { backends: ROOMY },
    reply: ({ model, messages }) => {
      if (model === "parent") return [say(`answer ${messages.length}`)];
      return messages.length === 2 ? [wait(1_000), call("report_progress", { percent: 50 })] : [say("gold")];
    },
    wrapStore: (store) =>
      wrappedStore(store, {
        before: (name) => {
          if (at.down && calls.includes(name)) throw away();
        },
      }),
  });
}

describe("a store that is away for ten minutes", () => {
  test.each<[string, readonly StoreCall[]]>([
    ["commits", ["commit"]],
    ["whatever the runtime asks by itself", ["commit", "claim", "heartbeat", "inbox", "transcript"]],
  ])("for %s: every task goes on to its end, and takes messages and cancels", async (_what, calls) => {
    const at = { down: false };
    const { api, clock, store, runtime } = outage(calls, at);
    const session = await api.createSession();
    const task = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    const other = await api.delegate({ goal: "dig", toolsets: ["progress"], parentId: session.taskId });
    await clock.advance(500);
    at.down = true;
    const during = await api.sendMessage(session.taskId, { text: "are you there?" });
    await clock.advance(TEN_MINUTES);
    expect(await store.get(task.taskId)).toMatchObject({ state: "running", end: null });
    at.down = false;
    await clock.advance(60_000);
    expect(await api.collect(task.taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "gold" });
    expect(await api.collect(other.taskId, { timeoutMs: 0 })).toMatchObject({
      state: "done",
      result: "gold",
    });
    const events = await store.events({ after: 0, taskId: task.taskId });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, n) => n + 1));
    const after = await api.sendMessage(session.taskId, { text: "and now?" });
    await clock.advance(1_000);
    const receipts = (await api.check(session.taskId)).steers;
    expect(receipts.map(({ steerId, state }) => [steerId, state])).toEqual([
      [during.steerId, "delivered"],
      [after.steerId, "delivered"],
    ]);
    const late = await api.delegate({ goal: "dig", toolsets: ["progress"] });
    expect((await api.cancel(late.taskId)).cancelled).toEqual([late.taskId]);
    expect(await api.closeSession(session.taskId)).toMatchObject({ state: "done" });
    await clock.advance(1_000);
    expect(runtime.counts()).toMatchObject({ living: 0, leases: 0, places: 0 });
  });

  test("a cancel that was given meanwhile takes effect when the store is back", async () => {
    const at = { down: false };
    const { api, clock } = outage(["commit"], at);
    const { taskId } = await api.delegate({ goal: "dig" });
    await clock.advance(500);
    at.down = true;
    await clock.advance(1_000);
    await api.cancel(taskId);
    await clock.advance(TEN_MINUTES);
    at.down = false;
    await clock.advance(60_000);
    expect((await api.check(taskId)).state).toBe("cancelled");
  });
});

/** Throws on the first of these calls, and on no other. */
function once(name: StoreCall, when: "before" | "after" = "before") {
  let spent = false;
  return {
    [when]: (each: StoreCall) => {
      if (spent || each !== name) return;
      spent = true;
      throw away();
    },
  };
}

test("one busy read of the transcript fails no task", async () => {
  const { api, clock } = rig({
    reply: () => [say("gold")],
    wrapStore: (store) => wrappedStore(store, once("transcript")),
  });
  const { taskId } = await api.delegate({ goal: "dig" });
  await clock.advance(1_000);
  expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", failure: null });
});

test("what was accepted is told as accepted, and runs, when it cannot be claimed in that moment", async () => {
  const { api, clock } = rig({
    reply: () => [say("gold")],
    wrapStore: (store) => wrappedStore(store, once("claim")),
  });
  const accepted = api.delegate({ goal: "dig" });
  await clock.advance(100);
  const handle = await accepted;
  expect(handle).toMatchObject({ created: true });
  await clock.advance(20_000);
  expect(await api.collect(handle.taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "gold" });
});

test("a session that cannot be claimed at once opens all the same", async () => {
  const { api, clock } = rig({
    reply: () => [say("hello")],
    wrapStore: (store) => wrappedStore(store, once("claim")),
  });
  const opened = api.createSession();
  await clock.advance(100);
  const { taskId } = await opened;
  await api.sendMessage(taskId, { text: "hi" });
  await clock.advance(100);
  expect((await api.transcript(taskId)).items.at(-1)?.message.role).toBe("assistant");
});

test("a commit whose answer was lost is found in the store, also when that look fails at first", async () => {
  const lost = once("commit", "after");
  const look = once("get");
  let looking = false;
  const { api, clock } = rig({
    reply: () => [say("gold")],
    wrapStore: (store) =>
      wrappedStore(store, {
        before: (name) => (looking ? look.before?.(name) : undefined),
        after: (name) => {
          looking ||= name === "commit";
          return lost.after?.(name);
        },
      }),
  });
  const { taskId } = await api.delegate({ goal: "dig" });
  await clock.advance(1_000);
  expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({ state: "done", result: "gold" });
});

test("a task that ends while its mail is being read tells of that mail as undelivered", async () => {
  let slow = false;
  const { api, clock, store } = rig({
    reply: () => [hang()],
    wrapStore: (inner, time) =>
      wrappedStore(inner, {
        before: (name) =>
          slow && name === "inbox" ? new Promise<void>((done) => void time.after(50, done)) : undefined,
      }),
  });
  const { taskId } = await api.delegate({ goal: "dig" });
  await clock.advance(10);
  slow = true;
  const { steerId } = await api.steer(taskId, { message: "deeper" });
  await api.cancel(taskId);
  await clock.advance(1_000);
  const events = await store.events({ after: 0, taskId });
  expect(events.filter(({ type }) => type === "steer.undelivered").map(({ data }) => data)).toEqual([
    { steerId, reason: "task_cancelled" },
  ]);
});
