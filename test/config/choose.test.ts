import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseChild, chooseParent, neededBytes } from "../../src/config/choose.ts";
import type { Candidate } from "../../src/config/choose.ts";
import { GIB } from "./discovery-fixture.ts";

const candidates = fc.array(
  fc.record({
    name: fc.string({ minLength: 1, maxLength: 4 }),
    sizeBytes: fc.option(fc.integer({ min: 1, max: 60 }).map((gib) => gib * GIB)),
    tools: fc.boolean(),
  }),
  { maxLength: 8 },
);
const vram = fc.option(fc.integer({ min: 0, max: 96 }).map((gib) => gib * GIB));

describe("chooseParent and chooseChild", () => {
  it("never choose a model without tools, nor a child that does not fit beside a parent that fits", () => {
    fc.assert(
      fc.property(candidates, vram, (list, vramBytes) => {
        const byName = new Map(list.map((candidate) => [candidate.name, candidate]));
        const unique = [...byName.values()];
        const choice = chooseParent(unique, vramBytes);
        expect(choice === null).toBe(!unique.some(({ tools }) => tools));
        if (choice === null) return;
        const parent = byName.get(choice.name) as Candidate;
        const child = byName.get(chooseChild(parent, unique, vramBytes).name) as Candidate;
        expect(parent.tools && child.tools).toBe(true);
        if (child === parent) return;
        const both = neededBytes(parent.sizeBytes as number) + neededBytes(child.sizeBytes as number);
        expect(both).toBeLessThanOrEqual(vramBytes as number);
      }),
    );
  });

  it("is the same whatever the order of the models", () => {
    const list = [4, 8, 8, 2].map((gib, index) => ({ name: `m${index}`, sizeBytes: gib * GIB, tools: true }));
    expect(chooseParent(list, 24 * GIB)).toEqual(chooseParent(list.toReversed(), 24 * GIB));
    expect(chooseParent(list, 24 * GIB)?.name).toBe("m1");
  });

  it("takes the smallest, with a warning in words, where none fits", () => {
    const choice = chooseParent(
      [
        { name: "a", sizeBytes: 40 * GIB, tools: true },
        { name: "b", sizeBytes: 20 * GIB, tools: true },
      ],
      4 * GIB,
    );
    expect(choice).toMatchObject({ name: "b", why: expect.stringContaining("it will be slow") as string });
  });
});
