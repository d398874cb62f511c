import { describe, expect, test } from "vitest";
import { workerPolicy } from "../../../src/simulator/policies/worker.ts";
import type { PolicyMessage } from "../../../src/simulator/policy.ts";
import { assistant, FILE_TOOLS, result, user } from "../fixtures.ts";

const answer = (...messages: readonly PolicyMessage[]) => workerPolicy({ messages, tools: FILE_TOOLS });
const GOAL = user("Summarise docs/adr\n\nContext:\nPart 1 of 2; others read src/core.");
const LISTED = [
  assistant("Listing docs/adr.", ["list_dir", { path: "docs/adr" }]),
  result("list_dir", "docs/adr/1.md 10\ndocs/adr/2.ts 10"),
];

describe("a worker", () => {
  test("looks with one call a turn, and says what it looks at", () => {
    expect(answer(GOAL)).toMatchObject({
      text: "Listing docs/adr.",
      calls: [{ name: "list_dir", arguments: { path: "docs/adr" } }],
    });
    expect(answer(GOAL, ...LISTED).text).toBe("Reading docs/adr/1.md.");
    expect(answer(user("Find TODO in src/core")).text).toBe("Listing src/core.");
  });

  test("obeys a steer from its next turn on, and its report says so", () => {
    const steered = [GOAL, ...LISTED, user("[steer] only TypeScript files")];
    const next = answer(...steered);
    expect(next.calls[0]?.arguments).toEqual({ path: "docs/adr/2.ts" });
    const last = answer(
      ...steered,
      assistant("", ["read_file", { path: "docs/adr/2.ts" }]),
      result("read_file", "// x"),
    );
    expect(last.calls).toEqual([]);
    expect(last.text).toContain('I followed the steer "only TypeScript files"');
    expect(last.text).toContain("docs/adr/2.ts: 1 line");
    expect(last.text).not.toContain("docs/adr/1.md:");
  });

  test("a steer that came after its report makes it go on", () => {
    const finished = [GOAL, ...LISTED, assistant("Report by rule")];
    expect(answer(...finished, user("[steer] read docs/adr/2.ts")).calls[0]?.arguments).toEqual({
      path: "docs/adr/2.ts",
    });
  });

  test("a new goal after a report starts anew", () => {
    const messages = [GOAL, ...LISTED, assistant("Report by rule"), user("Read docs/adr/1.md")];
    expect(answer(...messages).calls).toEqual([{ name: "read_file", arguments: { path: "docs/adr/1.md" } }]);
  });

  test("without file tools it answers plainly and claims nothing", () => {
    expect(workerPolicy({ messages: [user("Count files")], tools: [] }).text).toMatch(/simulation/);
  });
});
