// The seam to the store when it misbehaves: another owner takes a task, a write fails once or for good, a claim runs
// out. What happens is visible, nobody hangs, and nothing leaks.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { StoreError } from "../../src/base/errors.ts";
import { lineLogger } from "../../src/base/log.ts";
import { goalIn, resultsIn, ROOMY } from "./conversation.ts";
import { NOTHING_HELD, rig, type Rig, type RigOptions } from "./rig.ts";
import { wrappedStore, type StoreCall } from "./wrapped-store.ts";

const OTHER = { owner: "another box", boxId: "testbox", ttlMs: 60_000, max: 100 };

interface Failing {
  readonly times?: number;
  /** Before the store has done it, or after. */
  readonly when?: "before" | "after";
  readonly taskId?: string;
}

interface Watched extends Rig {
  readonly lines: readonly string[];
  /** Lets the next calls of this kind fail, all of them without a number; gives the end of it. */
  fail(what: StoreCall, how?: Failing): () => void;
}

function watched(options: Omit<RigOptions, "wrapStore" | "logger">): Watched {
  const lines: string[] = [];
  const plans = new Set<Failing & { readonly what: StoreCall; left: number }>();
  const hit =
    (when: "before" | "after") =>
    (what: StoreCall, args: readonly unknown[]): void => {
      const named =
        typeof args[0] === "string" ? args[0] : (args[0] as { taskId?: string } | undefined)?.taskId;
      for (const plan of plans) {
        if (plan.what !== what || (plan.when ?? "before") !== when || plan.left === 0) continue;
        if (plan.taskId !== undefined && plan.taskId !== named) continue;
        plan.left -= 1;
        throw new StoreError("busy", "The disk is full.");
      }
    };
  const made = rig({
    settings: { backends: ROOMY },
    ...options,
    logger: lineLogger((line) => lines.push(line), "warn"),
    wrapStore: (store) => wrappedStore(store, { before: hit("before"), after: hit("after") }),
  });
  return {
    ...made,
    lines,
    fail: (what, how = {}) => {
      const plan = { ...how, what, left: how.times ?? Infinity };
      plans.add(plan);
      return () => void plans.delete(plan);
    },
  };
}

