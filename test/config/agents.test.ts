import { describe, expect, it } from "vitest";
import { childAgent, namedAgent } from "../../src/config/agents.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { resolved, two } from "./resolved-fixture.ts";

describe("budgets of agents", () => {
  it("are what is written, and what is left out is left out", () => {
    const config = configSchema.parse({
      delegation: { budget: { tokens: 5, gpu_ms: null } },
      agents: { a: { budget: { cost_micros: 7, tool_calls: 1 } }, b: {} },
    });
    expect(childAgent(config, []).budget).toEqual({ tokens: 5, gpuMs: null });
    expect(namedAgent("a", config.agents["a"]!, []).budget).toEqual({ costMicros: 7, toolCalls: 1 });
    expect(namedAgent("b", config.agents["b"]!, [])).not.toHaveProperty("budget");
  });

  it.each([{ tokens: 0 }, { cost_micros: -1 }, { gpu_ms: Number.NaN }, { tool_calls: 0.5 }, { dollars: 1 }])(
    "refuse %j",
    (budget) => {
      expect(configSchema.safeParse({ agents: { a: { budget } } }).success).toBe(false);
      expect(configSchema.safeParse({ delegation: { budget } }).success).toBe(false);
      expect(configSchema.safeParse({ budget }).success).toBe(false);
    },
  );
});

describe("limits and agents", () => {
  it("accept the names of Hermes", () => {
    const { settings } = resolved(
      "delegation: {max_iterations: 7, child_timeout_seconds: 0}\nagents: {a: {timeout: 30}}\n",
      two,
    );
    expect(settings.limits).toMatchObject({ maxTurns: 7, timeoutMs: null });
    expect(settings.agents[0]?.limits).toEqual({ timeoutMs: 30_000 });
  });

  it("take every key of a named agent", () => {
    const yaml = `agents:
  research:
    {description: d, instructions: Be brief., toolsets: [file], role: orchestrator, async: true, priority: batch,
     concurrency_limit: 5, max_turns: 3, timeout_s: 1.5, deadline_s: 60, max_output_tokens: 10, max_result_chars: 20,
     retry_on_failure: true, retry_limit: 1}
`;
    const agent = resolved(yaml, two).settings.agents[0];
    expect(agent).toMatchObject({
      name: "research",
      description: "d",
      toolsets: ["file"],
      role: "orchestrator",
      async: true,
      schedulingClass: "batch",
      concurrencyLimit: 5,
      limits: {
        maxTurns: 3,
        timeoutMs: 1500,
        deadlineMs: 60_000,
        maxOutputTokens: 10,
        maxResultChars: 20,
        retryOnFailure: true,
        retryLimit: 1,
      },
    });
    expect(agent?.instructions).toMatch(/^You are a child agent.*Be brief\.$/s);
  });

  it("give sessions no timeout and put the person's instructions behind Troupe's", () => {
    const { settings } = resolved(
      "instructions: Speak German.\ndelegation: {timeout_s: 5, instructions: Cite lines.}\n",
      two,
    );
    expect(settings.sessionAgent.limits.timeoutMs).toBeNull();
    expect(settings.sessionAgent.instructions).toMatch(/delegate_task_async.*Speak German\.$/s);
    expect(settings.childAgent.instructions).toMatch(/Cite lines\.$/);
    expect(settings.limits.timeoutMs).toBe(5000);
  });
});
