import { describe, expect, test } from "vitest";
import fc from "fast-check";
import { fitToContext, messageTokens, pieces, promptTokens, tokensIn } from "../../src/simulator/prompt.ts";
import { assistant, tools, user } from "./fixtures.ts";

describe("counting", () => {
  test("messages, calls and tools all cost", () => {
    const message = assistant("12345678", ["read_file", { path: "a" }]);
    expect(messageTokens(message)).toBeGreaterThan(messageTokens(assistant("12345678")));
    const request = { messages: [user("hello")], tools: [] };
    expect(promptTokens({ ...request, tools: tools("list_dir") })).toBeGreaterThan(promptTokens(request));
    expect(tokensIn("12345")).toBe(2);
  });

  test("the pieces of any text join to the text, and no word piece is longer than twelve characters", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), (text) => {
        const cut = pieces(text);
        expect(cut.join("")).toBe(text);
        expect(cut.every((piece) => piece.trim().length <= 12)).toBe(true);
      }),
    );
  });
});

describe("fitting the context", () => {
  const system = { ...user("rules"), role: "system" as const };
  const messages = [system, ...["one", "two", "three", "four"].map((text) => user(text.repeat(10)))];

  test("a chat that fits is left alone", () => {
    const request = { messages, tools: [] };
    expect(fitToContext(request, 10_000)).toBe(request);
  });

  test("the oldest go first; the system message and the last one stay whatever happens", () => {
    const request = { messages, tools: [] };
    const fitted = fitToContext(request, promptTokens(request) - 1);
    expect(fitted.messages).toEqual([system, ...messages.slice(2)]);
    expect(fitToContext(request, 1).messages).toEqual([system, messages.at(-1)]);
  });
});
