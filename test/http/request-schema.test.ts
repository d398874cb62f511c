import { describe, expect, it } from "vitest";
import type { z } from "zod";
import {
  MAX_BATCH,
  MAX_CONTEXT_CHARS,
  MAX_GOAL_CHARS,
  MAX_STEER_CHARS,
  RING_LINE_CHARS,
} from "../../src/core/limits.ts";
import * as schemas from "../../src/http/request-schema.ts";

const good = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;
const x = (length: number): string => "x".repeat(length);

describe("request schemas", () => {
  it("take a request with every member", () => {
    const full = {
      goal: "count",
      context: "",
      agent: "researcher",
      toolsets: ["file", "web"],
      role: "orchestrator",
      model: "ollama/qwen3:8b",
      parent_id: "task_1",
      scheduling_class: "batch",
      detached: true,
      timeout_ms: 1000,
      deadline_ms: 2000,
      max_turns: 3,
      retry_limit: 0,
      output_schema: { type: "object", properties: { innerKey: {} } },
      budget: { tokens: 10, cost_micros: null, gpu_ms: 5, tool_calls: 1 },
      workspace: "/tmp/x",
    };
    expect(schemas.delegateBody.parse(full)).toEqual(full);
    expect(schemas.batchBody.parse({ tasks: [{ ...full, idempotency_key: "k" }] }).tasks).toHaveLength(1);
  });

  it.each([
    ["goal", schemas.delegateBody, "goal", MAX_GOAL_CHARS, {}],
    ["context", schemas.delegateBody, "context", MAX_CONTEXT_CHARS, { goal: "g" }],
    ["steer", schemas.steerBody, "message", MAX_STEER_CHARS, {}],
    ["message", schemas.messageBody, "text", MAX_STEER_CHARS, {}],
    ["answer", schemas.answerBody, "text", MAX_STEER_CHARS, {}],
    ["cancel reason", schemas.cancelBody, "reason", RING_LINE_CHARS, {}],
    ["progress note", schemas.progressBody, "note", RING_LINE_CHARS, {}],
  ] as const)("bound the %s at the figure of core/limits.ts", (...row) => {
    const [, schema, key, limit, rest] = row;
    expect(good(schema, { ...rest, [key]: x(limit) })).toBe(true);
    expect(good(schema, { ...rest, [key]: x(limit + 1) })).toBe(false);
  });

  it("bound a batch", () => {
    const tasks = (length: number): unknown => ({ tasks: Array.from({ length }, () => ({ goal: "g" })) });
    expect([0, 1, MAX_BATCH, MAX_BATCH + 1].map((length) => good(schemas.batchBody, tasks(length)))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each([
    [{ goal: " \n" }],
    [{ goal: null }],
    [{ goal: "g", timeout_ms: 0.5 }],
    [{ goal: "g", timeout_ms: 2 ** 60 }],
    [{ goal: "g", retry_limit: -1 }],
    [{ goal: "g", agent: "" }],
    [{ goal: "g", toolsets: "file" }],
    [{ goal: "g", budget: { dollars: 1 } }],
    [{ goal: "g", budget: { tokens: 0 } }],
    [{ goal: "g", budget: { cost_micros: -1 } }],
    [{ goal: "g", budget: { gpu_ms: 1.5 } }],
    [{ goal: "g", budget: { tool_calls: "3" } }],
    [{ goal: "g", budget: 5 }],
    [{ goal: "g", output_schema: [] }],
    [{ goal: "g", idempotency_key: "k" }],
    [{ goal: "g", parentId: "camel" }],
  ])("refuse %j", (body) => {
    expect(good(schemas.delegateBody, body)).toBe(false);
  });

  it("are strict everywhere", () => {
    const open = Object.entries(schemas).filter(
      ([, schema]) =>
        typeof schema === "object" &&
        "safeParse" in schema &&
        good(schema, { goal: "g", extra: 1, paused: true }),
    );
    expect(open.map(([name]) => name)).toEqual([]);
  });

  it("turn digits of a query string into numbers", () => {
    expect(schemas.transcriptQuery.parse({ after: "007", limit: "200" })).toEqual({ after: 7, limit: 200 });
  });
});
