// check_task: looking at a child without waiting, and never hearing of a result that is not there.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import { RING_LINE_CHARS } from "../../src/core/limits.ts";
import { converse, DELEGATION } from "./conversation.ts";

describe("check_task", () => {
  test("shows state and phase of a running child, and that there is no result yet", async () => {
    const it = await converse(() => [say("thinking"), hang()]);
    const id = await it.start("dig");
    await it.pass(100);
    expect(await it.use("check_task", { task_id: id })).toMatchObject({
      task_id: id,
      state: "running",
      status: "running",
      phase: "generating",
      output_preview: ["thinking"],
      used: { tokens: 0, cost_micros: 0, gpu_ms: 0, tool_calls: 0 },
      note: "Not finished: there is no result yet.",
    });
  });

  test("shows the last ten lines, the one being written among them", async () => {
    const lines = Array.from({ length: 25 }, (_, n) => `line ${n}`).join("\n");
    const it = await converse(() => [say(lines), hang()]);
    const id = await it.start("dig");
    await it.pass(100);
    const { output_preview } = await it.use("check_task", { task_id: id });
    expect(output_preview).toEqual(Array.from({ length: 10 }, (_, n) => `line ${n + 15}`));
  });

  test("R1 cuts a line of more than 500 characters, with a mark", async () => {
    const it = await converse(() => [say(`${"x".repeat(2_000)}\nshort`), hang()]);
    const id = await it.start("dig");
    await it.pass(100);
    const { output_preview } = (await it.use("check_task", { task_id: id })) as unknown as {
      output_preview: string[];
    };
    expect(output_preview[0]).toHaveLength(RING_LINE_CHARS);
    expect(output_preview).toEqual([`${"x".repeat(RING_LINE_CHARS - 1)}…`, "short"]);
  });

  test("shows the calls of the child and how they went", async () => {
    const it = await converse((_, { messages }) =>
      messages.at(-1)?.role === "tool" ? [hang()] : [call("list_dir", { path: "no-such-place" })],
    );
    const id = await it.start("dig", { toolsets: ["file"] });
    await expect
      .poll(async () => {
        await it.pass(5);
        const view = await it.use("check_task", { task_id: id });
        return (view["output_preview"] as string[]).map((line) => line.slice(0, 12));
      })
      .toEqual(["→ list_dir {", "✗ list_dir: "]);
  });

  test("shows the progress that the child reported, its partial result too", async () => {
    const it = await converse((_, { messages }) =>
      messages.at(-1)?.role === "tool"
        ? [hang()]
        : [call("report_progress", { percent: 40, note: "half the files", partial: { found: 3 } })],
    );
    const id = await it.start("dig", { toolsets: ["progress"] });
    await it.pass(50);
    expect(await it.use("check_task", { task_id: id })).toMatchObject({
      progress: { percent: 40, note: "half the files", partial_result: { found: 3 } },
      output_preview: expect.arrayContaining(["… 40 % half the files"]) as unknown,
    });
  });

  test("shows the place in the queue, and what the child waits for", async () => {
    const it = await converse(() => [hang()]);
    await it.ask(...["a", "b", "c", "d", "e"].map((goal) => call("delegate_task_async", { goal })));
    const ids = await it.children();
    const last = await it.use("check_task", { task_id: ids[4] });
    expect(last).toMatchObject({ state: "spawned", phase: "queued", queue_position: 2 });
    expect(last["waits_for"]).toMatch(/3/);
  });

  test("tells of a failed child with its code", async () => {
    const it = await converse(() => [fail("refused", "filtered", "Not that.")]);
    const id = await it.start("dig");
    await it.pass(10);
    expect(await it.use("check_task", { task_id: id })).toMatchObject({
      state: "failed",
      phase: null,
      failure: { code: "filtered", message: "Not that." },
    });
  });

  test("shows the end of a child that has ended, and where its result is", async () => {
    const it = await converse(() => [say("found\ngold")]);
    const id = await it.start("dig");
    await it.pass(10);
    expect(await it.use("check_task", { task_id: id })).toMatchObject({
      state: "done",
      output_preview: ["found", "gold"],
      note: "Ended. collect_task returns its result.",
    });
  });

  test("tells of a child that is tried again after a failure", async () => {
    let tries = 0;
    const it = await converse(() => (++tries === 1 ? [fail("overloaded")] : [say("ok")]));
    const id = await it.start("dig");
    await it.pass(100);
    expect(await it.use("check_task", { task_id: id })).toMatchObject({
      state: "running",
      phase: "backing_off",
      waits_for: "its next try",
    });
  });

  test("changes nothing: two looks tell the same", async () => {
    const it = await converse(() => [say("x"), hang()]);
    const id = await it.start("dig");
    await it.pass(100);
    expect(await it.use("check_task", { task_id: id })).toEqual(await it.use("check_task", { task_id: id }));
  });

  test("A2 does not know what does not exist", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("check_task", { task_id: "task_none" })).toMatch(
      /There is no task task_none.*list_tasks/,
    );
  });

  test("A2 does not know the child of another session", async () => {
    const it = await converse(() => [hang()]);
    const stranger = await it.stranger();
    const foreign = await it.api.delegate({ goal: "private", parentId: stranger });
    const seen = await it.refusal("check_task", { task_id: foreign.taskId });
    expect(seen).toContain(`There is no task ${foreign.taskId}`);
    expect(seen).not.toContain("private");
  });

  test("A2 a child does not know its parent or its sibling", async () => {
    const it = await converse(
      (goal, { messages }) => {
        if (goal === "sibling") return [hang()];
        if (messages.at(-1)?.role === "tool") return [say("done")];
        return goal.split(" ").map((id) => call("check_task", { task_id: id }));
      },
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 2 } } },
    );
    const sibling = await it.start("sibling");
    await it.use("delegate_task_async", { goal: `${sibling} ${it.sessionId}`, role: "orchestrator" });
    await it.pass(50);
    const [, curious] = await it.children();
    const answers = (await it.results(curious)).map(String);
    expect(answers).toHaveLength(2);
    for (const answer of answers) expect(answer).toContain("There is no task");
  });

  test.each([[{}], [{ task_id: "" }], [{ task_id: ["a", "b"] }], [{ id: "x" }]])(
    "refuses %j",
    async (args) => {
      const it = await converse(() => [hang()]);
      expect(await it.refusal("check_task", args)).toMatch(/task_id/);
    },
  );

  test("does not wait: a child that never answers costs the conversation nothing", async () => {
    const it = await converse(() => [wait(3_600_000), say("late")]);
    const id = await it.start("dig");
    const before = it.rig.clock.now();
    await it.use("check_task", { task_id: id });
    expect(it.rig.clock.now() - before).toBe(5);
  });
});
