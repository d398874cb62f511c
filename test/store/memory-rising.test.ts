import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RisingList } from "../../src/store/memory-rising.ts";

interface Item {
  readonly key: number;
}

function listOf(keys: readonly number[]): RisingList<Item> {
  const list = new RisingList<Item>();
  for (const key of keys) list.push(key, { key });
  return list;
}

const keysAbove = (list: RisingList<Item>, key: number): readonly number[] =>
  [...list.above(key)].map((item) => item.key);

describe("RisingList", () => {
  it("reads the items above a key in order, holes left out", () => {
    const list = listOf([2, 3, 5, 8, 9]);
    expect(list.remove(5)).toEqual({ key: 5 });
    expect(list.remove(5)).toBeNull();
    expect(list.remove(4)).toBeNull();
    expect(list.remove(99)).toBeNull();
    expect(keysAbove(list, 0)).toEqual([2, 3, 8, 9]);
    expect(keysAbove(list, 3)).toEqual([8, 9]);
    expect(keysAbove(list, 4)).toEqual([8, 9]);
    expect(keysAbove(list, 9)).toEqual([]);
    expect(list.size).toBe(4);
  });

  it("knows its lowest key whatever left", () => {
    const list = listOf([2, 3, 5]);
    list.remove(2);
    expect(list.firstKey).toBe(3);
    expect(list.shift()).toEqual({ key: 3 });
    expect(list.firstKey).toBe(5);
    list.remove(5);
    expect([list.firstKey, list.size, list.shift()]).toEqual([undefined, 0, null]);
    list.push(7, { key: 7 });
    expect([list.firstKey, list.size]).toEqual([7, 1]);
  });

  it("holds what a sorted map would hold, whatever happens to it", () => {
    const action = fc.oneof(
      fc.record({ act: fc.constant("push" as const), by: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ act: fc.constant("remove" as const), by: fc.nat(40) }),
      fc.record({ act: fc.constant("shift" as const), by: fc.constant(0) }),
    );
    const property = fc.property(fc.array(action, { maxLength: 60, size: "max" }), (actions) => {
      const list = new RisingList<Item>();
      const naive: number[] = [];
      let key = 0;
      for (const { act, by } of actions) {
        const place = act === "shift" ? 0 : naive.indexOf(by);
        if (act === "push") {
          key += by;
          list.push(key, { key });
          naive.push(key);
        }
        const left = act === "push" ? null : act === "shift" ? list.shift() : list.remove(by);
        const [due] = act === "push" || place < 0 ? [] : naive.splice(place, 1);
        expect(left?.key).toBe(due);
        expect([list.size, list.firstKey]).toEqual([naive.length, naive[0]]);
        expect(keysAbove(list, 7)).toEqual(naive.filter((each) => each > 7));
      }
    });
    expect(() => fc.assert(property, { numRuns: 100 })).not.toThrow();
  });
});
