import { describe, expect, it } from "vitest";
import { AUDIT_CHARS } from "../../src/core/audit.ts";
import { chained, CHAIN_START, headBefore, linkOf } from "../../src/store/audit-chain.ts";
import { noteOf } from "./audit-notes.ts";

const first = chained(CHAIN_START, noteOf("task_1", { tokenId: "tok_1", detail: "d" }), 7);
const second = chained(first.head, noteOf("task_2"), 8);

describe("a chain", () => {
  it("numbers its rows and gives each back as it was noted", () => {
    const link = linkOf(CHAIN_START, first.line);
    expect(link).toMatchObject({
      ok: true,
      row: {
        ...noteOf("task_1", { tokenId: "tok_1", detail: "d" }),
        seq: 1,
        time: 7,
        prev: CHAIN_START.hash,
      },
    });
    expect(link.ok && { seq: link.row.seq, hash: link.row.hash }).toEqual(first.head);
    expect(linkOf(first.head, second.line)).toMatchObject({ ok: true, row: { seq: 2 } });
  });

  it("H1 shows every byte that was changed", () => {
    const { line } = second;
    for (let at = 0; at < line.length; at += 1) {
      const changed = `${line.slice(0, at)}${line[at] === "0" ? "1" : "0"}${line.slice(at + 1)}`;
      expect([at, linkOf(first.head, changed).ok]).toEqual([at, false]);
    }
  });

  it("H2 shows a row that follows another than the one before it", () => {
    expect(linkOf(CHAIN_START, second.line)).toMatchObject({
      ok: false,
      why: expect.stringContaining("row 0"),
    });
    const other = chained(CHAIN_START, noteOf("task_9"), 7);
    expect(linkOf(other.head, second.line).ok).toBe(false);
    expect(linkOf(second.head, second.line)).toMatchObject({ ok: false, isGap: true });
    expect(headBefore(second.line)).toEqual(first.head);
  });

  it.each(["", "{}", "null", '{"seq":1}', "\u0000", "x".repeat(1000)])("knows no row in %j", (line) => {
    expect(linkOf(CHAIN_START, line)).toEqual({
      ok: false,
      why: "it is no row of an audit log",
      seq: null,
      isGap: false,
    });
    expect(headBefore(line)).toBeNull();
  });

  it("knows no row by its hash alone: whoever shows it must be able to", () => {
    const spoilt = (more: object, time: unknown = 7) =>
      linkOf(CHAIN_START, chained(CHAIN_START, { ...noteOf("t"), ...more }, time as number).line);
    expect(spoilt({}).ok).toBe(true);
    for (const time of [1e300, "7", null, {}]) expect([time, spoilt({}, time).ok]).toEqual([time, false]);
    expect([spoilt({ digest: 7 }).ok, spoilt({ digest: {} }).ok]).toEqual([false, false]);
  });

  it("cuts what is long, keeps what is odd, and is one line whatever is in it", () => {
    const odd = chained(CHAIN_START, noteOf(`a\n"b"\u2028\ud800${"x".repeat(9_000)}`), 1);
    expect(odd.line).not.toContain("\n");
    expect(odd.line.length).toBeLessThan(2_000);
    const link = linkOf(CHAIN_START, odd.line);
    expect(link.ok && link.row.target?.length).toBe(AUDIT_CHARS);
  });
});
