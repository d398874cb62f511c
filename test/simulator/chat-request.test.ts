import { describe, expect, test } from "vitest";
import { CancelledError, LimitError } from "../../src/base/errors.ts";
import {
  bodyOf,
  messagesOf,
  modelNamed,
  requireTools,
  statusOf,
  thinkFor,
  toolsOf,
} from "../../src/simulator/chat-request.ts";
import { model, smallBox, tools } from "./fixtures.ts";

/** Status and text of what a check throws. */
function refusal(check: () => unknown): readonly [number, string] | null {
  try {
    check();
    return null;
  } catch (error) {
    return [statusOf(error), (error as Error).message];
  }
}

describe("what is refused before it queues", () => {
  const { box } = smallBox();

  test.each<readonly [string, () => unknown, number, string]>([
    ["no body", () => bodyOf(" "), 400, "missing request body"],
    ["no JSON", () => bodyOf("{"), 400, "invalid JSON in the request body"],
    ["no object", () => bodyOf("[]"), 400, "expected a JSON object"],
    ["no model", () => modelNamed(box, undefined), 400, "model is required"],
    ["an unknown model", () => modelNamed(box, "x:1"), 404, "model 'x:1' not found"],
    [
      "tools on a model without them",
      () => requireTools(model("m", { tools: false }), tools("a")),
      400,
      "registry.ollama.ai/library/m:latest does not support tools",
    ],
    [
      "thinking on a model without it",
      () => thinkFor(model("m"), true, "m"),
      400,
      '"m" does not support thinking',
    ],
    ["tools that are no list", () => toolsOf({}), 400, "expected tools to be a list"],
    ["a tool without a name", () => toolsOf([{ function: {} }]), 400, "function with a name"],
    ["messages that are no list", () => messagesOf("x"), 400, "expected messages to be a list"],
    ["messages that are no objects", () => messagesOf(["x"]), 400, "expected messages to be a list"],
  ])("%s", (...row) => {
    const [, check, status, text] = row;
    const [gotStatus, gotText] = refusal(check) ?? [0, ""];
    expect(gotStatus).toBe(status);
    expect(gotText).toContain(text);
  });

  test("a name means the same with and without the latest tag", () => {
    expect(modelNamed(box, "a:latest")).toBe(modelNamed(box, "a"));
  });
});

test("thinking is on by default where the model can, and off when it is told so", () => {
  const thinker = model("t", { thinking: true });
  expect([undefined, true, "high", false].map((asked) => thinkFor(thinker, asked, "t"))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect([undefined, false].map((asked) => thinkFor(model("m"), asked, "m"))).toEqual([false, false]);
});

test("each kind of error has one status", () => {
  expect([new LimitError("busy", ""), new CancelledError(), new Error("x")].map(statusOf)).toEqual([
    503, 499, 500,
  ]);
});
