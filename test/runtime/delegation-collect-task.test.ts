// collect_task: waiting for a child's end, for as long as wished and no longer, and never making a result up.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { converse, DELEGATION, goalIn } from "./conversation.ts";

const UNFINISHED = "Not finished: there is no result yet. Do not make one up.";

describe("collect_task", () => {
  test("gives the whole result of a child that has ended, without waiting", async () => {
    const it = await converse(() => [say("gold\nand silver — 你好 👋")]);
    const id = await it.start("dig");
    await it.pass(10);
    expect(await it.use("collect_task", { task_id: id })).toEqual({
      task_id: id,
      finished: true,
      state: "done",
      status: "done",
      result: "gold\nand silver — 你好 👋",
    });
  });

  test("waits for the end, and holds no lease meanwhile", async () => {
    const it = await converse(() => [wait(1_000), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id }));
    expect(await it.api.check(it.sessionId)).toMatchObject({ phase: "waiting_children" });
    expect(it.rig.runtime.counts().leases).toBe(1);
    await it.pass(1_100);
    expect((await it.results())[1]).toMatchObject({ finished: true, result: "gold" });
  });

  test("with a timeout it comes back unfinished, and the child goes on", async () => {
    const it = await converse(() => [wait(10_000), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id, timeout: 2 }));
    await it.pass(1_900);
    expect(await it.results()).toHaveLength(1);
    await it.pass(200);
    expect((await it.results())[1]).toEqual({
      task_id: id,
      finished: false,
      state: "running",
      status: "running",
      note: UNFINISHED,
    });
    expect(await it.state(id)).toBe("running");
  });

  test("timeout 0 only looks", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    expect(await it.use("collect_task", { task_id: id, timeout: 0 })).toMatchObject({
      finished: false,
      note: UNFINISHED,
    });
  });

  test("a child that ends before the timeout is told at once", async () => {
    const it = await converse(() => [wait(100), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id, timeout: 600 }));
    await it.pass(150);
    expect((await it.results())[1]).toMatchObject({ finished: true, result: "gold" });
  });

  test("the timer of a wait that has ended does nothing later", async () => {
    const it = await converse(() => [wait(100), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id, timeout: 60 }));
    await it.pass(120_000);
    expect(await it.results()).toHaveLength(2);
    expect(it.rig.clock.pending).toBe(1);
  });

  test("collecting twice gives the same bytes", async () => {
    const it = await converse(() => [say("gold")]);
    const id = await it.start("dig");
    await it.pass(10);
    await it.use("collect_task", { task_id: id });
    await it.use("collect_task", { task_id: id, timeout: 5 });
    const [, first, second] = (await it.messages())
      .flatMap(({ parts }) => parts)
      .filter((part) => part.type === "tool_result")
      .map(({ text }) => text);
    expect(second).toBe(first);
  });

  test("what it told is not announced a second time", async () => {
    const it = await converse(() => [wait(100), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id }));
    await it.pass(1_000);
    expect(await it.announced()).toEqual([]);
    const turns = (await it.messages()).filter(({ role }) => role === "assistant").length;
    await it.pass(10_000);
    expect((await it.messages()).filter(({ role }) => role === "assistant")).toHaveLength(turns);
  });

  test("what it could not tell is announced when it comes", async () => {
    const it = await converse(() => [wait(5_000), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id, timeout: 1 }));
    await it.pass(10_000);
    expect(await it.announced()).toEqual([`[task finished] ${id} done: dig\ngold`]);
  });

  test("several children are collected in one turn, each as it ends", async () => {
    const it = await converse((goal) => [wait(Number(goal)), say(`after ${goal}`)]);
    const ids = [await it.start("300"), await it.start("100"), await it.start("200")];
    await it.ask(...ids.map((task_id) => call("collect_task", { task_id })));
    await it.pass(500);
    const results = (await it.results()).slice(3) as { result: string }[];
    expect(results.map(({ result }) => result)).toEqual(["after 300", "after 100", "after 200"]);
    expect(await it.announced()).toEqual([]);
  });

  test("tells of a failure with its code, and of no result", async () => {
    const it = await converse(() => [fail("refused", "filtered", "Not that.")]);
    const id = await it.start("dig");
    await it.pass(10);
    const outcome = await it.use("collect_task", { task_id: id });
    expect(outcome).toEqual({
      task_id: id,
      finished: true,
      state: "failed",
      status: "failed",
      failure: { code: "filtered", message: "Not that." },
    });
  });

  test("tells of a cancelled child, and what it had answered before", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id }));
    await it.api.cancel(id);
    await it.pass(10);
    expect((await it.results())[1]).toMatchObject({ finished: true, state: "cancelled" });
  });

  test("says when a result was cut", async () => {
    const it = await converse(() => [say("x".repeat(5_000))], {
      settings: { limits: { ...DEFAULT_TASK_LIMITS, maxResultChars: 1_000 } },
    });
    const id = await it.start("dig");
    await it.pass(10);
    const outcome = await it.use("collect_task", { task_id: id });
    expect(outcome).toMatchObject({ finished: true, truncated: true });
    expect(outcome["result"]).toHaveLength(1_000);
    expect(outcome["result"]).toMatch(/\[4000 characters cut\]/);
  });

  test("a person's message ends the wait: the child goes on, and its end is announced later", async () => {
    const it = await converse(() => [wait(1_000), say("gold")]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id }));
    await it.api.sendMessage(it.sessionId, { text: "are you there?" });
    await it.pass(10);
    expect((await it.results())[1]).toMatchObject({ interrupted: true, task_ids: [id] });
    await it.pass(2_000);
    expect(await it.announced()).toEqual([`[task finished] ${id} done: dig\ngold`]);
  });

  test("an agent cannot wait for itself", async () => {
    const it = await converse(
      (_, request) =>
        request.messages.at(-1)?.role === "tool"
          ? [say("well then")]
          : [call("collect_task", { task_id: request.messages[0] ? "self" : "" })],
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    expect(await it.refusal("collect_task", { task_id: it.sessionId })).toContain("this agent's own");
    await it.pass(10);
    expect(await it.api.check(it.sessionId)).toMatchObject({ phase: "waiting_input" });
  });

  test("A2 waits for nobody of another session, nor for what does not exist", async () => {
    const it = await converse(() => [hang()]);
    const { taskId } = await it.api.delegate({ goal: "private", parentId: await it.stranger() });
    for (const task_id of [taskId, "task_none", ""]) {
      const no = await it.refusal("collect_task", { task_id });
      expect(no).toMatch(task_id === "" ? /task_id/ : /There is no task/);
    }
  });

  test("A2 a child cannot wait for its parent, which waits for it", async () => {
    const it = await converse(
      (_, request) =>
        request.messages.at(-1)?.role === "tool"
          ? [say("done")]
          : [call("collect_task", { task_id: goalIn(request) })],
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    await it.ask(call("delegate_task", { goal: it.sessionId, role: "orchestrator" }));
    await it.pass(50);
    expect((await it.results())[0]).toMatchObject({ results: [{ finished: true, result: "done" }] });
  });

  test.each([
    [{ timeout: -1 }, /timeout/],
    [{ timeout: "soon" }, /timeout/],
    [{ wait: 5 }, /wait/],
  ])("refuses %j", async (rest, reason) => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    expect(await it.refusal("collect_task", { task_id: id, ...rest })).toMatch(reason);
  });

  test("a timeout written as a text is understood", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.ask(call("collect_task", { task_id: id, timeout: "0.5" }));
    await it.pass(600);
    expect((await it.results())[1]).toMatchObject({ finished: false });
  });
});
