// Who may delegate, how deep, and with which tools: every refusal names the config key that would allow it.

import { describe, expect, test } from "vitest";
import { call, hang, say } from "../../providers/script.ts";
import { LimitError } from "../../src/base/errors.ts";
import { converse, DELEGATION, type Conversation } from "./conversation.ts";
import { agentNamed, rig, testSettings } from "./rig.ts";

const DEEP = { ...DELEGATION, maxSpawnDepth: 2 };
const DELEGATING = [
  "delegate_task",
  "delegate_task_async",
  "check_task",
  "steer_task",
  "collect_task",
  "cancel_task",
  "list_tasks",
];

/** A conversation whose children note which tools they were offered. */
async function offering(options: Parameters<typeof converse>[1] = {}): Promise<{
  readonly it: Conversation;
  readonly offered: Map<string, readonly string[]>;
}> {
  const offered = new Map<string, readonly string[]>();
  const it = await converse((goal, { tools }) => {
    offered.set(
      goal,
      tools.map(({ name }) => name),
    );
    return [hang()];
  }, options);
  return { it, offered };
}

describe("roles", () => {
  test("a leaf is offered nothing to delegate with", async () => {
    const { it, offered } = await offering();
    await it.start("dig");
    expect(offered.get("dig")).toEqual(["list_dir", "read_file", "search_files", "report_progress"]);
  });

  test("an orchestrator is offered all seven, whatever its parent named", async () => {
    const { it, offered } = await offering({ settings: { delegation: DEEP } });
    await it.start("lead", { role: "orchestrator", toolsets: ["file"] });
    expect(offered.get("lead")).toEqual(expect.arrayContaining(DELEGATING));
  });

  test("a leaf that asks for the delegation toolset does not get it", async () => {
    const { it, offered } = await offering();
    const id = await it.start("dig", { toolsets: ["delegation", "file"] });
    expect((await it.api.check(id)).toolsets).toEqual(["file", "progress"]);
    expect(offered.get("dig")).not.toEqual(expect.arrayContaining(["delegate_task"]));
  });

  test("a leaf whose model calls delegate_task all the same is told what it has", async () => {
    const it = await converse((_, { messages }) =>
      messages.at(-1)?.role === "tool" ? [say("well")] : [call("delegate_task", { goal: "more" })],
    );
    const id = await it.start("dig");
    await it.pass(20);
    expect(await it.results(id)).toEqual([
      'There is no tool "delegate_task". Call one of: list_dir, read_file, search_files, report_progress.',
    ]);
    expect((await it.api.check(id)).children).toEqual([]);
  });

  test("nobody delegates through the API in a leaf's name", async () => {
    const it = await converse(() => [hang()]);
    const id = await it.start("dig");
    await expect(it.api.delegate({ goal: "more", parentId: id })).rejects.toMatchObject({
      code: expect.stringMatching(/max_spawn_depth|leaf_cannot_delegate/) as string,
      details: { config_key: "delegation.max_spawn_depth" },
    });
  });

  test("a leaf above the deepest level is refused as a parent, and the message says how to allow it", async () => {
    const it = await converse(() => [hang()], { settings: { delegation: DEEP } });
    const id = await it.start("dig", { role: "leaf" });
    await expect(it.api.delegate({ goal: "more", parentId: id })).rejects.toMatchObject({
      code: "leaf_cannot_delegate",
      message: expect.stringContaining("role: orchestrator") as string,
    });
  });

  test("an orchestrator at the deepest level is refused, naming delegation.max_spawn_depth", async () => {
    const it = await converse(() => [hang()]);
    const no = await it.refusal("delegate_task_async", { goal: "lead", role: "orchestrator" });
    expect(no).toMatch(/depth 1, and delegation\.max_spawn_depth is 1\. Raise it, or use role: leaf/);
    expect(await it.children()).toEqual([]);
  });

  test("an agent that is an orchestrator by its definition is refused in the same words", async () => {
    const it = await converse(() => [hang()], {
      settings: { agents: [agentNamed("lead", { role: "orchestrator" })] },
    });
    const no = await it.refusal("delegate_task", { goal: "x", agent: "lead" });
    expect(no).toContain("delegation.max_spawn_depth");
  });

  test("the depth that the config allows is reached, and the next is refused", async () => {
    const it = await converse(
      (goal, { messages }) => {
        const depth = Number(goal);
        if (messages.at(-1)?.role === "tool") return [hang()];
        return [
          call("delegate_task_async", { goal: String(depth + 1), role: depth < 2 ? "orchestrator" : "leaf" }),
        ];
      },
      { settings: { delegation: { ...DELEGATION, maxSpawnDepth: 3 } } },
    );
    await it.start("1", { role: "orchestrator" });
    await it.pass(50);
    const depths = (await it.api.list({ rootId: it.sessionId })).items.map(({ depth }) => depth);
    expect(depths).toEqual([0, 1, 2, 3]);
    const [deepest] = (await it.api.list({ rootId: it.sessionId })).items.slice(-1);
    expect(deepest).toMatchObject({ depth: 3, role: "leaf" });
  });

  test("max_spawn_depth 0 lets nobody delegate, and says so", async () => {
    const it = await converse(() => [hang()], {
      settings: { delegation: { ...DELEGATION, maxSpawnDepth: 0 } },
    });
    const no = await it.refusal("delegate_task_async", { goal: "dig" });
    expect(no).toMatch(/depth 1 was asked for and delegation\.max_spawn_depth is 0/);
  });
});

