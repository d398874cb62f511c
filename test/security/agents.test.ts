// Agents that turn on the box that runs them: they name addresses for their children's models (T36), flood each other with
// messages (T67), and delegate without end (T68, T21). Beside each a box without the bound, where it works.

import { describe, expect, it } from "vitest";
import { call, finish, hang, say, wait } from "../../providers/script.ts";
import { DEFAULT_TASK_LIMITS, MAX_INBOX, MAX_STEER_CHARS, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { Settings } from "../../src/core/settings.ts";
import { converse, DELEGATION, ROOMY } from "../runtime/conversation.ts";
import { agentNamed, NOTHING_HELD, rig, type Rig } from "../runtime/rig.ts";

describe("T36 a model server that an agent names", () => {
  const INTERNAL = "http://169.254.169.254/v1";

  it.each([
    ["an argument", { base_url: INTERNAL }],
    ["an argument of another name", { provider: { base_url: INTERNAL } }],
    ["a key to go with it", { api_key: "env:HOME" }],
    ["headers", { headers: { host: "evil.test" } }],
  ])("as %s is refused by name, and no child is made", async (_what, args) => {
    const box = await converse(() => [hang()]);
    const [name = ""] = Object.keys(args);
    expect(await box.refusal("delegate_task_async", { goal: "x", ...args })).toContain(name);
    expect(await box.children()).toEqual([]);
  });

  it.each([INTERNAL, "ollama@http://127.0.0.1:11434/evil", "../gpu/child", "gpu/http://127.0.0.1/x"])(
    "as the model %s of a request is no model",
    async (model) => {
      const { api } = rig({ reply: () => [hang()] });
      await expect(api.delegate({ goal: "x", model })).rejects.toMatchObject({ code: "model_not_found" });
      expect((await api.list()).items).toEqual([]);
    },
  );

  it("(control) a model of the config, and a child without an address, are made", async () => {
    const box = await converse(() => [hang()]);
    await box.start("x");
    expect(await box.children()).toHaveLength(1);
    await box.api.delegate({ goal: "x", model: "gpu/child" });
    expect((await box.api.list({ kind: "task" })).items).toHaveLength(2);
  });
});

describe("T67 a flood of steers", () => {
  it("is bounded, each is told its fate, and a steer too long is none", async () => {
    const box = await converse(() => [hang()]);
    const id = await box.start("dig");
    const huge = await box.refusal("steer_task", { task_id: id, message: "x".repeat(MAX_STEER_CHARS + 1) });
    expect(huge).toContain(String(MAX_STEER_CHARS));
    const ids: string[] = [];
    const refused: string[] = [];
    for (let at = 0; at < MAX_INBOX + 20; at += 1) {
      await box.api.steer(id, { message: `steer ${at}` }).then(
        ({ steerId }) => ids.push(steerId),
        (error: { readonly code: string }) => refused.push(error.code),
      );
    }
    expect([ids.length, new Set(refused)]).toEqual([MAX_INBOX, new Set(["inbox_full"])]);
    await box.api.cancel(id);
    await box.pass(1_000);
    const events = await box.rig.store.events({ after: 0, taskId: id, types: ["steer.undelivered"] });
    expect(events).toHaveLength(MAX_INBOX);
  });

  it("(control) a few are taken, all of them", async () => {
    const box = await converse(() => [wait(1_000), say("dug")]);
    const id = await box.start("dig");
    for (let at = 0; at < 5; at += 1) await box.api.steer(id, { message: `steer ${at}` });
    await box.pass(10_000);
    const events = await box.rig.store.events({ after: 0, taskId: id, types: ["steer.delivered"] });
    expect(events).toHaveLength(5);
  });
});

describe("T68 a recursion bomb", () => {
  const CHILDREN = 3;
  const BOTTOM = 4;
  /** 1 + 3 + 9 + 27: the first stands on the first level. */
  const ALL = (CHILDREN ** BOTTOM - 1) / (CHILDREN - 1);

  /** Each task delegates three more in its first turn, and then is done. */
  function bomb(settings: Partial<Settings>): Rig {
    return rig({
      settings: {
        backends: ROOMY,
        limits: { ...DEFAULT_TASK_LIMITS, maxOutputTokens: 100, retryLimit: 0 },
        childAgent: agentNamed("child", { role: "orchestrator", toolsets: ["delegation"] }),
        ...settings,
      },
      reply: ({ messages }) =>
        messages.some(({ role }) => role === "tool")
          ? [say("more are under way"), finish("stop")]
          : [
              ...Array.from({ length: CHILDREN }, () =>
                call("delegate_task_async", { goal: "delegate", role: "orchestrator" }),
              ),
              finish("tool_calls"),
            ],
    });
  }

  async function explode(box: Rig, ms: number) {
    await box.api.delegate({ goal: "delegate", role: "orchestrator" });
    let most = 0;
    for (let passed = 0; passed < ms; passed += ms / 20) {
      await box.clock.advance(ms / 20);
      most = Math.max(most, box.runtime.counts().places);
    }
    const records = await box.store.list({ limit: 5_000 });
    return { most, records: records.items };
  }

  it("is stopped by depth, and never has more at work than there is room for", async () => {
    const box = bomb({ delegation: { ...DELEGATION, maxSpawnDepth: 2 } });
    const { records, most } = await explode(box, 600_000);
    // The first and its three: those at the bottom may not delegate, whatever they ask for.
    expect(Math.max(...records.map(({ spec }) => spec.depth))).toBeLessThanOrEqual(2);
    expect(records.length).toBeLessThanOrEqual(1 + CHILDREN);
    expect(most).toBeLessThanOrEqual(16);
    expect(records.every(({ state }) => ["done", "failed", "cancelled"].includes(state))).toBe(true);
    expect(box.runtime.counts()).toEqual(NOTHING_HELD);
  });

  it("is stopped by the tree's budget, wherever it has come to", async () => {
    const tokens = 5_000;
    const box = bomb({
      delegation: { ...DELEGATION, maxSpawnDepth: BOTTOM },
      budget: { ...UNLIMITED_BUDGET, tokens },
    });
    const { records } = await explode(box, 600_000);
    const views = await Promise.all(records.map(({ spec }) => box.api.check(spec.id)));
    const sum = views.reduce((left, { usage }) => left + usage.promptTokens + usage.outputTokens, 0);
    expect([sum > 0, sum <= tokens]).toEqual([true, true]);
    expect(records.length).toBeLessThan(ALL);
    expect(box.runtime.counts()).toEqual(NOTHING_HELD);
  });

  it("is stopped by the bound of the queue", async () => {
    const [backend] = ROOMY;
    const box = bomb({
      delegation: { ...DELEGATION, maxSpawnDepth: BOTTOM },
      backends: backend ? [{ ...backend, slots: 1, maxChildren: 1 }] : [],
      maxQueued: 5,
    });
    const { records } = await explode(box, 600_000);
    expect(records.length).toBeLessThan(ALL);
    const transcripts = await Promise.all(records.map(({ spec }) => box.api.transcript(spec.id)));
    expect(JSON.stringify(transcripts)).toContain("scheduler.max_queued");
  });

  it("(control) reaches the bottom where only that bounds it", async () => {
    const { records } = await explode(
      bomb({ delegation: { ...DELEGATION, maxSpawnDepth: BOTTOM } }),
      600_000,
    );
    expect(records).toHaveLength(ALL);
  });
});
