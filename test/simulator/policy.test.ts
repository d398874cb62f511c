import { expect, test } from "vitest";
import { call, offers, say } from "../../src/simulator/policy.ts";
import { tools } from "./fixtures.ts";

test("an answer is words, calls, or both", () => {
  expect(say("hi")).toEqual({ text: "hi", calls: [], thinking: "" });
  const calls = [{ name: "list_dir", arguments: {} }];
  expect(call(calls, "looking")).toEqual({ text: "looking", calls, thinking: "" });
});

test("only offered tools are there", () => {
  const request = { messages: [], tools: tools("list_dir") };
  expect([offers(request, "list_dir"), offers(request, "list")]).toEqual([true, false]);
});
