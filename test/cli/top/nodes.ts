// Trees and lanes for the tests of `top`, written by hand.

import type { TreeNode } from "../../../src/core/api.ts";
import type { BoxStatus, GpuView, LaneView } from "../../../src/core/box-api.ts";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../../src/core/limits.ts";
import type { Line } from "../../../src/cli/printer.ts";

export const NOW = 1_700_000_000_000;

/** A task whose id is `name` repeated; it was made a minute ago and runs for ten seconds. */
export function nodeOf(name: string, rest: Partial<TreeNode> = {}): TreeNode {
  return {
    taskId: `task_${name.repeat(32).slice(0, 32)}`,
    kind: "task",
    agent: "child",
    goal: `goal ${name}`,
    model: "qwen3:8b",
    state: "running",
    phase: "generating",
    queuePosition: null,
    waitsFor: null,
    progress: null,
    lastLine: null,
    failure: null,
    usage: NO_USAGE,
    spending: { subtree: NO_USAGE, budget: null, remaining: UNLIMITED_BUDGET },
    createdAt: NOW - 60_000,
    startedAt: NOW - 10_000,
    finishedAt: null,
    lastEvent: 0,
    children: [],
    ...rest,
  };
}

export const DONE = { state: "done", phase: null, finishedAt: NOW - 1_000 } as const;

export function laneOf(rest: Partial<LaneView> = {}): LaneView {
  return {
    backend: "ollama",
    profile: "qwen3:8b@16384",
    provider: "ollama",
    gpu: "gpu0",
    residency: "resident",
    slots: 4,
    slotsAuto: false,
    slotsReason: null,
    maxChildren: 4,
    leases: [],
    places: [],
    waiting: [],
    ...rest,
  };
}

export function gpuOf(gpu: string, lanes: readonly LaneView[], rest: Partial<GpuView> = {}): GpuView {
  return { gpu, backends: lanes, loaded: [], residency: [], outages: [], ...rest };
}

export const STATUS: BoxStatus = {
  version: "0.0.0-test",
  boxId: "box_1",
  simulated: false,
  paused: false,
  tasks: { spawned: 0, running: 0, steering: 0, done: 0, cancelled: 0, failed: 0 },
  startedAt: NOW - 100_000,
  durability: "full",
  storeId: "store_1",
  newestCursor: 0,
  unsafe: [],
  recordedAt: null,
};

export function textOf(line: Line): string {
  return typeof line === "string"
    ? line
    : line.map((span) => (typeof span === "string" ? span : span[1])).join("");
}
