import { expect, test } from "vitest";
import { slopeOf, verdictOf, type Point } from "./slopes.ts";

const line = (perHour: number, noise: (at: number) => number): readonly Point[] =>
  Array.from({ length: 60 }, (_, at) => ({ hours: at / 360, value: 100 + (perHour * at) / 360 + noise(at) }));
const quiet = (): number => 0;
/** Up and down, with no trend. */
const noisy = (at: number): number => [3, -2, 1, -3, 2, -1][at % 6] as number;

test("a line is found again, and is certain where nothing scatters", () => {
  const slope = slopeOf(line(12, quiet));
  expect(slope.perHour).toBeCloseTo(12);
  expect(slope.margin).toBeCloseTo(0);
  expect(verdictOf(slope, 1)).toBe("grows");
});

test("what stays as it is, is flat", () => {
  expect(verdictOf(slopeOf(line(0, quiet)), 1)).toBe("flat");
});

test("what scatters more than it could grow is not decided", () => {
  expect(verdictOf(slopeOf(line(0, noisy)), 1)).toBe("unknown");
  expect(verdictOf(slopeOf(line(0, noisy)), 100)).toBe("flat");
});

test("a leak is seen through the scatter", () => {
  expect(verdictOf(slopeOf(line(60, noisy)), 1)).toBe("grows");
});

test("samples that resemble the ones before them tell less than as many independent ones", () => {
  const slow = (at: number): number => 3 * Math.sin(at / 8);
  const shuffled = (at: number): number => slow((at * 37) % 60);
  expect(slopeOf(line(0, slow)).margin).toBeGreaterThan(2 * slopeOf(line(0, shuffled)).margin);
});

test("two samples say nothing", () => {
  expect(verdictOf(slopeOf(line(5, quiet).slice(0, 2)), 1)).toBe("unknown");
});
