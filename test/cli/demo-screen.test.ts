// What the demo shows, as a function of a tree, a conversation and the room there is.

import { describe, expect, it } from "vitest";
import type { Entry } from "../../src/cli/demo-facts.ts";
import { entryLines, frameOf, slotLine, treeLines, type Scene } from "../../src/cli/demo-screen.ts";
import { columnsOf } from "../../src/cli/printable.ts";
import type { Line } from "../../src/cli/printer.ts";
import type { TreeNode } from "../../src/core/api.ts";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";

const textOf = (line: Line): string =>
  typeof line === "string" ? line : line.map((span) => (typeof span === "string" ? span : span[1])).join("");

function node(taskId: string, rest: Partial<TreeNode> = {}): TreeNode {
  return {
    taskId,
    kind: "task",
    agent: "child",
    goal: "Describe src/base, src/scheduler, src/store, src/http and src/core, and everything that is in them",
    model: "sim-worker",
    state: "running",
    phase: "waiting_slot",
    queuePosition: null,
    waitsFor: null,
    progress: null,
    lastLine: null,
    failure: null,
    usage: NO_USAGE,
    spending: { subtree: NO_USAGE, budget: null, remaining: UNLIMITED_BUDGET },
    createdAt: 0,
    startedAt: null,
    finishedAt: null,
    lastEvent: 0,
    children: [],
    ...rest,
  };
}

const TREE = node("ses_000000", {
  kind: "session",
  phase: "waiting_slot",
  queuePosition: 2,
  model: "sim-orchestrator",
  children: [
    node("task_aaaaaa0", {
      phase: "generating",
      lastLine: "Reading \u001b[2J\u001b]0;owned\u0007README.md\u202e\n",
    }),
    node("task_bbbbbb0", { queuePosition: 1, lastLine: "漢字".repeat(60) }),
    node("task_cccccc0", { state: "cancelled", phase: null }),
  ],
});
const say = (who: Entry["who"], text: string, done = true): Entry => ({ who, text, done, tree: false });
const SCENE: Scene = {
  title: "SIMULATED GPU box",
  server: "simulated GPU",
  elapsedMs: 12_400,
  entries: [say("person", "Do it."), say("note", "3 task ids in 4 ms"), say("parent", "I have started.")],
  typed: null,
  tree: TREE,
  outage: null,
};

describe("frameOf", () => {
  it.each([
    [80, 23],
    [120, 39],
    [60, 17],
    [40, 12],
  ])("fills %i columns and %i rows, and passes neither", (columns, rows) => {
    const lines = frameOf(SCENE, { columns, rows }).map(textOf);
    expect(lines).toHaveLength(rows);
    expect(lines.filter((line) => columnsOf(line) > columns)).toEqual([]);
    expect(lines[0]).toMatch(/^SIMULATED.* 12\.4 s$/);
  });

  it("shows the conversation, the tree and the slot at 80×24", () => {
    const text = frameOf(SCENE, { columns: 80, rows: 23 }).map(textOf).join("\n");
    expect(text).toContain("you     Do it.");
    expect(text).toContain("     ·  3 task ids in 4 ms");
    expect(text).toContain("├─ task_aaaaaa running generating");
    expect(text).toContain("└─ task_cccccc cancelled");
    expect(text).toContain("simulated GPU: task_aaaaaa writes; in line: task_bbbbbb, parent");
  });

  it("says in place of the slot that nobody tells, and marks a kill as such", () => {
    const entries = [say("crash", "03:24:29.123 UTC, pid 7.")];
    const scene = { ...SCENE, entries, outage: "Troupe is dead for 120 ms" };
    const lines = frameOf(scene, { columns: 80, rows: 23 });
    expect(lines.map(textOf)).toContain("kill -9 03:24:29.123 UTC, pid 7.");
    expect(lines.at(-1)).toEqual([["red", "Troupe is dead for 120 ms"]]);
    expect(lines.map(textOf).join("\n")).not.toContain("simulated GPU:");
  });

  it("keeps the end of a long conversation", () => {
    const entries = Array.from({ length: 50 }, (_, index) => say("note", `note ${index}`));
    const text = frameOf({ ...SCENE, entries }, { columns: 80, rows: 23 })
      .map(textOf)
      .join("\n");
    expect(text).toContain("note 49");
    expect(text).not.toContain("note 1\n");
  });

  it("shows what is being typed, and that the parent writes before its text is there", () => {
    const tree = { ...TREE, phase: "generating" as const };
    const lines = frameOf({ ...SCENE, tree, typed: "How f" }, { columns: 80, rows: 23 }).map(textOf);
    expect(lines).toContain("parent  …");
    expect(lines).toContain("you     How f_");
  });
});

describe("entryLines", () => {
  it("obeys nothing that a model writes: no sequence, no control character, no turned text", () => {
    const lines = entryLines(say("parent", "a\u001b[31mb\u0007\r\u202ec\td\u009b2J"), 80).map(textOf);
    expect(lines).toEqual(["parent  abc d"]);
  });

  it("shows the beginning of a long answer, and the end of one that is being written", () => {
    const text = Array.from({ length: 20 }, (_, index) => `line ${index}`).join("\n");
    const done = entryLines(say("parent", text), 80).map(textOf);
    expect([done.length, done[0], done.at(-1)]).toEqual([7, "parent  line 0", "        …"]);
    const live = entryLines(say("parent", text, false), 80).map(textOf);
    expect([live[0], live.at(-1)]).toEqual(["parent  …", "        line 19"]);
  });
});

describe("treeLines", () => {
  it("leaves the last lines out where there is no room for them, and says how much is missing", () => {
    expect(treeLines(TREE, { columns: 80, rows: 7 })).toHaveLength(7);
    expect(treeLines(TREE, { columns: 80, rows: 4 })).toHaveLength(4);
    expect(treeLines(TREE, { columns: 80, rows: 3 }).map(textOf).at(-1)).toBe("… 2 more lines");
  });

  it("says so where a child has written nothing", () => {
    const lines = treeLines(TREE, { columns: 80, rows: 7 }).map(textOf);
    expect(lines.at(-1)).toBe("      nothing left to say");
    expect(lines[2]).toBe("│     Reading README.md");
  });
});

describe("slotLine", () => {
  it("says when nobody writes", () => {
    const idle = { ...TREE, phase: "waiting_input" as const, queuePosition: null, children: [] };
    expect(textOf(slotLine(idle, "Ollama 0.24.0", 80))).toBe("Ollama 0.24.0: free");
  });
});
