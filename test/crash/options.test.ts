import { expect, test } from "vitest";
import { Dice, streamOf } from "../sim/dice.ts";
import { drawEnding } from "./endings.ts";
import { parseOptions } from "./options.ts";

test("what is not said has a default, and what is said goes before it", () => {
  expect(parseOptions([])).toMatchObject({ loops: 50, seed: 1, durability: "full", disk: false });
  expect(parseOptions(["--loops", "7", "--durability", "normal", "--seed", "0", "--disk"])).toMatchObject({
    loops: 7,
    seed: 0,
    durability: "normal",
    disk: true,
  });
});

test.each([
  [["--loops", "0"], "--loops needs a whole number from 1, got 0."],
  [["--seed", "x"], "--seed needs a whole number from 0, got x."],
  [["--durability", "none"], "--durability is full or normal, got none."],
  [["--what"], "Unknown option --what."],
])("%j is refused in words", (args, words) => {
  expect(parseOptions(args)).toBe(words);
});

test("a thousand lives end in every way, some of them at once", () => {
  const dice = new Dice(streamOf(1, 2));
  const endings = dice.several(1_000, () => drawEnding(dice));
  const kinds = new Set(endings.map(({ kind }) => kind));
  expect([...kinds].toSorted()).toEqual(["kill", "kill_in_stop", "starting", "stop", "stop_twice"]);
  expect(endings.some(({ kind, ms }) => kind === "kill" && ms === 0)).toBe(true);
});
