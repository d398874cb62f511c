// cancel_task and list_tasks: ending children, and seeing which there are.

import { describe, expect, test } from "vitest";
import { call, hang, say, wait } from "../../providers/script.ts";
import { converse, DELEGATION, type Conversation } from "./conversation.ts";

const DEEP = { ...DELEGATION, maxSpawnDepth: 2 };

/** A child with a child of its own, both at work. */
async function family(): Promise<{
  readonly it: Conversation;
  readonly outer: string;
  readonly inner: string;
}> {
  const it = await converse(
    (goal, { messages }) =>
      goal === "outer" && messages.at(-1)?.role !== "tool"
        ? [call("delegate_task_async", { goal: "inner" })]
        : [hang()],
    { settings: { delegation: DEEP } },
  );
  const outer = await it.start("outer", { role: "orchestrator" });
  await it.pass(10);
  const [inner] = (await it.api.check(outer)).children;
  return { it, outer, inner: inner as string };
}

describe("cancel_task", () => {
  test("stops a child and everything below it, and says whom", async () => {
    const { it, outer, inner } = await family();
    const receipt = await it.use("cancel_task", { task_id: outer });
    expect(receipt).toMatchObject({ task_id: outer, cancelled: [outer, inner] });
    await it.pass(10);
    expect([await it.state(outer), await it.state(inner)]).toEqual(["cancelled", "cancelled"]);
    expect(it.rig.provider.inFlight).toBe(0);
  });

  test("stops a grandchild alone", async () => {
    const { it, outer, inner } = await family();
    expect(await it.use("cancel_task", { task_id: inner })).toMatchObject({ cancelled: [inner] });
    await it.pass(10);
    expect([await it.state(outer), await it.state(inner)]).toEqual(["running", "cancelled"]);
  });

  test("keeps the reason that was given", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.use("cancel_task", { task_id: id, reason: "no need any more" });
    await it.pass(10);
    const events = await it.rig.store.events({ after: 0, taskId: id });
    expect(events.at(-1)).toMatchObject({ type: "task.cancelled", data: { reason: "no need any more" } });
  });

  test("names the parent as the reason when none was given", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.use("cancel_task", { task_id: id });
    await it.pass(10);
    const events = await it.rig.store.events({ after: 0, taskId: id });
    expect(events.at(-1)?.data).toMatchObject({ reason: "cancelled by its parent" });
  });

  test("may be repeated: the second call changes nothing", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.use("cancel_task", { task_id: id });
    await it.pass(10);
    const { seq } = (await it.rig.store.get(id)) ?? { seq: -1 };
    expect(await it.use("cancel_task", { task_id: id })).toEqual({
      task_id: id,
      cancelled: [],
      state: "cancelled",
    });
    expect((await it.rig.store.get(id))?.seq).toBe(seq);
  });

  test("leaves a child that has ended as it ended", async () => {
    const it = await converse(() => [say("gold")]);
    const id = await it.start("dig");
    await it.pass(10);
    expect(await it.use("cancel_task", { task_id: id })).toMatchObject({ cancelled: [], state: "done" });
    expect(await it.use("collect_task", { task_id: id })).toMatchObject({ state: "done", result: "gold" });
  });

  test("a child that waits in the queue ends without ever having begun", async () => {
    const it = await converse(() => [hang()], {
      settings: { delegation: { ...DELEGATION, maxConcurrentChildren: 1 } },
    });
    await it.start("first");
    const id = await it.start("second");
    await it.use("cancel_task", { task_id: id });
    await it.pass(10);
    expect(await it.api.check(id)).toMatchObject({ state: "cancelled", startedAt: null, turn: 0 });
    expect(it.rig.runtime.counts().waiting).toBe(0);
  });

  test("makes room for the next in the queue", async () => {
    const it = await converse(() => [hang()], {
      settings: { delegation: { ...DELEGATION, maxConcurrentChildren: 1 } },
    });
    const first = await it.start("first");
    const second = await it.start("second");
    await it.use("cancel_task", { task_id: first });
    await it.pass(10);
    expect(await it.state(second)).toBe("running");
  });

  test("the end of the child is announced like any other", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await it.use("cancel_task", { task_id: id });
    await it.pass(100);
    expect(await it.announced()).toEqual([`[task finished] ${id} cancelled: dig\nIt left no result.`]);
  });

  test("A2 stops nobody of another session, nor what does not exist", async () => {
    const it = await converse(() => [hang()]);
    const { taskId } = await it.api.delegate({ goal: "private", parentId: await it.stranger() });
    for (const task_id of [taskId, "task_none"]) {
      expect(await it.refusal("cancel_task", { task_id })).toContain("There is no task");
    }
    expect(await it.state(taskId)).toBe("running");
  });

  test("an agent cannot cancel itself", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("cancel_task", { task_id: it.sessionId })).toContain("this agent's own");
    expect(await it.state(it.sessionId)).toBe("running");
  });

  test.each([[{}], [{ task_id: null }], [{ task_id: "x", force: true }]])("refuses %j", async (args) => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("cancel_task", args)).toMatch(/task_id|force/);
  });
});

describe("list_tasks", () => {
  test("is empty before anything was delegated", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.use("list_tasks", {})).toEqual({ tasks: [] });
  });

  test("lists the children with goals, states and places in the queue, oldest first", async () => {
    const it = await converse((goal) => (goal === "quick" ? [say("x")] : [hang()]), {
      settings: { delegation: { ...DELEGATION, maxConcurrentChildren: 1 } },
    });
    const quick = await it.start("quick");
    await it.pass(10);
    const [slow, later] = [await it.start("slow"), await it.start("later")];
    expect(await it.use("list_tasks", {})).toEqual({
      tasks: [
        { task_id: quick, goal: "quick", state: "done", status: "done", phase: null },
        { task_id: slow, goal: "slow", state: "running", status: "running", phase: "generating" },
        {
          task_id: later,
          goal: "later",
          state: "spawned",
          status: "spawned",
          phase: "queued",
          queue_position: 1,
        },
      ],
    });
  });

  test("A2 lists neither grandchildren nor anybody else's children", async () => {
    const { it, outer } = await family();
    await it.api.delegate({ goal: "private", parentId: await it.stranger() });
    const { tasks } = (await it.use("list_tasks", {})) as unknown as { tasks: { task_id: string }[] };
    expect(tasks.map(({ task_id }) => task_id)).toEqual([outer]);
  });

  test("cuts long goals, and pages through many children by its cursor", async () => {
    const it = await converse(() => [wait(1), say("x")]);
    for (let n = 0; n < 4; n++) {
      const requests = Array.from({ length: 26 }, () => ({ goal: "g".repeat(500), parentId: it.sessionId }));
      await it.api.delegateBatch(requests);
    }
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = (await it.use("list_tasks", cursor === undefined ? {} : { cursor })) as unknown as Page;
      expect(page.tasks[0]?.goal).toBe("g".repeat(120));
      expect(JSON.stringify(page).length).toBeLessThan(13_000);
      seen.push(...page.tasks.map(({ task_id }) => task_id));
      cursor = page.next_cursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(await it.children());
  });

  test("refuses a cursor that it never gave", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("list_tasks", { cursor: "page two" })).toMatch(/cursor/);
  });
});

interface Page {
  readonly tasks: readonly { readonly task_id: string; readonly goal: string }[];
  readonly next_cursor?: string;
}
