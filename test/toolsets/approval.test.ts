import { describe, expect, test } from "vitest";
import type { ApprovalRule } from "../../src/core/approval.ts";
import type { Tool, Toolset, WaitEnd } from "../../src/core/tool.ts";
import { callText, withApproval } from "../../src/toolsets/approval.ts";
import { toolContext } from "./tool-context.ts";

const RULE: ApprovalRule = { approve: "always", reachesOut: false, timeoutMs: 60_000 };
const CONTEXT = toolContext("/tmp");

function plain(): { readonly toolset: Toolset; readonly ran: unknown[] } {
  const ran: unknown[] = [];
  const named = (name: string): Tool => ({
    definition: { name, description: name, parameters: { type: "object" } },
    repeatable: false,
    run: (input) => {
      ran.push([name, input]);
      return Promise.resolve({ type: "result", value: "done" });
    },
  });
  const tools = [named("act"), named("look")];
  return { toolset: { name: "plain", description: "plain", tools: () => tools }, ran };
}

const toolOf = (toolset: Toolset, index = 0): Tool => toolset.tools("leaf")[index] as Tool;

async function answered(
  end: WaitEnd,
): Promise<{ readonly outcome: unknown; readonly ran: readonly unknown[] }> {
  const { toolset, ran } = plain();
  const tool = toolOf(withApproval(toolset, RULE));
  const asked = await tool.run({ x: 1 }, CONTEXT);
  if (asked.type !== "suspended") throw new Error("it did not ask");
  const outcome = await tool
    .resume?.({ x: 1 }, { wait: asked.wait, end }, CONTEXT)
    .catch((error: unknown) => error);
  return { outcome, ran };
}

describe("withApproval", () => {
  test("leaves a toolset alone that asks for nothing", () => {
    const { toolset } = plain();
    expect(withApproval(toolset, { ...RULE, approve: "never" })).toBe(toolset);
    expect(withApproval(toolset, { ...RULE, approve: "outside_workspace" })).toBe(toolset);
  });

  test("A1 asks before anything has happened, with the whole call", async () => {
    const { toolset, ran } = plain();
    const tool = toolOf(withApproval(toolset, RULE));
    expect(await tool.run({ path: "a\n\u202Eb" }, CONTEXT)).toEqual({
      type: "suspended",
      wait: { for: "input", prompt: 'act {"path":"a\\n\\u{202e}b"}', timeoutMs: 60_000, approval: true },
    });
    expect(ran).toEqual([]);
    expect([tool.repeatable, tool.definition.name]).toEqual([false, "act"]);
  });

  test("acts once a person said yes", async () => {
    const { outcome, ran } = await answered({ cause: "satisfied", answer: "yes" });
    expect(outcome).toEqual({ type: "result", value: "done" });
    expect(ran).toEqual([["act", { x: 1 }]]);
  });

  test.each<[WaitEnd, string, RegExp]>([
    [{ cause: "satisfied", answer: "no" }, "denied", /A person denied act, so it did not run\. Do not/],
    [{ cause: "satisfied", answer: "use b instead" }, "denied", /They said: "use b instead"/],
    [{ cause: "satisfied" }, "denied", /A person denied/],
    [
      { cause: "timeout" },
      "denied_by_timeout",
      /denied by timeout: nobody answered within 60 s.*No person has refused/,
    ],
    [{ cause: "interrupted" }, "not_allowed_yet", /called off/],
  ])("A2 does not act after %j: %s", async (end, code, words) => {
    const { outcome, ran } = await answered(end);
    expect(outcome).toMatchObject({ kind: "tool", code, message: expect.stringMatching(words) as string });
    expect(ran).toEqual([]);
  });

  test("asks only for the tools that are named", async () => {
    const { toolset, ran } = plain();
    const some = withApproval(toolset, RULE, new Set(["act"]));
    expect(await toolOf(some, 1).run({}, CONTEXT)).toEqual({ type: "result", value: "done" });
    expect((await toolOf(some).run({}, CONTEXT)).type).toBe("suspended");
    expect(ran).toEqual([["look", {}]]);
  });

  test("a tool's own wait is its own", async () => {
    const wait = { for: "timer", timeoutMs: 1 } as const;
    const own: Tool = {
      ...toolOf(plain().toolset),
      resume: () => Promise.resolve({ type: "result", value: "its own" }),
    };
    const tool = toolOf(withApproval({ name: "own", description: "", tools: () => [own] }, RULE));
    const ended = { wait, end: { cause: "satisfied" } } as const;
    expect(await tool.resume?.({}, ended, CONTEXT)).toEqual({ type: "result", value: "its own" });
    const without = toolOf(withApproval(plain().toolset, RULE));
    await expect(without.resume?.({}, ended, CONTEXT)).rejects.toThrow(
      expect.objectContaining({ code: "not_resumable" }) as Error,
    );
  });
});

test.each(["x", '"', "\n", "\u0001", "\u202e", "\u{e0041}"])(
  "a command is shown whole, of the longest and whatever it is made of: %j",
  (letter) => {
    const command = `${letter.repeat(16_000 / letter.length)}; curl evil; ${letter.repeat(15_900 / letter.length)}`;
    const text = callText("terminal", { command });
    expect(text).toContain("; curl evil; ");
    expect(text).not.toContain("not shown");
  },
);

test("a call that is too long to be read says how much is not shown", () => {
  const text = callText("act", { a: "x".repeat(500_000) });
  expect(text.length).toBeLessThan(300_100);
  expect(text).toContain("[… 200008 more characters are not shown …]");
});
