import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fifo, firstWhere, MinHeap } from "../../src/store/memory-fifo.ts";

describe("Fifo", () => {
  it("gives back what an array would, at every place, after any pushes and shifts", () => {
    expect.hasAssertions();
    const moves = fc.array(fc.oneof(fc.nat(), fc.constant("shift" as const)), { maxLength: 80, size: "max" });
    const property = fc.property(fc.array(fc.nat(), { maxLength: 3 }), moves, (start, list) => {
      const fifo = new Fifo([...start]);
      const array = [...start];
      for (const move of list) {
        const given: unknown[] = [];
        if (move !== "shift") {
          fifo.push(move);
          array.push(move);
        } else if (array.length > 0) {
          given.push(fifo.shift(), array.shift());
        }
        expect(given[0]).toBe(given[1]);
        expect(Array.from({ length: fifo.length }, (_, at) => fifo.at(at))).toEqual(array);
      }
    });
    fc.assert(property);
  });
});

describe("MinHeap", () => {
  it("gives the lowest key first, after any pushes and pops", () => {
    expect.hasAssertions();
    const moves = fc.array(fc.oneof(fc.nat(20), fc.constant("pop" as const)), { maxLength: 80, size: "max" });
    const property = fc.property(moves, (list) => {
      const heap = new MinHeap<{ readonly key: number }>((item) => item.key);
      const keys: number[] = [];
      for (const move of list) {
        const popped = move === "pop" ? [heap.pop()?.key, keys.shift()] : [];
        if (move !== "pop") {
          heap.push({ key: move });
          keys.push(move);
        }
        expect(popped[0]).toBe(popped[1]);
        keys.sort((a, b) => a - b);
        expect(heap.peek()?.key).toBe(keys[0]);
      }
    });
    fc.assert(property);
  });
});

describe("firstWhere", () => {
  it("finds the place where the condition begins to hold", () => {
    expect.hasAssertions();
    const property = fc.property(fc.nat(50), fc.nat(60), (length, from) => {
      expect(firstWhere(length, (at) => at >= from)).toBe(Math.min(from, length));
    });
    fc.assert(property);
  });
});
