import { describe, expect, it } from "vitest";
import { MAX_QUESTION_CHARS } from "../../src/core/limits.ts";
import type { Respondent } from "../../src/core/question.ts";
import type { Tool, ToolWait, WaitEnd } from "../../src/core/tool.ts";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { askToolset } from "../../src/toolsets/ask.ts";
import { toolContext } from "./tool-context.ts";

const toolset = askToolset(60_000);
const [tool] = toolset.tools("leaf") as [Tool];
const input = { question: "Which port?" };

const run = (respondent: Respondent, rest: object = {}) =>
  Promise.resolve().then(() =>
    tool.run({ ...input, ...rest }, { ...toolContext("/tmp"), respondent: async () => respondent }),
  );

const WAIT: ToolWait = { for: "input", prompt: "Which port?", timeoutMs: 60_000 };
const resume = (end: WaitEnd) =>
  Promise.resolve().then(() => tool.resume?.(input, { wait: WAIT, end }, toolContext("/tmp")));

describe("ask_parent", () => {
  it("is for leaves and orchestrators, and may be run again after a crash", () => {
    expect(toolset.tools("orchestrator")).toEqual(toolset.tools("leaf"));
    expect(tool.repeatable).toBe(true);
  });

  it("waits for its parent, or for a person where no agent delegated it", async () => {
    expect(await run("parent")).toEqual({ type: "suspended", wait: { ...WAIT, asks: "parent" } });
    expect(await run("person")).toEqual({ type: "suspended", wait: WAIT });
  });

  it.each([
    [5, 5_000],
    [3_600, 60_000],
  ])("asked to wait %d s waits %d ms", async (timeout, timeoutMs) => {
    expect(await run("parent", { timeout })).toMatchObject({ wait: { timeoutMs } });
  });

  it.each([
    ["ended", /parent has ended.*Decide by yourself/],
    ["spent", /asked your parent 10 questions/],
    ["conversation", /Write your question as your answer/],
  ] as const)("Q2 with %s to answer is refused at once", async (respondent, words) => {
    await expect(run(respondent)).rejects.toMatchObject({ code: "nobody_to_ask" });
    await expect(run(respondent)).rejects.toThrow(words);
  });

  it("Q2 tells of a parent that ended meanwhile", async () => {
    await expect(resume({ cause: "parent_ended" })).rejects.toMatchObject({ code: "nobody_to_ask" });
  });

  it("Q1 tells by whom it was answered", async () => {
    const answered = { cause: "satisfied", answer: "8080" } as const;
    const by = (who: string) => ({ type: "result", value: { answered: true, by: who, answer: "8080" } });
    expect(await resume({ ...answered, by: "agent" })).toEqual(by("your parent"));
    expect(await resume({ ...answered, by: "person" })).toEqual(by("a person"));
  });

  it("Q1 tells plainly that nobody answered", async () => {
    const outcome = JSON.stringify(await resume({ cause: "timeout" }));
    expect(outcome).toContain("No answer in time: nobody answered within 60 s");
    expect(outcome).toContain('"answered":false');
  });

  it.each([
    ["no question", {}],
    ["an empty one", { question: "" }],
    ["a long one", { question: "x".repeat(MAX_QUESTION_CHARS + 1) }],
    ["no time", { ...input, timeout: 0 }],
  ])("refuses %s", (_, given) => {
    expect(() => checkArguments(tool, given)).toThrow(expect.objectContaining({ code: "bad_arguments" }));
  });
});
