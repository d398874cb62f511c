import { expect, test } from "vitest";
import { derivedId, newId, seededRandom, sha256, systemRandom, toHex } from "../../src/base/ids.ts";

test("a new id is its prefix and 128 random bits", () => {
  const ids = new Set(Array.from({ length: 1_000 }, () => newId("task")));
  expect(ids.size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^task_[0-9a-f]{32}$/);
});

test("a seeded source repeats itself, and another seed does not", () => {
  expect(newId("ses", seededRandom(7))).toBe(newId("ses", seededRandom(7)));
  expect(newId("ses", seededRandom(7))).not.toBe(newId("ses", seededRandom(8)));
  const next = seededRandom(1).next();
  expect(next).toBeGreaterThanOrEqual(0);
  expect(next).toBeLessThan(1);
  expect(systemRandom.bytes(4)).toHaveLength(4);
});

test("a derived id is the same for the same text on every machine", () => {
  expect(derivedId("task", "a")).toBe("task_ca978112ca1bbdcafac231b39a23dc4d");
  expect(sha256("über")).toHaveLength(64);
  expect(toHex(new Uint8Array([0, 255, 16]))).toBe("00ff10");
});