describe("a write that fails", () => {
  test("once is made again, and the task comes to its end as if nothing had been", async () => {
    const it = watched({ reply: () => [wait(10), say("gold")] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    it.fail("commit", { times: 1 });
    await it.clock.advance(2_000);
    expect(await it.api.collect(taskId)).toMatchObject({ state: "done", result: "gold" });
    expect(it.lines).toEqual([
      expect.stringMatching(/warn: the store failed and is asked again.*disk is full/),
    ]);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test.each([1, 2, 3, 4, 5, 6])("J1 number %i, though it was written, is not written twice", async (nth) => {
    const it = watched({ reply: () => [wait(10), say("gold")] });
    let commits = 0;
    const { taskId } = await it.api.delegate({ goal: "dig" });
    while (++commits < nth) await it.clock.advance(2);
    it.fail("commit", { times: 1, when: "after" });
    await it.clock.advance(10_000);
    expect(await it.api.collect(taskId)).toMatchObject({ state: "done", result: "gold" });
    const events = await it.store.events({ after: 0, taskId });
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === "task.done")).toHaveLength(1);
    const rows = await it.store.transcript(taskId, {});
    expect(rows.map(({ message }) => message.role)).toEqual(["user", "assistant"]);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("for ten minutes holds up its own task alone, says so, and the task ends once the store is back", async () => {
    const it = watched({ reply: () => [wait(10), say("gold")] });
    const held = await it.api.delegate({ goal: "held" });
    const heal = it.fail("commit", { taskId: held.taskId });
    const other = await it.api.delegate({ goal: "other" });
    await it.clock.advance(600_000);
    expect(await it.api.collect(other.taskId)).toMatchObject({ state: "done" });
    expect(await it.api.collect(held.taskId, { timeoutMs: 0 })).toMatchObject({ finished: false });
    expect(it.lines.length).toBeGreaterThan(40);
    heal();
    await it.clock.advance(20_000);
    expect(await it.api.collect(held.taskId)).toMatchObject({ state: "done", result: "gold" });
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("of a child keeps its parent waiting, which then hears of the end once", async () => {
    const it = watched({
      reply: (request) => {
        if (goalIn(request) === "child") return [wait(10), say("gold")];
        return resultsIn(request.messages).length > 0
          ? [say("so be it")]
          : [call("delegate_task", { goal: "child" })];
      },
    });
    const session = await it.api.createSession();
    await it.api.sendMessage(session.taskId, { text: "go" });
    await it.clock.advance(5);
    const [child] = (await it.api.check(session.taskId)).children;
    const heal = it.fail("commit", { taskId: child as string });
    await it.clock.advance(60_000);
    expect((await it.api.check(session.taskId)).phase).toBe("waiting_children");
    heal();
    await it.clock.advance(20_000);
    const rows = (await it.api.transcript(session.taskId)).items.map(({ message }) => message);
    expect(resultsIn(rows)).toMatchObject([{ results: [{ finished: true, result: "gold" }] }]);
    expect(rows.filter(({ origin }) => origin === "completion")).toEqual([]);
  });

  test("for good does not keep a task from being called off by force", async () => {
    const it = watched({ reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    const heal = it.fail("commit");
    await it.api.cancel(taskId, { force: true });
    await it.clock.advance(10);
    expect(it.provider.inFlight).toBe(0);
    heal();
    await it.clock.advance(1_000);
    expect((await it.api.check(taskId)).state).toBe("cancelled");
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
  });

  test("of the end itself is made again: the parent is told once", async () => {
    const it = watched({
      reply: (request) => (goalIn(request) === "child" ? [wait(100), say("gold")] : [say("ok")]),
    });
    const session = await it.api.createSession();
    const { taskId } = await it.api.delegate({ goal: "child", parentId: session.taskId });
    await it.clock.advance(50);
    it.fail("commit", { times: 2, when: "after", taskId });
    await it.clock.advance(10_000);
    const inbox = await it.store.inbox(session.taskId, 0);
    expect(inbox.map(({ message, state }) => [message.id, state])).toEqual([[taskId, "delivered"]]);
  });
});

describe("mail that cannot be read", () => {
  test("once is read again, and nothing is missed", async () => {
    const it = watched({
      reply: ({ messages }) => (messages.length > 2 ? [say("steered")] : [wait(1_000), say("plain")]),
    });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    it.fail("inbox", { times: 2, taskId });
    await it.api.steer(taskId, { message: "deeper" });
    await it.clock.advance(2_000);
    expect(await it.api.collect(taskId)).toMatchObject({ result: "steered" });
  });

  test("for minutes is read when the store is back", async () => {
    const it = watched({ reply: ({ messages }) => (messages.length > 2 ? [say("steered")] : [hang()]) });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    const heal = it.fail("inbox", { taskId });
    await it.api.steer(taskId, { message: "deeper", interrupt: true });
    await it.clock.advance(300_000);
    heal();
    await it.clock.advance(20_000);
    expect(await it.api.collect(taskId)).toMatchObject({ result: "steered" });
  });
});

describe("a task that cannot be accepted", () => {
  test("is an error for its caller, and nothing is left of it", async () => {
    const it = watched({ reply: () => [say("x")] });
    it.fail("submit", { times: 1 });
    await expect(it.api.delegate({ goal: "dig" })).rejects.toMatchObject({ code: "busy" });
    expect((await it.api.list()).items).toEqual([]);
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    expect((await it.api.check(taskId)).state).toBe("done");
  });

  test("is accepted all the same when only its claim fails, and hosted with the next one", async () => {
    const it = watched({ reply: () => [say("x")] });
    it.fail("claim", { times: 1 });
    expect(await it.api.delegate({ goal: "first" })).toMatchObject({ state: "spawned" });
    expect(it.lines).toEqual([expect.stringContaining("could not be claimed")]);
    await it.api.delegate({ goal: "second" });
    await it.clock.advance(10);
    expect((await it.api.list()).items.map(({ state }) => state)).toEqual(["done", "done"]);
  });
});

describe("a task that another owner has claimed", () => {
  /** Claims run out while this box does not renew them, and another takes everything. */
  async function stolen(it: Watched): Promise<void> {
    const heal = it.fail("heartbeat");
    await it.clock.advance(70_000);
    expect(await it.store.claim(OTHER)).not.toEqual([]);
    heal();
  }

  test("is let go at the next heartbeat, though it has nothing to write: socket, lease and place are free", async () => {
    const it = watched({ reply: () => [hang()] });
    await it.api.delegate({ goal: "dig" });
    await stolen(it);
    expect(it.provider.inFlight).toBe(1);
    await it.clock.advance(20_000);
    expect(it.lines.at(-1)).toMatch(/error: a task is lost to the store.*code="fenced"/);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    expect(it.provider.inFlight).toBe(0);
  });

  test("is let go at its next write, and nothing of that write is in the store", async () => {
    const it = watched({ reply: () => [wait(75_000), say("too late")] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await stolen(it);
    const before = await it.store.get(taskId);
    await it.clock.advance(6_000);
    expect(await it.store.get(taskId)).toEqual(before);
    expect(it.runtime.counts()).toEqual(NOTHING_HELD);
    expect(it.provider.inFlight).toBe(0);
  });

  test("answers those who wait for it here, unfinished", async () => {
    const it = watched({ reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    const waiting = it.api.collect(taskId);
    await stolen(it);
    await it.clock.advance(20_000);
    expect(await waiting).toMatchObject({ finished: false });
  });
});

describe("a claim that ran out while nobody renewed it", () => {
  test("O2 is renewed before the next claim: living tasks are not claimed beneath their hosts", async () => {
    const it = watched({ reply: () => [wait(100_000), say("gold")] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    const heal = it.fail("heartbeat");
    await it.clock.advance(70_000);
    heal();
    await it.api.delegate({ goal: "another" });
    await it.clock.advance(40_000);
    expect(await it.api.collect(taskId)).toMatchObject({ state: "done", result: "gold" });
    expect(it.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

describe("closing the runtime", () => {
  test("ends no task: everything is given back and another box finds it as it was", async () => {
    const it = watched({ reply: () => [hang()] });
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    const waiting = it.api.collect(taskId);
    await it.runtime.close();
    expect(await waiting).toMatchObject({ finished: false });
    expect(await it.store.get(taskId)).toMatchObject({ state: "running", end: null });
    expect((await it.store.claim(OTHER)).map((claim) => claim.taskId)).toEqual([taskId]);
    await it.clock.advance(120_000);
    expect(it.lines).toEqual([]);
    expect(it.clock.pending).toBe(0);
    expect(it.provider.inFlight).toBe(0);
  });

  test("in the pause before a write is made again does not wait for it", async () => {
    const it = watched({ reply: () => [say("x")] });
    it.fail("commit");
    await it.api.delegate({ goal: "dig" });
    await it.clock.advance(100);
    await it.runtime.close();
    await it.clock.advance(60_000);
    expect(it.clock.pending).toBe(0);
    expect(it.lines.every((line) => line.startsWith("warn"))).toBe(true);
  });
});
