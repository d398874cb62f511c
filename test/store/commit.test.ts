import { describe, expect, it } from "vitest";
import { NO_USAGE } from "../../src/core/limits.ts";
import type { CommitPoint } from "../../src/store/commit.ts";
import { boxOf, checkCommit, firstRecord, recordAfter, stampEvent } from "../../src/store/commit.ts";
import { DONE, specimen, STARTED } from "./specimens.ts";

const record = { ...firstRecord(specimen("t1")), epoch: 2, seq: 4 };
const point: CommitPoint = {
  record,
  owned: true,
  inboxCursor: 1,
  inboxLast: 3,
  compactedTo: 2,
  lastIndex: 5,
};
/** A write of turn 1, which is fine, or of another one, which is not. */
const check = (at: Partial<CommitPoint>, [epoch, expectedSeq, turn = 1]: readonly number[]) =>
  checkCommit({ ...point, ...at }, { epoch: epoch ?? 0, expectedSeq: expectedSeq ?? 0, write: { turn } });

describe("checkCommit", () => {
  it("passes a write of the owner at the right sequence", () => {
    expect(check({}, [2, 4])).toBeUndefined();
  });

  it("D6 says ended before anything else that is wrong as well", () => {
    const ended = { record: { ...record, state: "done", end: DONE }, owned: false } as const;
    expect(() => check(ended, [1, 1, -1])).toThrow(expect.objectContaining({ code: "ended" }));
  });

  it("D3 says fenced before sequence, and sequence before an invalid part", () => {
    expect(() => check({ owned: false }, [2, 1, -1])).toThrow(expect.objectContaining({ code: "fenced" }));
    expect(() => check({}, [1, 1, -1])).toThrow(expect.objectContaining({ code: "fenced" }));
    expect(() => check({}, [2, 1, -1])).toThrow(expect.objectContaining({ code: "sequence" }));
    expect(() => check({}, [2, 4, -1])).toThrow(expect.objectContaining({ code: "invalid_write" }));
  });

  it("takes a cursor anywhere between the last one and the last entry", () => {
    const codes = [0, 1, 2, 3, 4].map((inboxCursor) => {
      try {
        checkCommit(point, { epoch: 2, expectedSeq: 4, write: { inboxCursor } });
        return "ok";
      } catch (thrown) {
        return (thrown as { code: string }).code;
      }
    });
    expect(codes).toEqual(["invalid_write", "ok", "ok", "ok", "invalid_write"]);
  });

  it("lets a compaction reach over the rows that the same commit writes", () => {
    const message = { role: "user", origin: "summary", parts: [] } as const;
    const write = { messages: [message], compactedTo: 6 };
    expect(checkCommit(point, { epoch: 2, expectedSeq: 4, write })).toBeUndefined();
    const beyond = { epoch: 2, expectedSeq: 4, write: { ...write, compactedTo: 7 } };
    expect(() => checkCommit(point, beyond)).toThrow(expect.objectContaining({ code: "invalid_write" }));
  });
});

describe("recordAfter", () => {
  it("keeps what the write does not name, and never changes the record it was given", () => {
    const after = recordAfter(record, {}, 9);
    expect(after).toEqual(record);
    expect(after).not.toBe(record);
    expect(after.usage).toBe(NO_USAGE);
  });

  it("counts the events, and ends with the time, the end and no phase", () => {
    const after = recordAfter(
      record,
      { events: [STARTED, STARTED], terminal: DONE, phase: "generating" },
      77,
    );
    expect(after).toMatchObject({ seq: 6, state: "done", phase: null, finishedAt: 77, end: DONE });
  });

  it("tells a phase of null from one that is not named", () => {
    expect(recordAfter(record, { phase: null }, 9).phase).toBeNull();
    expect(recordAfter(record, { turn: 1 }, 9).phase).toBe("queued");
  });
});

describe("stampEvent", () => {
  it("fills the envelope from the record after the write", () => {
    const spec = specimen("c1", { parentId: "p", rootId: "r", sessionId: "s", traceparent: "00-1" });
    const after = { ...firstRecord(spec), run: 2, turn: 3 };
    const event = stampEvent(STARTED, after, { storeId: "store_1", cursor: 8, seq: 5, time: 11 });
    expect(event).toEqual({
      storeId: "store_1",
      cursor: 8,
      seq: 5,
      time: 11,
      version: 1,
      taskId: "c1",
      parentId: "p",
      rootId: "r",
      sessionId: "s",
      traceparent: "00-1",
      run: 2,
      turn: 3,
      state: "spawned",
      phase: "queued",
      type: "task.started",
      data: {},
    });
  });
});

describe("boxOf", () => {
  it.each([
    ["box:b1:/home/me", "b1"],
    ["box:box_0f:C:\\work", "box_0f"],
  ])("reads the box of %s", (workspace, box) => {
    expect(boxOf(workspace)).toBe(box);
  });

  it.each(["", "/home", "box::/home", "box:b1:", "box:b1", "file:b1:/x"])("refuses %j", (workspace) => {
    expect(() => boxOf(workspace)).toThrow(expect.objectContaining({ code: "bad_workspace" }));
  });
});
