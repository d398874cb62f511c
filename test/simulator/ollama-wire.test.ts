import { describe, expect, test } from "vitest";
import {
  keepAliveMs,
  chunkBody,
  generationFrom,
  listedModel,
  wholeBody,
} from "../../src/simulator/ollama-wire.ts";
import { model, NEVER, smallBox } from "./fixtures.ts";

describe("keep_alive", () => {
  test.each([
    [undefined, null],
    [0, 0],
    ["0", 0],
    [90, 90_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["250ms", 250],
    [-1, -1],
    ["-1", -1],
    ["-1s", -1],
  ])("%j is %j ms", (value, ms) => {
    expect(keepAliveMs(value)).toBe(ms);
  });

  test.each(["soon", {}, "5 m"])("%j is refused", (value) => {
    expect(() => keepAliveMs(value)).toThrow("invalid duration");
  });
});

describe("requests", () => {
  const { box } = smallBox();

  test("everything that counts is read", () => {
    const body = {
      model: "a",
      messages: [
        {
          role: "assistant",
          content: "",
          tool_calls: [{ id: "call_1", function: { name: "f", arguments: { x: 1 } } }],
        },
        { role: "tool", content: "ok", tool_name: "f", tool_call_id: "call_1" },
      ],
      tools: [
        { type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } },
      ],
      options: { num_ctx: 8_192, num_predict: 7 },
      keep_alive: "1m",
      format: "json",
    };
    expect(generationFrom(body, box, NEVER)).toMatchObject({
      contextTokens: 8_192,
      maxTokens: 7,
      keepAliveMs: 60_000,
      format: "json",
      think: false,
      tools: [{ name: "f", description: "d" }],
      messages: [
        { role: "assistant", calls: [{ id: "call_1", name: "f", arguments: { x: 1 } }] },
        { role: "tool", content: "ok", toolName: "f", callId: "call_1" },
      ],
    });
  });

  test("what is absent or without limit is null", () => {
    expect(generationFrom({ model: "a", options: { num_predict: -1 } }, box, NEVER)).toMatchObject({
      contextTokens: null,
      maxTokens: null,
      keepAliveMs: null,
      format: null,
      messages: [],
    });
  });

  test("an unknown role is refused", () => {
    expect(() => generationFrom({ model: "a", messages: [{ role: "bot" }] }, box, NEVER)).toThrow(
      "invalid role: bot",
    );
  });
});

describe("answers", () => {
  const frame = { model: "a", createdAt: "2026-01-01T00:00:00.000Z" };
  const newId = () => "call_1";
  const figures = {
    totalMs: 3.5,
    loadMs: 1,
    waitMs: 0.25,
    promptTokens: 4,
    cachedTokens: 1,
    promptMs: 1.25,
    outputTokens: 2,
    outputMs: 1,
  };

  test("durations are whole nanoseconds", () => {
    expect(chunkBody({ type: "done", reason: "stop", figures }, frame, newId)).toEqual({
      model: "a",
      created_at: "2026-01-01T00:00:00.000Z",
      message: { role: "assistant", content: "" },
      done: true,
      done_reason: "stop",
      total_duration: 3_500_000,
      load_duration: 1_000_000,
      prompt_eval_count: 4,
      prompt_eval_duration: 1_250_000,
      eval_count: 2,
      eval_duration: 1_000_000,
    });
  });

  test("chunks join to the body of an answer that is not streamed", () => {
    const call = { name: "f", arguments: { x: 1 } };
    const chunks = [
      { type: "thinking", text: "hm" },
      { type: "text", text: "a " },
      { type: "text", text: "b" },
      { type: "call", index: 0, call },
      { type: "done", reason: "stop", figures },
    ] as const;
    const whole = wholeBody(chunks.map((chunk) => chunkBody(chunk, frame, newId)));
    expect(whole).toMatchObject({ done: true, eval_count: 2 });
    expect(whole["message"]).toEqual({
      role: "assistant",
      content: "a b",
      thinking: "hm",
      tool_calls: [{ id: "call_1", function: { index: 0, name: "f", arguments: { x: 1 } } }],
    });
  });

  test("a listed model says that it is simulated, and has a digest of its own", () => {
    const listed = listedModel(model("m"));
    expect(listed).toMatchObject({ name: "m:latest", details: { family: "simulated", format: "rules" } });
    expect(listed["digest"]).toMatch(/^[0-9a-f]{64}$/);
    expect(listedModel(model("n"))["digest"]).not.toBe(listed["digest"]);
  });
});
