import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../src/cli/printable.ts";
import { headingLine, noteOf, rowLine, timeOf, titleOf, wordOf } from "../../../src/cli/top/row-line.ts";
import { taskRows } from "../../../src/cli/top/task-rows.ts";
import { DONE, nodeOf, NOW, textOf } from "./nodes.ts";
import type { TreeNode } from "../../../src/core/api.ts";

const lineOf = (node: TreeNode, columns = 80, selected = false): string => {
  const [row] = taskRows([node], { filter: "", folded: new Set() });
  if (row === undefined) throw new Error("Expected a row.");
  return textOf(rowLine(row, { columns, now: NOW, selected }));
};

describe("a row", () => {
  test("in 80 columns says what it is, where, how long, on what, and for what", () => {
    const node = nodeOf("a", { phase: "waiting_slot", queuePosition: 2, model: "sim-worker:latest" });
    expect(lineOf(node, 80, true)).toBe(
      `▸ task_aaaaaaaa     waiting_slot #2   10s sim-worker   goal a`.padEnd(80),
    );
    expect(textOf(headingLine(80))).toBe("  TASK              WHERE            TIME MODEL        GOAL");
  });

  test("in 120 columns says why it waits, or what it said last", () => {
    const waits = nodeOf("a", { phase: "backing_off", waitsFor: "its next try" });
    expect(lineOf(waits, 120)).toMatch(/goal a\s+waits for its next try$/);
    const progress = { percent: 40, note: "reading", partial: null, time: NOW };
    expect(lineOf(nodeOf("a", { progress, lastLine: "line" }), 120)).toMatch(/40 % line$/);
    expect(noteOf(nodeOf("a", { progress }))).toBe("40 % reading");
    expect(noteOf(nodeOf("a", { ...DONE, progress, lastLine: "the end" }))).toBe("the end");
  });

  test("shows marks for what a terminal would obey", () => {
    const goal = "\u001b[2Jred\u001b]52;c;aGk=\u0007\u202eevil\u0000\r\nnext";
    const line = lineOf(nodeOf("a", { goal, lastLine: "\u009b31m" }), 140);
    expect(line).toContain("␛[2Jred␛]52;c;aGk=␇‹U+202E›evil");
    expect(line).toContain("‹U+009B›31m");
    expect(line).not.toMatch(new RegExp(String.raw`[\u0000-\u001f\u007f-\u009f\u202e]`));
  });

  test("is never wider than the screen, whatever stands in it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 300 }),
        fc.integer({ min: 20, max: 200 }),
        (text, columns) => {
          const node = nodeOf("a", { goal: text, model: text, lastLine: text, agent: text });
          expect(columnsOf(lineOf(node, columns))).toBeLessThanOrEqual(columns);
        },
      ),
    );
    expect(lineOf(nodeOf("a", { goal: "g".repeat(10_000_000) }), 100).length).toBeLessThan(200);
  });
});

test("words, times and titles", () => {
  expect(wordOf({ state: "steering", phase: null, queuePosition: null })).toBe("steering");
  expect(timeOf(nodeOf("a", { startedAt: null }), NOW)).toBe("1m");
  expect(timeOf(nodeOf("a", DONE), NOW)).toBe("9s");
  expect(titleOf(nodeOf("a", { kind: "session" }))).toBe("(session)");
});

test("what is folded tells how much", () => {
  const node = nodeOf("a", { children: [nodeOf("b"), nodeOf("c")] });
  const [row] = taskRows([node], { filter: "", folded: new Set([node.taskId]) });
  expect(row && textOf(rowLine(row, { columns: 80, now: NOW, selected: false }))).toContain("+2 goal a");
});
