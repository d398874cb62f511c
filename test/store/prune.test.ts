import { describe, expect, it } from "vitest";
import type { TaskEnd, TaskSpec } from "../../src/core/task.ts";
import { firstRecord, recordAfter } from "../../src/store/commit.ts";
import { checkPrune, standingOf, treeTaskOf } from "../../src/store/prune.ts";
import type { TreeTask } from "../../src/store/prune.ts";
import { CANCELLED, childOf, DONE, FAILED, specimen } from "./specimens.ts";

interface Parts {
  readonly spec?: Partial<TaskSpec>;
  readonly end?: TaskEnd | null;
  readonly readAt?: number | null;
  readonly taken?: boolean;
}

/** One task as it stands; a root that is done and was read unless the parts say otherwise. */
function task({ spec = {}, end = DONE, readAt = 5, taken = false }: Parts = {}): TreeTask {
  const first = firstRecord(specimen("t1", spec));
  const record = end === null ? first : recordAfter(first, { terminal: end }, 9);
  return treeTaskOf({ ...record, readAt }, taken);
}

const child = (parts: Parts): TreeTask =>
  task({ readAt: null, ...parts, spec: { ...childOf("r1"), ...parts.spec } });

const KEPT: TaskEnd = { ...CANCELLED, result: "half of it" };

/** The trees that D8 names, each beside what it is. */
const TREES: Readonly<Record<string, readonly [readonly TreeTask[], string]>> = {
  "a root that was read": [[task()], "free"],
  "a root that nobody read": [[task({ readAt: null })], "unread"],
  "a root that failed and nobody read": [[task({ end: FAILED, readAt: null })], "unread"],
  "a root that was cancelled and nobody read": [[task({ end: CANCELLED, readAt: null })], "unread"],
  "a root that lives": [[task({ end: null, readAt: null })], "living"],
  "a session that has ended": [[task({ spec: { kind: "session" }, readAt: null })], "free"],
  "a session that lives": [[task({ spec: { kind: "session" }, end: null, readAt: null })], "living"],
  "a child that lives": [[task(), child({ end: null })], "living"],
  "a child that lives below a root that nobody read": [
    [task({ readAt: null }), child({ end: null })],
    "living",
  ],
  "a result that nobody took": [[task(), child({})], "unread"],
  "a result that its parent took": [[task(), child({ taken: true })], "free"],
  "a result that somebody read": [[task(), child({ readAt: 7 })], "free"],
  "a result kept by a cancel": [[task(), child({ end: KEPT })], "unread"],
  "a child without a result": [[task(), child({ end: FAILED }), child({ end: CANCELLED })], "free"],
  "an empty result": [[task(), child({ end: { ...DONE, result: "" } })], "unread"],
  "one result of many that nobody took": [
    [task(), child({ taken: true }), child({}), child({ readAt: 7 })],
    "unread",
  ],
  "a result that nobody took below a session": [
    [task({ spec: { kind: "session" }, readAt: null }), child({})],
    "unread",
  ],
  "a root that nobody read, though its word was taken": [[task({ readAt: null, taken: true })], "unread"],
  "no task at all": [[], "free"],
};

describe("standingOf", () => {
  it.each(Object.entries(TREES))("D8 calls a tree with %s what it is", (_, [tasks, standing]) => {
    expect(standingOf({ tasks, lastCursor: 9, readers: [] })).toBe(standing);
  });

  it.each([
    [[9], "free"],
    [[10, 99], "free"],
    [[8], "unread"],
    [[99, 0], "unread"],
  ] as const)("D8 calls a tree whose last event is 9 right for readers at %s", (readers, standing) => {
    expect(standingOf({ tasks: [task()], lastCursor: 9, readers })).toBe(standing);
  });

  it("D8 waits for no reader of a tree none of whose events is kept", () => {
    expect(standingOf({ tasks: [task()], lastCursor: 0, readers: [0] })).toBe("free");
  });
});

describe("checkPrune", () => {
  it("takes any time and any whole number of bytes", () => {
    for (const query of [{ endedBefore: -1 }, { endedBefore: 0.5 }, { endedBefore: 1, maxBytes: 0 }])
      expect(checkPrune(query)).toBeUndefined();
  });

  it.each([
    [{ endedBefore: Number.NaN }, "bad_ended_before"],
    [{ endedBefore: Number.NEGATIVE_INFINITY }, "bad_ended_before"],
    [{ endedBefore: 1, maxBytes: -1 }, "bad_max_bytes"],
    [{ endedBefore: 1, maxBytes: 1.5 }, "bad_max_bytes"],
    [{ endedBefore: 1, maxBytes: Number.POSITIVE_INFINITY }, "bad_max_bytes"],
  ])("refuses %o", (query, code) => {
    expect(() => checkPrune(query)).toThrow(expect.objectContaining({ kind: "invalid_request", code }));
  });
});
