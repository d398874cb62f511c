// The heap against a sorted array, and how much work it does.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Heap, type HeapItem } from "../../src/scheduler/heap.ts";

const item = (rank: number): HeapItem => ({ rank, tie: 0, heapIndex: -1 });

describe("Heap", () => {
  it("gives the lowest rank after any pushes and removals, as a sorted array does", () => {
    const operation = fc.oneof(
      { weight: 3, arbitrary: fc.record({ type: fc.constant("push"), at: fc.nat(1_000_000) }) },
      fc.record({ type: fc.constant("pop"), at: fc.nat() }),
      fc.record({ type: fc.constant("remove"), at: fc.nat() }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 120, size: "max" }), (operations) => {
        const heap = new Heap<HeapItem>();
        let sorted: HeapItem[] = [];
        for (const [serial, { type, at }] of operations.entries()) {
          if (type === "push") {
            const pushed = item(at + serial / 1000);
            heap.push(pushed);
            sorted = [...sorted, pushed].toSorted((a, b) => a.rank - b.rank);
          } else if (sorted.length > 0) {
            const [gone] = sorted.splice(type === "pop" ? 0 : at % sorted.length, 1);
            heap.remove(gone as HeapItem);
          }
          expect(heap.peek()).toBe(sorted[0]);
          expect(heap.size).toBe(sorted.length);
        }
        for (const expected of sorted) {
          expect(heap.peek()).toBe(expected);
          heap.remove(expected);
        }
        expect(heap.size).toBe(0);
      }),
    );
  });

  it("H1 ignores a second push and a second removal", () => {
    const heap = new Heap<HeapItem>();
    const [one, two] = [item(1), item(2)];
    for (const pushed of [one, two, one]) heap.push(pushed);
    expect(heap.size).toBe(2);
    heap.remove(one);
    heap.remove(one);
    expect(heap.items).toEqual([two]);
    heap.push(one);
    expect(heap.peek()).toBe(one);
  });

  it("does not let a heap remove what lies in another", () => {
    const [here, there] = [new Heap<HeapItem>(), new Heap<HeapItem>()];
    const [one, two] = [item(1), item(2)];
    here.push(one);
    there.push(two);
    here.remove(two);
    expect([here.size, there.size]).toEqual([1, 1]);
  });

  it("reads a number of ranks that grows with the logarithm of its size", () => {
    let reads = 0;
    const counted = (rank: number): HeapItem => ({
      tie: 0,
      heapIndex: -1,
      get rank() {
        reads++;
        return rank;
      },
      set rank(_) {},
    });
    const heap = new Heap<HeapItem>();
    const all = Array.from({ length: 10_000 }, (_, index) => counted((index * 7919) % 10_007));
    for (const each of all) heap.push(each);
    let most = 0;
    for (const each of all) {
      reads = 0;
      heap.remove(each);
      most = Math.max(most, reads);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4 * Math.ceil(Math.log2(10_000)) + 4);
  });
});
