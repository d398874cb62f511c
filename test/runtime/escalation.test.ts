// Tasks that a stronger model of their route makes once more (`escalate`): when, how often, and what it costs them.

import { describe, expect, test } from "vitest";
import { call, finish, say, wait } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { DELEGATION } from "./conversation.ts";
import { agentNamed } from "./rig.ts";
import { RestartingBox } from "./restarting.ts";
import { box, nameAt, options, outcome, ref } from "./routed-box.ts";

describe("a stronger model after a poor answer", () => {
  const escalating = (escalate: boolean) => ({
    agents: [agentNamed("routed", { route: [nameAt("gpu0"), nameAt("gpu1"), nameAt("gpu2")], escalate })],
  });
  const empty = () => [finish("length")];

  test("makes the task once more from the beginning, and only if it was asked for", async () => {
    const at = box({ route: [], models: { gpu0: empty }, fallback: "none", settings: escalating(true) });
    const { result, told, view } = await outcome(at);
    expect(result).toMatchObject({ state: "done", result: "from gpu1" });
    expect(told).toMatchObject([{ to: nameAt("gpu1"), code: "empty_answer" }]);
    expect(view).toMatchObject({ run: 2, model: ref("gpu1") });
    const without = box({ route: [], models: { gpu0: empty }, settings: escalating(false) });
    expect((await outcome(without)).result.failure).toMatchObject({ code: "empty_answer" });
  });

  test("is tried once, not until the route ends", async () => {
    const at = box({ route: [], models: { gpu0: empty, gpu1: empty }, settings: escalating(true) });
    const { result, told } = await outcome(at);
    expect(told).toHaveLength(1);
    expect(result.failure).toMatchObject({ code: "empty_answer" });
  });

  test("takes none of its retries", async () => {
    let asked = 0;
    const at = box({
      route: [],
      models: { gpu0: empty, gpu1: () => (asked++ < 2 ? [finish("length")] : [say("at last")]) },
      settings: {
        ...escalating(true),
        limits: { ...DEFAULT_TASK_LIMITS, retryOnFailure: true, retryLimit: 1 },
      },
    });
    const { result, view } = await outcome(at);
    expect(result).toMatchObject({ state: "done", result: "at last" });
    expect(view).toMatchObject({ run: 3, model: ref("gpu1") });
  });

  test("takes a task over whose model made the same call again and again", async () => {
    const at = box({
      route: [],
      models: { gpu0: () => [call("report_progress", { percent: 1 })] },
      settings: { ...escalating(true), delegation: { ...DELEGATION, defaultToolsets: ["progress"] } },
    });
    const { result, told } = await outcome(at);
    expect(told).toMatchObject([{ to: nameAt("gpu1"), code: "tool_loop" }]);
    expect(result.result).toBe("from gpu1");
    const { items } = await at.api.transcript(result.taskId);
    expect(items.filter((row) => row.run === 2).map(({ message }) => message.role)).toContain("assistant");
  });

  test("is kept over a restart", async () => {
    const made = options({
      route: [],
      models: { gpu0: empty, gpu1: () => [wait(5_000), say("strong")] },
      settings: escalating(true),
    });
    const at = new RestartingBox(made);
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(3_000);
    await at.restart();
    await at.clock.advance(20_000);
    expect((await at.record(taskId)).end).toMatchObject({
      result: "strong",
      reroutes: [{ to: ref("gpu1") }],
    });
  });

  test("is none of its retries either when a restart begins the next run", async () => {
    const made = options({
      route: [],
      models: { gpu0: empty, gpu1: () => [wait(5_000), finish("length")] },
      settings: {
        ...escalating(true),
        limits: { ...DEFAULT_TASK_LIMITS, retryOnFailure: true, retryLimit: 2, onRestart: "restart" },
      },
    });
    const at = new RestartingBox(made);
    const { taskId } = await at.api.delegate({ goal: "dig", agent: "routed" });
    await at.clock.advance(3_000);
    await at.restart();
    await at.clock.advance(120_000);
    // Stepping up made the second run, the restart the third: one retry is left of two.
    expect(await at.record(taskId)).toMatchObject({ run: 4, end: { failure: { code: "empty_answer" } } });
  });
});