describe("toolsets", () => {
  test("a child inherits its parent's, without those of its role", async () => {
    const { it } = await offering();
    expect((await it.api.check(await it.start("dig"))).toolsets).toEqual(["file", "progress"]);
  });

  test("a child may have fewer: none at all", async () => {
    const { it, offered } = await offering();
    expect((await it.api.check(await it.start("dig", { toolsets: [] }))).toolsets).toEqual([]);
    expect(offered.get("dig")).toEqual([]);
  });

  test("a child never gets what its parent lacks, and the message says who has what", async () => {
    const it = await converse(() => [hang()], {
      settings: { sessionAgent: agentNamed("session", { toolsets: ["delegation"], role: "orchestrator" }) },
    });
    const no = await it.refusal("delegate_task_async", { goal: "dig", toolsets: ["file"] });
    expect(no).toMatch(/may not have what its parent lacks: file\. The parent has delegation/);
    expect(await it.children()).toEqual([]);
  });

  test("nor through the definition of an agent", async () => {
    const it = await converse(() => [hang()], {
      settings: {
        sessionAgent: agentNamed("session", { toolsets: ["delegation"], role: "orchestrator" }),
        agents: [agentNamed("reader", { toolsets: ["file"] })],
      },
    });
    const no = await it.refusal("delegate_task_async", { goal: "dig", agent: "reader" });
    expect(no).toContain("toolsets: of its agent");
  });

  test("nor at second hand: a grandchild has no more than its grandparent gave", async () => {
    const it = await converse(
      (goal, { messages }) =>
        goal === "lead" && messages.at(-1)?.role !== "tool"
          ? [call("delegate_task_async", { goal: "dig", toolsets: ["file"] })]
          : [hang()],
      { settings: { delegation: DEEP } },
    );
    const lead = await it.start("lead", { role: "orchestrator", toolsets: [] });
    await it.pass(20);
    expect(String((await it.results(lead))[0])).toContain("may not have what its parent lacks: file");
    expect((await it.api.check(lead)).children).toEqual([]);
  });

  test("a task without a parent gets the default toolsets", async () => {
    const { api } = rig({
      reply: () => [hang()],
      settings: { delegation: { ...DELEGATION, defaultToolsets: ["file"] } },
    });
    const { taskId } = await api.delegate({ goal: "dig" });
    expect((await api.check(taskId)).toolsets).toEqual(["file", "progress"]);
  });

  test("an unknown toolset is refused with those that there are", async () => {
    const it = await converse(() => [hang()]);
    expect(await it.refusal("delegate_task_async", { goal: "dig", toolsets: ["nonsense"] })).toMatch(
      /no toolset "nonsense" in this version\. Known: delegation, file, progress/,
    );
  });
});

describe("a model that cannot call tools", () => {
  const models = testSettings().models;
  const toolless = {
    settings: { childModel: { provider: "gpu", model: "toolless", backend: "gpu" }, models },
  };

  test("runs a leaf without tools, and that is said at spawn", async () => {
    const { it, offered } = await offering(toolless);
    const told = await it.use("delegate_task_async", { goal: "dig" });
    expect(told.note).toMatch(/gpu\/toolless cannot call tools: this child has none/);
    expect((await it.api.check(told.task_id)).toolsets).toEqual([]);
    expect(offered.get("dig")).toEqual([]);
  });

  test("is refused for a child with explicit toolsets", async () => {
    const { it } = await offering(toolless);
    expect(await it.refusal("delegate_task_async", { goal: "dig", toolsets: ["file"] })).toMatch(
      /gpu\/toolless cannot call tools, and file, progress was asked for\. Use a model with tools/,
    );
    expect(await it.children()).toEqual([]);
  });

  test("is refused for an orchestrator, naming delegation.model", async () => {
    const { it } = await offering({ settings: { ...toolless.settings, delegation: DEEP } });
    const asked = it.api.delegate({ goal: "lead", role: "orchestrator", parentId: it.sessionId });
    await expect(asked).rejects.toBeInstanceOf(LimitError);
    await expect(asked).rejects.toMatchObject({
      code: "model_without_tools",
      details: { config_key: "delegation.model" },
    });
  });

  test("works for a child that wants none", async () => {
    const { it } = await offering(toolless);
    const id = await it.start("dig", { toolsets: [] });
    expect(await it.state(id)).toBe("running");
  });
});
