import { describe, expect, it } from "vitest";
import { ProviderError } from "../../src/base/errors.ts";
import {
  badCall,
  begin,
  call,
  fail,
  failWith,
  finish,
  hang,
  say,
  think,
  wait,
} from "../../providers/script.ts";

describe("the words of a script", () => {
  it("are plain data", () => {
    expect([
      say("a"),
      think("b"),
      wait(3),
      begin(),
      hang(),
      finish(),
      finish("length", { outputTokens: 1 }),
    ]).toEqual([
      { type: "text", text: "a" },
      { type: "thinking", text: "b" },
      { type: "wait", ms: 3 },
      { type: "started" },
      { type: "hang" },
      { type: "finish" },
      { type: "finish", reason: "length", usage: { outputTokens: 1 } },
    ]);
    expect(call("f", { a: 1 }, "id")).toEqual({
      type: "tool_call",
      name: "f",
      arguments: { a: 1 },
      id: "id",
    });
    expect(badCall("f", "{")).toMatchObject({ type: "tool_call", arguments: {}, malformed: "{" });
  });

  it("name their failures by kind, with a code of their own where one is given", () => {
    expect(fail("auth")).toMatchObject({ error: { providerKind: "auth", code: "auth" } });
    expect(fail("network", "gone", "It went.")).toMatchObject({
      error: { code: "gone", message: "It went." },
    });
    const error = new ProviderError({ kind: "quota", code: "quota" }, "x");
    expect(failWith(error)).toEqual({ type: "error", error });
  });
});
