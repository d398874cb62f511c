// delegate_task: one child or several, waited for without holding anything.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { converse, DELEGATION, goalIn, resultsIn, ROOMY } from "./conversation.ts";
import { agentNamed, rig } from "./rig.ts";

const TOOL = "delegate_task";

interface Results {
  readonly results: readonly {
    readonly task_id: string;
    readonly result?: string;
    readonly finished: boolean;
  }[];
}

describe("delegate_task", () => {
  test("waits for its child and returns the result, holding no lease while it waits", async () => {
    const it = await converse(() => [wait(200), say("gold")]);
    await it.ask(call(TOOL, { goal: "dig" }));
    expect((await it.api.check(it.sessionId)).phase).toBe("waiting_children");
    expect(it.rig.runtime.counts().leases).toBe(1);
    await it.pass(300);
    expect(await it.results()).toMatchObject([
      { results: [{ finished: true, state: "done", result: "gold" }] },
    ]);
    expect(await it.announced()).toEqual([]);
  });

  test("runs a batch, and gives all results in the order asked, whatever the order of the ends", async () => {
    const it = await converse((goal) => [wait(Number(goal)), say(`after ${goal}`)]);
    await it.ask(call(TOOL, { tasks: [{ goal: "300" }, { goal: "100" }, { goal: "200" }] }));
    await it.pass(500);
    const [{ results }] = (await it.results()) as [Results];
    expect(results.map(({ result }) => result)).toEqual(["after 300", "after 100", "after 200"]);
  });

  test("a batch of more than may run at once finishes all the same", async () => {
    let most = 0;
    const it = await converse(() => {
      most = Math.max(most, it.rig.provider.inFlight);
      return [wait(10), say("x")];
    });
    await it.ask(call(TOOL, { tasks: Array.from({ length: 32 }, (_, n) => ({ goal: `g${n}` })) }));
    await it.pass(1_000);
    const [{ results }] = (await it.results()) as [Results];
    expect(results.filter(({ finished }) => finished)).toHaveLength(32);
    expect(most).toBe(3);
  });

  test("spawns nothing of a batch when one of its tasks is refused", async () => {
    const it = await converse(() => [say("x")]);
    const no = await it.refusal(TOOL, { tasks: [{ goal: "good" }, { goal: "bad", agent: "nobody" }] });
    expect(no).toContain("nobody");
    expect(await it.children()).toEqual([]);
  });

  test("does not wait for an agent whose definition says async", async () => {
    const it = await converse(() => [hang()], {
      settings: { agents: [agentNamed("slow", { async: true })] },
    });
    const told = await it.use(TOOL, { goal: "dig", agent: "slow" });
    expect(told).toMatchObject({ tasks: [{ note: expect.stringContaining("Started.") as string }] });
  });

  test("waits in a batch for those that are not async, and says of the others that they go on", async () => {
    const it = await converse((goal) => (goal === "slow" ? [hang()] : [wait(50), say("quick")]), {
      settings: { agents: [agentNamed("slow", { async: true })] },
    });
    await it.ask(call(TOOL, { tasks: [{ goal: "slow", agent: "slow" }, { goal: "quick" }] }));
    await it.pass(100);
    expect(await it.results()).toMatchObject([
      {
        results: [
          { finished: false, note: expect.stringContaining("Do not make one up") as string },
          { result: "quick" },
        ],
      },
    ]);
  });

  test("tells of a child that failed, with its code, beside those that did not", async () => {
    const it = await converse((goal) =>
      goal === "bad" ? [fail("auth", "unauthorized", "No key.")] : [say("ok")],
    );
    await it.ask(call(TOOL, { tasks: [{ goal: "bad" }, { goal: "good" }] }));
    await it.pass(50);
    expect(await it.results()).toMatchObject([
      {
        results: [
          { state: "failed", failure: { code: "unauthorized" } },
          { state: "done", result: "ok" },
        ],
      },
    ]);
  });

  test("tells of a child that ran out of time", async () => {
    const it = await converse(() => [hang()], {
      settings: { limits: { ...DEFAULT_TASK_LIMITS, timeoutMs: 1_000 } },
    });
    await it.ask(call(TOOL, { goal: "dig" }));
    await it.pass(20_000);
    expect(await it.results()).toMatchObject([
      { results: [{ finished: true, state: "failed", failure: { code: "timeout" } }] },
    ]);
  });

  test("tells of a child that a person cancelled meanwhile", async () => {
    const it = await converse(() => [hang()]);
    await it.ask(call(TOOL, { goal: "dig" }));
    await it.api.cancel((await it.children())[0] as string);
    await it.pass(10);
    expect(await it.results()).toMatchObject([{ results: [{ finished: true, state: "cancelled" }] }]);
  });

  test("a person's message ends the wait: the children go on and their ids are what the call returns", async () => {
    const it = await converse(() => [wait(10_000), say("gold")]);
    await it.ask(call(TOOL, { goal: "dig" }));
    await it.api.sendMessage(it.sessionId, { text: "still there?" });
    await it.pass(20);
    const ids = await it.children();
    expect(await it.results()).toMatchObject([
      { interrupted: true, task_ids: ids, results: [{ finished: false }] },
    ]);
    expect(await it.state(ids[0] as string)).toBe("running");
    await it.pass(20_000);
    expect(await it.announced()).toEqual([`[task finished] ${ids[0]} done: dig\ngold`]);
  });

  test("who had ended before the interruption is told with it, and not announced again", async () => {
    const it = await converse((goal) => (goal === "quick" ? [say("q")] : [wait(1_000), say("s")]));
    await it.ask(call(TOOL, { tasks: [{ goal: "quick" }, { goal: "slow" }] }));
    await it.pass(50);
    await it.api.sendMessage(it.sessionId, { text: "well?" });
    await it.pass(50);
    const [quick, slow] = await it.children();
    expect(await it.results()).toMatchObject([
      { task_ids: [slow], results: [{ task_id: quick, finished: true, result: "q" }, { finished: false }] },
    ]);
    await it.pass(2_000);
    expect(await it.announced()).toEqual([`[task finished] ${slow} done: slow\ns`]);
  });

  test("on_interrupt: cancel gives Hermes's rule instead", async () => {
    const it = await converse(() => [hang()], {
      settings: { delegation: { ...DELEGATION, onInterrupt: "cancel" } },
    });
    await it.ask(call(TOOL, { goal: "dig" }));
    await it.api.sendMessage(it.sessionId, { text: "stop that" });
    await it.pass(20);
    expect(await it.results()).toMatchObject([
      { interrupted: true, note: expect.stringContaining("were cancelled") as string },
    ]);
    expect(await it.state((await it.children())[0] as string)).toBe("cancelled");
  });

  test("a task that waits gives its place back, and goes before new children once it asks again", async () => {
    const order: string[] = [];
    const { api, clock } = rig({
      settings: {
        backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 1, maxChildren: 1, local: true }],
        delegation: { ...DELEGATION, maxSpawnDepth: 2 },
      },
      reply: (request) => {
        const goal = goalIn(request);
        const told = resultsIn(request.messages).length > 0;
        order.push(told ? `${goal} again` : goal);
        return goal === "parent" && !told ? [call(TOOL, { goal: "child" })] : [wait(100), say(goal)];
      },
    });
    await api.delegate({ goal: "parent", role: "orchestrator" });
    await clock.advance(20);
    for (const goal of ["new 1", "new 2"]) await api.delegate({ goal });
    await clock.advance(1_000);
    // The child's place is free before the parent can ask: one new child may slip in, and no second.
    expect(order).toEqual(["parent", "child", "new 1", "parent again", "new 2"]);
  });

  test("only an interrupting steer ends the wait of a task: another waits for its next turn", async () => {
    const { api, clock } = rig({
      settings: { backends: ROOMY, delegation: { ...DELEGATION, maxSpawnDepth: 2 } },
      reply: (request) => {
        if (goalIn(request) === "child") return [hang()];
        return resultsIn(request.messages).length > 0 ? [hang()] : [call(TOOL, { goal: "child" })];
      },
    });
    const { taskId } = await api.delegate({ goal: "parent", role: "orchestrator" });
    await clock.advance(20);
    await api.steer(taskId, { message: "by the way" });
    await clock.advance(20);
    expect((await api.check(taskId)).phase).toBe("waiting_children");
    await api.steer(taskId, { message: "now", interrupt: true });
    await clock.advance(20);
    expect(await api.check(taskId)).toMatchObject({
      phase: "generating",
      steers: [{ state: "delivered" }, { state: "delivered" }],
    });
  });

  test.each([
    ["nothing", {}, /Expected goal, or tasks with a goal each/],
    ["goal and tasks", { goal: "a", tasks: [{ goal: "b" }] }, /either goal or tasks and got both/],
    ["no tasks in tasks", { tasks: [] }, /tasks: expected at least 1 items/],
    ["a task without a goal", { tasks: [{ context: "no goal" }] }, /tasks\.0\.goal/],
    ["33 tasks", { tasks: Array.from({ length: 33 }, (_, n) => ({ goal: `g${n}` })) }, /at most 32 items/],
    ["a batch with an empty goal", { tasks: [{ goal: "a" }, { goal: "  " }] }, /Expected a goal in words/],
  ])("refuses %s", async (_, args, reason) => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal(TOOL, args)).toMatch(reason);
    expect(await it.children()).toEqual([]);
  });
});
