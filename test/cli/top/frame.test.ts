import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnsOf } from "../../../src/cli/printable.ts";
import { bodyRows, firstRow, frameOf, type Scene } from "../../../src/cli/top/frame.ts";
import { taskRows } from "../../../src/cli/top/task-rows.ts";
import { FIRST_STATE, type TopState } from "../../../src/cli/top/top-state.ts";
import { DONE, gpuOf, laneOf, nodeOf, NOW, STATUS, textOf } from "./nodes.ts";

const ROOM = { columns: 80, rows: 24 };

function sceneOf(rest: Partial<Scene> = {}, state: Partial<TopState> = {}): Scene {
  const nodes = rest.nodes ?? [nodeOf("a", { children: [nodeOf("b")] }), nodeOf("c", DONE)];
  return {
    where: "http://127.0.0.1:7433",
    now: NOW,
    live: { kind: "live" },
    nodes,
    rows: taskRows(nodes, { filter: "", folded: new Set() }),
    gpus: [gpuOf("gpu0", [laneOf()])],
    status: STATUS,
    needs: [],
    state: { ...FIRST_STATE, ...state },
    panel: [],
    ...rest,
  };
}

const screenOf = (scene: Scene, room = ROOM): readonly string[] =>
  frameOf(scene, room).map((line) => textOf(line).trimEnd());

describe("a screen", () => {
  test("in 80×24 shows the box, its lanes, the tasks, the selected one and the keys", () => {
    const screen = screenOf(sceneOf());
    expect(screen.slice(0, 6)).toEqual([
      "troupe ● live  2 at work, 0 wait, 1 ended  http://127.0.0.1:7433",
      "gpu0 ollama qwen3:8b@16384 ···· 0/4",
      "  TASK              WHERE            TIME MODEL        GOAL",
      "▸ task_aaaaaaaa     generating        10s qwen3:8b     goal a",
      "  └─task_bbbbbbbb   generating        10s qwen3:8b     goal b",
      "  task_cccccccc     done               9s qwen3:8b     goal c",
    ]);
    expect(screen.slice(-3)).toEqual([
      "─ 1/3 task_aaaaaaaa goal a",
      "  nothing written yet",
      "↑↓ enter t tail s steer c cancel C subtree p pause r replay / filter ? help q",
    ]);
  });

  test("F1 has as many lines as there are rows, and none is wider", () => {
    const nodes = Array.from({ length: 50 }, () =>
      nodeOf("e", { goal: "漢字".repeat(100), lastLine: "x".repeat(500) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.integer({ min: 8, max: 60 }),
        fc.nat(3),
        (columns, rows, at) => {
          const panel = (["none", "detail", "tail", "help"] as const)[at] ?? "none";
          const needs = Array.from({ length: 5 }, () => ({ taskId: null, text: "need ".repeat(50) }));
          const scene = sceneOf({ nodes, needs, panel: ["p".repeat(500)] }, { panel });
          const frame = frameOf(scene, { columns, rows });
          expect(frame).toHaveLength(rows);
          expect(Math.max(...frame.map((line) => columnsOf(textOf(line))))).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  test("F2 says how old it is while nobody answers, and lets no time pass", () => {
    const live = { kind: "lost", since: NOW - 30_000, why: "no answer" } as const;
    const screen = screenOf(sceneOf({ live, nodes: [nodeOf("a", { startedAt: NOW - 40_000 })] }));
    expect(screen[0]).toMatch(/^troupe ✕ no answer, as of 30s ago, trying again/);
    expect(screen[3]).toContain(" 10s ");
    expect(screen.slice(-3, -1)).toEqual(["no answer", "What is shown was so 30s ago."]);
  });

  test("says what is simulated and paused, what needs a person, and how much more does", () => {
    const status = { ...STATUS, simulated: true, paused: true };
    const needs = ["one", "two", "three"].map((text) => ({ taskId: null, text }));
    const screen = screenOf(sceneOf({ status, needs }));
    expect(screen[0]).toContain("SIMULATED  PAUSED");
    expect(screen.slice(2, 4)).toEqual(["! one", "! two (and 1 more)"]);
  });

  test.each<[Partial<Scene>, Partial<TopState>, string]>([
    [{ live: { kind: "connecting" } }, {}, "…"],
    [{}, {}, "No tasks yet."],
    [{}, { filter: "x" }, "No task fits the filter."],
  ])("without tasks it says why (%j %j)", (rest, state, words) => {
    const screen = screenOf(sceneOf({ nodes: [], ...rest }, state));
    expect(screen).toContain(`  ${words}`);
  });

  test("shows an event of a recording, and its own keys", () => {
    const screen = screenOf(
      sceneOf({ live: { kind: "recording", at: 3, of: 9, time: NOW, what: "task_1 started" } }),
    );
    expect(screen[0]).toContain("◆ recording 3/9");
    expect(screen[1]).toMatch(/^├─{26}●─{51}┤$/);
    expect(screen[2]).toBe("2023-11-14 22:13:20 task_1 started");
    expect(screen.at(-1)).toMatch(/^← → event/);
  });
});

describe("the last line", () => {
  const lastOf = (state: Partial<TopState>): string | undefined => screenOf(sceneOf({}, state)).at(-1);

  test("is the notice, the filter, or what is typed, of which the end stays in sight", () => {
    expect(lastOf({ notice: "Done." })).toBe("Done.");
    expect(lastOf({ filter: "qwen" })).toMatch(/^\[qwen\] ↑↓/);
    const taskId = nodeOf("a").taskId;
    expect(lastOf({ prompt: { kind: "cancel", taskId, below: 2 } })).toBe(
      "Cancel task_aaaaaaaa and the 2 below it? y/n",
    );
    const typed = lastOf({ prompt: { kind: "steer", taskId, text: `${"x".repeat(300)}end\u001b` } });
    expect(typed).toMatch(/^steer task_aaaaaaaa: x+end␛█$/);
    expect(typed).toHaveLength(80);
  });
});

describe("what covers the tasks", () => {
  const panel = Array.from({ length: 100 }, (_, at) => `line ${at}`);

  test("is scrolled from its beginning, a tail from its end, and never beyond either", () => {
    const first = (state: Partial<TopState>): string | undefined => screenOf(sceneOf({ panel }, state))[2];
    const height = bodyRows(sceneOf(), ROOM) + 1;
    expect(first({ panel: "detail" })).toBe("line 0");
    expect(first({ panel: "detail", scroll: 5 })).toBe("line 5");
    expect(first({ panel: "tail" })).toBe(`line ${100 - height}`);
    expect(first({ panel: "tail", scroll: 5 })).toBe(`line ${95 - height}`);
    expect(first({ panel: "tail", scroll: 5_000 })).toBe("line 0");
    expect(first({ panel: "detail", scroll: 5_000 })).toBe(`line ${100 - height}`);
  });
});

test("a window of rows moves by pages and always holds the selected one", () => {
  fc.assert(
    fc.property(fc.nat(500), fc.nat(500), fc.integer({ min: 2, max: 50 }), (a, b, body) => {
      const rows = Math.max(a, b) + 1;
      const selected = Math.min(a, b);
      const first = firstRow(selected, { rows, body });
      expect(first).toBeLessThanOrEqual(selected);
      expect(selected).toBeLessThan(first + body);
      expect(first).toBeLessThanOrEqual(Math.max(0, rows - body));
    }),
  );
  expect(firstRow(3, { rows: 100, body: 10 })).toBe(firstRow(7, { rows: 100, body: 10 }));
});
