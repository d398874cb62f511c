import { expect, test } from "vitest";
import { laneLines } from "../../../src/cli/top/lane-lines.ts";
import { gpuOf, laneOf, textOf } from "./nodes.ts";

const LEASE = {
  leaseId: "lease_1",
  taskId: `task_${"a".repeat(32)}`,
  class: "background",
  heldMs: 12_000,
} as const;
const WAITS = {
  taskId: `task_${"b".repeat(32)}`,
  wants: "lease",
  class: "background",
  position: 1,
  waitedMs: 4_000,
  reason: "1 of 1 slots are generating",
} as const;

test("a lane says what it serves, how full it is, who holds it, and who is next and why", () => {
  const lane = laneOf({ slots: 2, leases: [LEASE], waiting: [WAITS, { ...WAITS, position: 2 }] });
  expect(laneLines([gpuOf("gpu0", [lane])], { columns: 200, rows: 4 }).map(textOf)).toEqual([
    "gpu0 ollama qwen3:8b@16384 ■· 1/2 +2 wait task_aaaaaaaa 12s  next task_bbbbbbbb 4s, 1 of 1 slots are generating",
  ]);
});

test("a lane that is named like its GPU is named once, and says when its model is not there", () => {
  const lane = laneOf({
    backend: "cloud",
    profile: "",
    residency: "loading",
    slots: 100,
    leases: Array(5).fill(LEASE),
  });
  const [line] = laneLines([gpuOf("cloud", [lane])], { columns: 200, rows: 1 });
  expect(line && textOf(line)).toMatch(/^cloud loading ■■■■■··· 5\/100 (task_aaaaaaaa 12s,? ?){3} \+2$/);
});

test("with little room the busiest lanes stay, and the others are counted", () => {
  const lanes = [
    laneOf({ profile: "idle" }),
    laneOf({ profile: "busy", leases: [LEASE] }),
    laneOf({ profile: "none" }),
  ];
  const lines = laneLines([gpuOf("gpu0", lanes)], { columns: 100, rows: 1 }).map(textOf);
  expect(lines).toEqual([expect.stringMatching(/^gpu0 ollama busy .*… 2 more lanes$/)]);
  expect(
    laneLines([gpuOf("gpu0", lanes)], { columns: 10, rows: 3 }).every((line) => textOf(line).length <= 10),
  ).toBe(true);
  expect(laneLines([gpuOf("gpu0", lanes)], { columns: 100, rows: 0 })).toEqual([]);
});
