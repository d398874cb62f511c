import { describe, expect, it } from "vitest";
import { checkArguments } from "../../src/toolsets/arguments.ts";
import { progressToolset } from "../../src/toolsets/progress.ts";
import { toolContext } from "./tool-context.ts";

const [tool] = progressToolset.tools("leaf");

async function report(args: unknown): Promise<unknown[]> {
  if (!tool) throw new Error("There is no such tool.");
  const reported: unknown[] = [];
  const context = {
    ...toolContext("/tmp"),
    reportProgress: async (each: unknown) => void reported.push(each),
  };
  await tool.run(checkArguments(tool, args), context);
  return reported;
}

describe("report_progress", () => {
  it("passes on what was said, and nothing that was not", async () => {
    expect(await report({ percent: 40, note: "half", partial: { found: [1] } })).toEqual([
      { percent: 40, note: "half", partial: { found: [1] } },
    ]);
    expect(await report({})).toEqual([{}]);
  });

  it("takes any JSON as a partial result", async () => {
    for (const partial of ["text", 0, false, [1, 2], { a: null }])
      expect(await report({ partial })).toEqual([{ partial }]);
  });

  it.each([{ percent: 101 }, { percent: -1 }, { note: "x".repeat(501) }, { done: true }])(
    "refuses %j",
    async (args) => {
      await expect(report(args)).rejects.toMatchObject({ code: "bad_arguments" });
    },
  );

  it("is a tool of every role, which may be run again after a crash", () => {
    expect(progressToolset.tools("orchestrator")).toEqual([tool]);
    expect(tool?.repeatable).toBe(true);
  });
});
