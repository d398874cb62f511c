import { describe, expect, test } from "vitest";
import { NO_USAGE, UNLIMITED_BUDGET } from "../../src/core/limits.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import {
  endedFacts,
  receiptOf,
  resultOf,
  taskView,
  treeNode,
  waitsFor,
  type LiveFacts,
} from "../../src/runtime/views.ts";
import { firstRecord } from "../../src/store/commit.ts";
import type { InboxMessage } from "../../src/store/store.ts";
import { completion, specOf, steer } from "./specimens.ts";

const RECORD: TaskRecord = { ...firstRecord(specOf()), usage: { ...NO_USAGE, promptTokens: 7 } };
const END = { state: "done", result: "a\nb", truncated: false, failure: null } as const;
const LIVE: LiveFacts = {
  state: "running",
  phase: "generating",
  place: null,
  liveChildren: 0,
  pause: null,
  outage: null,
  reroutes: [],
  question: null,
  tail: ["x", "y"],
  remaining: UNLIMITED_BUDGET,
};

describe("what a surface shows", () => {
  test("of a living task is what its host knows, not what the store last heard", () => {
    const view = taskView(RECORD, LIVE, {
      steers: [],
      children: ["task_2"],
      link: null,
      subtree: { ...NO_USAGE, promptTokens: 9 },
    });
    expect(view).toMatchObject({
      taskId: "task_1",
      state: "running",
      phase: "generating",
      tail: ["x", "y"],
      children: ["task_2"],
      spending: { subtree: { promptTokens: 9 }, remaining: UNLIMITED_BUDGET },
    });
    expect(treeNode(RECORD, LIVE, [])).toMatchObject({
      state: "running",
      lastLine: "y",
      usage: { promptTokens: 7 },
      createdAt: RECORD.spec.createdAt,
      startedAt: RECORD.startedAt,
      finishedAt: null,
      lastEvent: RECORD.seq,
    });
  });

  test("of a tree adds up what is below each node", () => {
    const leaf = treeNode(RECORD, LIVE, []);
    expect(treeNode(RECORD, LIVE, [leaf, leaf]).spending.subtree.promptTokens).toBe(21);
  });

  test("of an ended one says what its own budget left, and nothing of others", () => {
    const spec = specOf({ budget: { ...UNLIMITED_BUDGET, tokens: 10, gpuMs: 0 } });
    const node = treeNode({ ...RECORD, spec }, endedFacts({ ...RECORD, spec }), []);
    expect(node.spending.remaining).toEqual({ ...UNLIMITED_BUDGET, tokens: 3, gpuMs: 0 });
    const without = treeNode({ ...RECORD, spec: specOf({ budget: null }) }, endedFacts(RECORD), []);
    expect(without.spending).toMatchObject({ budget: null, remaining: UNLIMITED_BUDGET });
  });

  test("of a failed one says why", () => {
    const failure = { code: "timeout", message: "Too long.", retryable: false };
    const failed: TaskRecord = { ...RECORD, state: "failed", phase: null, end: { ...END, failure } };
    expect(treeNode(failed, endedFacts(failed), []).failure).toEqual(failure);
    expect(treeNode(RECORD, LIVE, []).failure).toBeNull();
  });

  test("of an ended one is its record, with the last lines of its result", () => {
    const ended: TaskRecord = { ...RECORD, state: "done", phase: null, end: END };
    expect(endedFacts(ended)).toMatchObject({ state: "done", phase: null, tail: ["a", "b"] });
    expect(endedFacts({ ...ended, end: { ...END, result: null } }).tail).toEqual([]);
    const long = Array.from({ length: 30 }, (_, n) => `${n}${"x".repeat(600)}`).join("\n");
    const { tail } = endedFacts({ ...ended, end: { ...END, result: long } });
    expect([tail.length, tail[0]?.slice(0, 3), tail[0]?.length]).toEqual([10, "20x", 500]);
  });

  test.each([
    [
      { place: { position: 2, length: 3, wants: "lease", reason: "2 of 2 slots are generating" } },
      "2 of 2 slots are generating",
    ],
    [
      {
        place: { position: 2, length: 3, wants: "place", reason: "4 of 4 places are taken" },
        outage: "gpu is away",
      },
      "4 of 4 places are taken; gpu is away",
    ],
    [{ phase: "backing_off", outage: "gpu is away", pause: "held" }, "gpu is away"],
    [{ phase: "waiting_children", liveChildren: 2 }, "2 living children"],
    [{ phase: "waiting_input" }, "a person"],
    [{ phase: "waiting_input", question: "a person: May I?" }, "a person: May I?"],
    [{ phase: "backing_off" }, "its next try"],
    [{ phase: "backing_off", pause: "a key" }, "a key"],
    [{}, null],
  ] as const)("%j waits for: %s", (facts, words) => {
    expect(waitsFor({ ...LIVE, ...facts } as LiveFacts)).toBe(words);
  });

  test("a result is finished when its end is in the store, whatever the host says", () => {
    expect(resultOf(RECORD, LIVE)).toMatchObject({ finished: false, state: "running", result: null });
    const ended: TaskRecord = { ...RECORD, state: "done", phase: null, end: END };
    expect(resultOf(ended, ended)).toMatchObject({ finished: true, state: "done", result: "a\nb" });
  });
});

describe("receiptOf", () => {
  const entry = (message: InboxMessage) => ({
    taskId: "task_1",
    position: 1,
    time: 5,
    message,
    state: "delivered" as const,
    turn: 3,
    reason: null,
  });

  test("is the fate of a steer, a message or an answer", () => {
    expect(receiptOf(entry(steer("s", { interrupt: true })))).toEqual({
      steerId: "s",
      taskId: "task_1",
      state: "delivered",
      interrupt: true,
      turn: 3,
      reason: null,
      time: 5,
    });
    expect(receiptOf(entry({ kind: "message", id: "m", from: "person:ann", text: "x" }))?.interrupt).toBe(
      false,
    );
  });

  test("there is none for what nobody sent by hand", () => {
    expect(receiptOf(entry(completion("task_2")))).toBeNull();
    expect(receiptOf(entry({ kind: "cancel", id: "c", from: "x", reason: "", force: false }))).toBeNull();
  });
});
