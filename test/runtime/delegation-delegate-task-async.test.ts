// delegate_task_async: a child in the background, its id at once, its end as a message later.

import { describe, expect, test } from "vitest";
import { call, fail, hang, say, wait } from "../../providers/script.ts";
import { textOf, type Message } from "../../src/core/message.ts";
import { converse, DELEGATION } from "./conversation.ts";
import { agentNamed } from "./rig.ts";

const TOOL = "delegate_task_async";

describe("delegate_task_async", () => {
  test("A1 returns a task id at once while the child still runs", async () => {
    const it = await converse(() => [hang()]);
    const told = await it.use(TOOL, { goal: "dig" });
    expect(told).toMatchObject({
      task_id: expect.stringMatching(/^task_[0-9a-f]{32}$/) as string,
      note: "Started. Its result will reach you as a message; do not make one up.",
    });
    expect(await it.state(told.task_id)).toBe("running");
  });

  test("gives the child the goal and the context and nothing of the conversation", async () => {
    let seen: readonly Message[] = [];
    const it = await converse((_, { messages }) => {
      seen = messages;
      return [say("ok")];
    });
    await it.api.sendMessage(it.sessionId, { text: "a secret of the conversation" });
    await it.pass(10);
    await it.use(TOOL, { goal: "dig", context: "only here" });
    expect(seen.filter(({ role }) => role === "user").map(textOf)).toEqual(["dig\n\nContext:\nonly here"]);
    expect(JSON.stringify(seen)).not.toContain("secret");
  });

  test("announces the end of the child as a new turn, once, with its result", async () => {
    const it = await converse(() => [wait(100), say("gold")]);
    const id = await it.start("dig");
    await it.pass(5_000);
    expect(await it.announced()).toEqual([`[task finished] ${id} done: dig\ngold`]);
    expect((await it.messages()).at(-1)).toMatchObject({ role: "assistant", origin: "model" });
  });

  test("announces a failure with its code and message", async () => {
    const it = await converse(() => [fail("refused", "filtered", "Not that.")]);
    const id = await it.start("dig");
    await it.pass(10);
    expect(await it.announced()).toEqual([
      `[task finished] ${id} failed: dig\nIt failed (filtered): Not that.`,
    ]);
  });

  test("announces ends in the order in which they came", async () => {
    const it = await converse((goal) => [wait(Number(goal)), say(goal)]);
    await it.ask(...["300", "100", "200"].map((goal) => call(TOOL, { goal })));
    await it.pass(1_000);
    expect((await it.announced()).map((text) => text.split("\n")[1])).toEqual(["100", "200", "300"]);
  });

  test("an end that comes while the parent writes waits for its next turn", async () => {
    const it = await converse((goal) => (goal === "slow" ? [hang()] : [wait(50), say("gold")]));
    await it.start("dig");
    await it.ask(
      call("collect_task", { task_id: (await it.children())[0], timeout: 0 }),
      call(TOOL, { goal: "slow" }),
    );
    await it.pass(200);
    const origins = (await it.messages()).map(({ origin }) => origin);
    expect(origins.slice(-2)).toEqual(["completion", "model"]);
  });

  test("creates several children in one turn, in order", async () => {
    const it = await converse(() => [hang()]);
    await it.ask(...["a", "b", "c"].map((goal) => call(TOOL, { goal })));
    const views = await Promise.all((await it.children()).map((id) => it.api.check(id)));
    expect(views.map(({ goal }) => goal)).toEqual(["a", "b", "c"]);
  });

  test("runs the child on the model for children, not on its parent's", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    expect((await it.api.check(it.sessionId)).model.model).toBe("parent");
    expect((await it.api.check(id)).model.model).toBe("child");
  });

  test("a named agent brings its instructions, its model and its limits", async () => {
    let system = "";
    const it = await converse(
      (_, { messages }) => {
        system = messages[0] ? textOf(messages[0]) : "";
        return [hang()];
      },
      {
        settings: {
          agents: [
            agentNamed("geologist", {
              instructions: "You know stones.",
              model: "gpu/parent",
              limits: { timeoutMs: 1_000 },
            }),
          ],
        },
      },
    );
    const id = await it.start("dig", { agent: "geologist" });
    expect(system).toMatch(/^You know stones\.\n\nWorkspace: \/tmp$/);
    expect(await it.api.check(id)).toMatchObject({ agent: "geologist", model: { model: "parent" } });
    await it.pass(2_000);
    expect((await it.api.check(id)).failure?.code).toBe("timeout");
  });

  test("says where a person can watch, where something serves", async () => {
    const it = await converse(() => [hang()], { settings: { link: "http://127.0.0.1:4141" } });
    const told = await it.use(TOOL, { goal: "dig" });
    expect(told["link"]).toBe(`http://127.0.0.1:4141/#/task/${told.task_id}`);
  });

  test("queues what is over max_concurrent_children, and starts it when one ends", async () => {
    const it = await converse((goal) => (goal === "a" ? [wait(50), say("done")] : [hang()]));
    await it.ask(...["a", "b", "c", "d", "e"].map((goal) => call(TOOL, { goal })));
    const told = (await it.results()) as { state: string; queue_position?: number }[];
    expect(told.map((each) => each.queue_position)).toEqual([undefined, undefined, undefined, 1, 2]);
    await it.pass(100);
    const states = await Promise.all((await it.children()).map((id) => it.state(id)));
    expect(states).toEqual(["done", "running", "running", "running", "spawned"]);
  });

  test("respects the concurrency_limit of an agent under one parent", async () => {
    const it = await converse(() => [hang()], {
      settings: {
        agents: [agentNamed("research", { concurrencyLimit: 1 })],
        delegation: { ...DELEGATION, maxConcurrentChildren: 10 },
      },
    });
    for (const goal of ["a", "b", "c"]) await it.start(goal, { agent: "research" });
    await it.start("free");
    const states = await Promise.all((await it.children()).map((id) => it.state(id)));
    expect(states).toEqual(["running", "spawned", "spawned", "running"]);
  });

  test.each([
    ["an empty goal", { goal: "" }, /goal: expected at least 1 characters/],
    ["a goal of blanks", { goal: " \n " }, /Expected a goal in words/],
    ["a goal that is no text", { goal: { deep: 1 } }, /goal: expected a text/],
    ["no goal", {}, /goal: expected a text, but it is missing/],
    ["a goal of 5 MB", { goal: "g".repeat(5_000_000) }, /at most 100000 characters and got 5000000/],
    ["a context of 5 MB", { goal: "x", context: "c".repeat(5_000_000) }, /at most 400000 characters/],
    ["an unknown agent", { goal: "x", agent: "nobody" }, /There is no agent "nobody" under agents:/],
    ["a toolset of another version", { goal: "x", toolsets: ["terminal"] }, /no toolset "terminal"/],
    ["a role that there is not", { goal: "x", role: "boss" }, /role: expected one of "leaf", "orchestrator"/],
    ["a model, which is not for agents to choose", { goal: "x", model: "gpt" }, /model: not known/],
    ["tasks, which are delegate_task's", { goal: "x", tasks: [] }, /tasks: not known/],
  ])("refuses %s, and spawns nothing", async (_, args, reason) => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal(TOOL, args)).toMatch(reason);
    expect(await it.children()).toEqual([]);
    expect(it.rig.runtime.counts().living).toBe(1);
  });

  test("understands what small models write: a goal that is a number, a toolset that is no list", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start(7 as never, { toolsets: "file", context: null });
    expect(await it.api.check(id)).toMatchObject({ goal: "7", toolsets: ["file", "progress"] });
  });
});
