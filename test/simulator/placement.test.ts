import { describe, expect, test } from "vitest";
import { chooseVictim, place, predictedBytes, type Occupant } from "../../src/simulator/placement.ts";
import { model } from "./fixtures.ts";

const gpu = (id: string, vramBytes: number) => ({ id, vramBytes });
const occupant = (
  name: string,
  bytes: Readonly<Record<string, number>>,
  more: Partial<Occupant> = {},
): Occupant => ({
  model: model(name),
  placement: new Map(Object.entries(bytes)),
  users: 0,
  keepAliveMs: 300_000,
  ...more,
});
const asObject = (placement: ReturnType<typeof place>) => placement && Object.fromEntries(placement);

describe("where a model goes", () => {
  test("its size is weights and the cache of all slots", () => {
    expect(predictedBytes(model("m", { sizeBytes: 100, kvBytesPerToken: 2 }), 10, 3)).toBe(160);
  });

  test.each([
    ["an empty box takes a model up to the last byte", 100, [gpu("a", 100)], [], { a: 100 }],
    ["a model too large for an empty box lies there in part", 150, [gpu("a", 100)], [], { a: 100 }],
    [
      "beside another it fits into 80 % of what is free",
      40,
      [gpu("a", 100)],
      [occupant("x", { a: 50 })],
      { a: 40 },
    ],
    ["and no more", 41, [gpu("a", 100)], [occupant("x", { a: 50 })], null],
    ["the roomiest GPU is taken", 40, [gpu("a", 100), gpu("b", 100)], [occupant("x", { a: 50 })], { b: 40 }],
    ["what fits on no GPU is spread", 120, [gpu("a", 100), gpu("b", 100)], [], { a: 60, b: 60 }],
    [
      "a spread counts 80 % of all that is free",
      100,
      [gpu("a", 100), gpu("b", 100)],
      [occupant("x", { a: 80 })],
      null,
    ],
  ])("%s", (...row) => {
    const [, bytes, gpus, occupants, expected] = row;
    expect(asObject(place({ bytes }, gpus, occupants))).toEqual(expected);
  });
});

test("a GPU that was asked for is the only one that is looked at", () => {
  const gpus = [gpu("a", 100), gpu("b", 50)];
  expect(asObject(place({ bytes: 40, mainGpu: 1 }, gpus, []))).toEqual({ b: 40 });
  expect(place({ bytes: 45, mainGpu: 1 }, gpus, [occupant("x", { a: 10 })])).toBeNull();
});

test("a server that was told to spread takes all GPUs even where one would do", () => {
  const gpus = [gpu("a", 100), gpu("b", 100)];
  expect(asObject(place({ bytes: 40, spread: true }, gpus, []))).toEqual({ a: 20, b: 20 });
});

describe("who goes", () => {
  test("an idle model goes before a busy one", () => {
    const victim = chooseVictim([occupant("busy", {}, { users: 1, keepAliveMs: 1 }), occupant("idle", {})]);
    expect(victim?.model.name).toBe("idle");
  });

  test("the shortest keep-alive goes first, one kept for ever last, and names settle a tie", () => {
    const all = [occupant("c", {}, { keepAliveMs: -1 }), occupant("b", {}), occupant("a", {})];
    expect(chooseVictim(all)?.model.name).toBe("a");
    expect(chooseVictim([...all, occupant("z", {}, { keepAliveMs: 1_000 })])?.model.name).toBe("z");
    expect(chooseVictim(all.slice(0, 1))?.model.name).toBe("c");
  });

  test("a busy one goes when all are busy, and nobody when none is there", () => {
    expect(chooseVictim([occupant("a", {}, { users: 2 })])?.model.name).toBe("a");
    expect(chooseVictim([])).toBeNull();
  });
});
