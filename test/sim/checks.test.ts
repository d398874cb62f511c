// The checks themselves: each of them can fail. A history that breaks one rule makes that rule's check complain, by
// its name; a history in which all goes well makes none complain.

import { describe, expect, test } from "vitest";
import { Checks } from "./check.ts";
import { ASKING_CHECKS } from "./checks-asking.ts";
import { BUDGET_CHECKS } from "./checks-budget.ts";
import { MODEL_CHECKS } from "./checks-models.ts";
import { ROUTE_CHECKS } from "./checks-routes.ts";
import { BoxHistory } from "./box-history.ts";
import { BOX_BREACHES, goWellInBox } from "./forged-boxes.ts";
import { CALL_CHECKS } from "./checks-calls.ts";
import { LIFE_CHECKS } from "./checks-life.ts";
import { ROOM_CHECKS } from "./checks-room.ts";
import { TALK_CHECKS } from "./checks-talk.ts";
import { CHECKS, NOT_SIMULATED, UNHANDLED } from "./checks.ts";
import { ASKING_BREACHES, goWellAsking } from "./forged-asking.ts";
import { BREACHES, goWell, goWellBesideCloud } from "./forged.ts";
import { History } from "./history.ts";

/** Those of the scheduler's umpire and of the diary are tried by the mutants. */
const JUDGED = [
  UNHANDLED,
  ...LIFE_CHECKS,
  ...ROOM_CHECKS,
  ...TALK_CHECKS,
  ...CALL_CHECKS,
  ...BUDGET_CHECKS,
  ...ASKING_CHECKS,
];

describe("the checks of the simulation", () => {
  test("have unique names, an invariant each, and a sentence of meaning", () => {
    expect(new Set(CHECKS.map(({ name }) => name)).size).toBe(CHECKS.length);
    for (const { id, means } of CHECKS) {
      expect(id).toMatch(/^[A-Z]\d+$/);
      expect(means).toMatch(/^(?:[A-Z]|collect).*\.$/);
    }
  });

  test("cover every invariant, or say why a simulation cannot show it", () => {
    const covered = new Set([...CHECKS.map(({ id }) => id), ...Object.keys(NOT_SIMULATED)]);
    const missing = Array.from({ length: 30 }, (_, at) => `I${at + 1}`).filter((id) => !covered.has(id));
    expect(missing).toEqual([]);
  });

  test.each([goWell, goWellBesideCloud, goWellAsking])(
    "complain of nothing where all goes well: %o",
    (play) => {
      const history = new History(JUDGED);
      play(history);
      expect(history.complaints).toEqual([]);
    },
  );

  test.each([...BREACHES, ...ASKING_BREACHES])("'$check' complains: $what", ({ check, forge }) => {
    const history = new History(JUDGED);
    forge(history);
    expect(history.complaints).toContain(check);
  });

  test("complain of nothing where models are loaded and changed as they should be", () => {
    const history = new BoxHistory([...MODEL_CHECKS, ...ROUTE_CHECKS]);
    goWellInBox(history);
    expect(history.complaints).toEqual([]);
  });

  test.each(BOX_BREACHES)("'$check' complains: $what", ({ check, forge }) => {
    const history = new BoxHistory([...MODEL_CHECKS, ...ROUTE_CHECKS]);
    forge(history);
    expect(history.complaints).toContain(check);
  });

  test("can each fail: none is without a forged history that breaks it", () => {
    const broken = new Set([...BREACHES, ...ASKING_BREACHES, ...BOX_BREACHES].map(({ check }) => check));
    const judged = [...JUDGED, ...MODEL_CHECKS, ...ROUTE_CHECKS];
    expect(judged.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
  });

  test("keep the first complaint", () => {
    const checks = new Checks([]);
    checks.complain({ id: "I1", name: "first" }, "one", 1);
    checks.complain({ id: "I2", name: "second" }, "two", 2);
    expect(checks.violation).toEqual({ id: "I1", check: "first", complaint: "one", atMs: 1 });
  });
});
