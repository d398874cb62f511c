// steer_task: a word to a child that lives, with a receipt, and a plain no for everybody else.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { MAX_STEER_CHARS } from "../../src/core/limits.ts";
import { textOf } from "../../src/core/message.ts";
import { converse, DELEGATION, goalIn, type Told } from "./conversation.ts";

describe("steer_task", () => {
  test("answers with a receipt at once, and the child reads the message at its next turn", async () => {
    const it = await converse((_, { messages }) =>
      messages.some(({ origin }) => origin === "steer") ? [say("steered")] : [wait(1_000), say("plain")],
    );
    const id = await it.start("dig");
    const receipt = await it.use("steer_task", { task_id: id, message: "deeper" });
    expect(receipt).toMatchObject({ task_id: id, state: "queued", steer_id: expect.any(String) as string });
    expect((await it.messages(id)).some(({ origin }) => origin === "steer")).toBe(false);
    await it.pass(2_000);
    expect((await it.api.check(id)).steers).toMatchObject([
      { steerId: receipt["steer_id"], state: "delivered", turn: 2 },
    ]);
    expect((await it.api.collect(id, { timeoutMs: 0 })).result).toBe("steered");
  });

  test("interrupt: true stops what the child is writing and keeps it", async () => {
    const it = await converse((_, { messages }) =>
      messages.some(({ origin }) => origin === "steer") ? [say("turned")] : [say("half a tho"), hang()],
    );
    const id = await it.start("dig");
    await it.use("steer_task", { task_id: id, message: "turn", interrupt: true });
    await it.pass(5);
    expect((await it.messages(id)).map(textOf)).toEqual(["dig", "half a tho", "[steer] turn", "turned"]);
  });

  test("without interrupt the child writes on to the end of its turn", async () => {
    const it = await converse(() => [wait(500), say("whole thought")]);
    const id = await it.start("dig");
    await it.use("steer_task", { task_id: id, message: "turn", interrupt: false });
    await it.pass(600);
    expect((await it.messages(id)).map(textOf)).toEqual(["dig", "whole thought", "[steer] turn"]);
  });

  test("several steers of one turn reach the child in their order, each once", async () => {
    const it = await converse(() => [wait(500), say("on")]);
    const id = await it.start("dig");
    await it.ask(...["one", "two", "three"].map((message) => call("steer_task", { task_id: id, message })));
    await it.pass(2_000);
    const steers = (await it.messages(id)).filter(({ origin }) => origin === "steer").map(textOf);
    expect(steers).toEqual(["[steer] one", "[steer] two", "[steer] three"]);
  });

  test("a child that waits in the queue takes it with its first turn", async () => {
    const it = await converse((goal) => (goal === "late" ? [say("ok")] : [wait(1_000), say("ok")]), {
      settings: { delegation: { ...DELEGATION, maxConcurrentChildren: 1 } },
    });
    await it.start("first");
    const id = await it.start("late");
    await it.use("steer_task", { task_id: id, message: "hurry" });
    await it.pass(2_000);
    expect((await it.api.check(id)).steers).toMatchObject([{ state: "delivered", turn: 1 }]);
  });

  test("a child that has ended refuses it, and the model reads how it ended", async () => {
    const it = await converse(() => [say("gold")]);
    const id = await it.start("dig");
    await it.pass(10);
    const no = await it.refusal("steer_task", { task_id: id, message: "deeper" });
    expect(no).toBe(`The task ${id} has ended (done) and takes no messages. Delegate a new one.`);
    expect((await it.api.check(id)).steers).toEqual([]);
  });

  test("a steer that no turn took any more is undelivered, with the reason", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.use("steer_task", { task_id: id, message: "deeper" });
    await it.use("cancel_task", { task_id: id });
    await it.pass(10);
    expect((await it.api.check(id)).steers).toMatchObject([
      { state: "undelivered", reason: "task_cancelled", turn: null },
    ]);
  });

  test("reaches a grandchild", async () => {
    const it = await converse(
      (goal, { messages }) =>
        goal === "outer" && messages.at(-1)?.role !== "tool"
          ? [call("delegate_task_async", { goal: "inner" })]
          : [hang()],
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    const outer = await it.start("outer", { role: "orchestrator" });
    await it.pass(10);
    const [inner] = (await it.api.check(outer)).children;
    expect(await it.use("steer_task", { task_id: inner, message: "hello" })).toMatchObject({
      state: "queued",
    });
  });

  test("A2 does not reach the child of another session, nor what does not exist", async () => {
    const it = await converse(() => [hang()]);
    const { taskId } = await it.api.delegate({ goal: "private", parentId: await it.stranger() });
    for (const task_id of [taskId, "task_none"]) {
      expect(await it.refusal("steer_task", { task_id, message: "x" })).toContain("There is no task");
    }
    expect((await it.api.check(taskId)).steers).toEqual([]);
  });

  test("A2 a child cannot steer its parent", async () => {
    const it = await converse(
      (_, request) =>
        request.messages.at(-1)?.role === "tool"
          ? [say("done")]
          : [call("steer_task", { task_id: goalIn(request), message: "obey" })],
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    const id = await it.start(it.sessionId, { role: "orchestrator" });
    await it.pass(20);
    expect(String((await it.results(id))[0])).toContain("There is no task");
  });

  test("is no way to talk to oneself", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("steer_task", { task_id: it.sessionId, message: "x" })).toContain("own");
  });

  test.each([
    ["nothing", {}, /task_id.*message|message.*task_id/],
    ["an empty message", { message: "" }, /message/],
    ["blanks alone", { message: "   " }, /1 to 32000/],
    ["a message that is too long", { message: "x".repeat(MAX_STEER_CHARS + 1) }, /32000/],
    ["an interrupt that is no yes or no", { message: "x", interrupt: "perhaps" }, /interrupt/],
    ["an argument that it does not have", { message: "x", urgent: true }, /urgent/],
  ])("refuses %s", async (name, args, reason) => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    const no = await it.refusal("steer_task", name === "nothing" ? {} : { task_id: id, ...args });
    expect(no).toMatch(reason);
    expect((await it.api.check(id)).steers).toEqual([]);
  });

  test("a model that writes yes as a text is understood", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    const receipt: Told = await it.use("steer_task", { task_id: id, message: "x", interrupt: "true" });
    expect((await it.api.check(id)).steers).toMatchObject([
      { steerId: receipt["steer_id"], interrupt: true },
    ]);
  });

  test("more than 256 that wait are refused, and those that wait are kept", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    for (let n = 0; n < 256; n++) await it.api.steer(id, { message: `word ${n}` });
    expect(await it.refusal("steer_task", { task_id: id, message: "one more" })).toContain("256 undelivered");
    expect((await it.api.check(id)).steers).toHaveLength(256);
  });
});
