// The seam to the store when it fails: a write, a letter or a claim, once or for minutes. What happens is visible,
// nobody hangs, and nothing leaks.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { DELEGATION, goalIn, resultsIn, ROOMY } from "./conversation.ts";
import { watched } from "./failing-store.ts";
import { NOTHING_HELD } from "./rig.ts";

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
    it.fail("submitAll", { times: 1 });
    await expect(it.api.delegate({ goal: "dig" })).rejects.toMatchObject({ code: "busy" });
    expect((await it.api.list()).items).toEqual([]);
    const { taskId } = await it.api.delegate({ goal: "dig" });
    await it.clock.advance(10);
    expect((await it.api.check(taskId)).state).toBe("done");
  });

  test("is accepted all the same when only its claim fails: it is made again until it succeeds", async () => {
    const it = watched({ reply: () => [say("x")] });
    it.fail("claim", { times: 3 });
    const accepted = it.api.delegate({ goal: "dig" });
    await it.clock.advance(2_000);
    const { taskId } = await accepted;
    expect((await it.api.check(taskId)).state).toBe("done");
    expect(it.lines).toHaveLength(3);
  });

  test("does not lose its parent by it, which would be done before its child is there", async () => {
    const it = watched({
      reply: (request) => {
        if (goalIn(request) === "child") return [say("gold")];
        return resultsIn(request.messages).length > 0
          ? [say("done")]
          : [wait(10), call("delegate_task_async", { goal: "child" })];
      },
      settings: { backends: ROOMY, delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
    });
    const { taskId } = await it.api.delegate({ goal: "parent", role: "orchestrator" });
    it.fail("claim", { times: 1 });
    await it.clock.advance(2_000);
    const { items } = await it.api.list({ parentId: taskId });
    expect(items).toMatchObject([{ goal: "child", state: "done" }]);
    const rows = (await it.api.transcript(taskId)).items;
    expect(rows.filter(({ message }) => message.origin === "completion")).toHaveLength(1);
  });
});
