import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RING_LINE_CHARS, RING_LINES } from "../../src/core/limits.ts";
import { cutMiddle, OutputRing, safeSlice } from "../../src/runtime/output-ring.ts";

describe("OutputRing", () => {
  test("R1 keeps the last 200 lines", () => {
    const ring = new OutputRing();
    for (let n = 0; n < 500; n++) ring.line(`line ${n}`);
    const lines = ring.tail(1_000);
    expect(lines).toHaveLength(RING_LINES);
    expect([lines[0], lines.at(-1)]).toEqual(["line 300", "line 499"]);
  });

  test("R1 cuts a line to 500 characters, with a mark, however it was written", () => {
    const ring = new OutputRing();
    ring.line("x".repeat(501));
    ring.write("y".repeat(10_000));
    ring.write("\n");
    ring.write("z".repeat(500));
    const [whole, streamed, open] = ring.tail(10);
    expect(whole).toBe(`${"x".repeat(RING_LINE_CHARS - 1)}…`);
    expect(streamed).toBe(`${"y".repeat(RING_LINE_CHARS - 1)}…`);
    expect(open).toBe("z".repeat(RING_LINE_CHARS));
  });

  test("shows the line that is being written, and ends it before a whole one", () => {
    const ring = new OutputRing();
    ring.write("thin");
    expect(ring.tail(5)).toEqual(["thin"]);
    ring.write("king\nmo");
    expect(ring.tail(5)).toEqual(["thinking", "mo"]);
    ring.line("→ call");
    ring.end();
    expect(ring.tail(5)).toEqual(["thinking", "mo", "→ call"]);
    expect(ring.tail(1)).toEqual(["→ call"]);
  });

  test("R1 holds for every text in any pieces, and short lines come out as they went in", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 40 }), { maxLength: 40 }), (pieces) => {
        const ring = new OutputRing();
        for (const piece of pieces) ring.write(piece);
        const lines = pieces.join("").split("\n");
        const shown = (lines.at(-1) === "" ? lines.slice(0, -1) : lines).slice(-10);
        const short = shown.map((line) => (line.length <= RING_LINE_CHARS ? line : null));
        const tail = ring.tail(10);
        expect(tail.map((line, index) => (short[index] === null ? null : line))).toEqual(short);
        for (const line of tail) expect(line.length).toBeLessThanOrEqual(RING_LINE_CHARS);
      }),
    );
  });
});

describe("cutting", () => {
  test("never splits a surrogate pair and never exceeds its limit", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 200 }),
        fc.integer({ min: 40, max: 150 }),
        (text, limit) => {
          const well = text.toWellFormed();
          const cut = cutMiddle(well, limit);
          expect(cut.text.isWellFormed()).toBe(true);
          expect(cut.text.length).toBeLessThanOrEqual(limit);
          expect(cut.truncated).toBe(well.length > limit);
          expect(safeSlice(well, limit).isWellFormed()).toBe(true);
        },
      ),
    );
  });

  test("keeps the beginning and the end, and says how much is missing", () => {
    const { text } = cutMiddle(`begin${"x".repeat(1_000)}end`, 100);
    expect(text).toMatch(/^beginx+\n… \[908 characters cut\] …\nx*end$/);
  });
});
