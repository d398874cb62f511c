// Some worlds of the simulation, as a taste of `npm run sim -- --seeds 10000`: all checks hold in them, and the same
// seed is the same world to the byte.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseOptions } from "./options.ts";
import { playSeeds } from "./play.ts";
import { simulate } from "./simulation.ts";

/** For a longer search: `SIM_SEEDS=5000 vitest run test/sim`. */
const SEEDS = Number(process.env["SIM_SEEDS"] ?? 200);

function optionsOf(...args: string[]): Exclude<ReturnType<typeof parseOptions>, string> {
  const options = parseOptions(args);
  if (typeof options === "string") throw new Error(options);
  return options;
}

describe("a simulated world", () => {
  test("keeps every invariant while it runs, with crashes and faults at every seam", async () => {
    const told: string[] = [];
    const tally = await playSeeds(optionsOf("--seeds", String(SEEDS)), (text) => told.push(text));
    expect(told).toEqual([]);
    expect(tally.passed).toBe(SEEDS);
    expect(tally.lives).toBeGreaterThan(SEEDS);
  }, 3_600_000);

  test("is the same world to the byte when its seed is played again", async () => {
    for (const seed of [1, 7, 28, 70]) {
      const [first, second] = [
        await simulate(seed, { endings: true, keepTrace: true }),
        await simulate(seed, { endings: true, keepTrace: true }),
      ];
      expect(second.lines).toEqual(first.lines);
      expect(second.hash).toBe(first.hash);
      expect(first.lines.length).toBeGreaterThan(5);
    }
  }, 60_000);

  test("differs from seed to seed", async () => {
    const hashes = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      hashes.add((await simulate(seed, { endings: true, keepTrace: false })).hash);
    }
    expect(hashes.size).toBe(10);
  }, 60_000);

  test("without crashes has one life", async () => {
    for (let seed = 0; seed < 5; seed++) {
      expect((await simulate(seed, { endings: false, keepTrace: false })).lives).toBe(1);
    }
  }, 60_000);
});

describe("the command line of the simulation", () => {
  test("plays a range of seeds", () => {
    expect(optionsOf("--first", "40", "--seeds", "2")).toMatchObject({ first: 40, seeds: 2, workers: 2 });
  });

  test("plays one seed in this process", () => {
    expect(optionsOf("--seed", "9", "--trace")).toMatchObject({
      first: 9,
      seeds: 1,
      workers: 1,
      trace: true,
    });
  });

  test("ends a worker whose parent was killed, before its next seed", () => {
    const run = fileURLToPath(new URL("./run.ts", import.meta.url));
    const args = [run, "--seeds", "1000000", "--workers", "1", "--json", "--parent", String(process.ppid)];
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toContain("Whoever began it is gone.");
  }, 60_000);

  test.each([
    [["--seeds"], "needs a whole number"],
    [["--seeds", "-1"], "needs a whole number"],
    [["--speed"], "Unknown option"],
    [["--trace"], "needs --seed"],
  ])("refuses %j", (args, why) => {
    expect(parseOptions(args)).toContain(why);
  });
});
