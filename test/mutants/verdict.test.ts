// Verdicts over what a simulation may say or fail to say: nothing but a named seed counts as caught.

import { describe, expect, it } from "vitest";
import { APPLIED, mutated, type Mutant } from "./mutant.ts";
import { verdictOf } from "./verdict.ts";

const placed = `${APPLIED} some-mutant\n`;
const red = JSON.stringify({
  passed: 3,
  failures: [{ seed: 3, check: "S1 slots", complaint: "2 of 1" }],
});

describe("verdictOf", () => {
  it("counts a seed that turned red as caught, and says by which check", () => {
    const verdict = verdictOf({ code: 1, stdout: `${red}\n`, stderr: placed });
    expect(verdict).toEqual({ kind: "caught", seed: 3, check: "S1 slots: 2 of 1" });
  });

  it("counts a clean run as survived", () => {
    expect(verdictOf({ code: 0, stdout: "{}", stderr: placed })).toEqual({ kind: "survived" });
  });

  it.each([
    ["ran too long", { code: null, stdout: "", stderr: placed }],
    ["broke by itself", { code: 2, stdout: "", stderr: `${placed}TypeError: x\n` }],
    ["never loaded the file, and is clean", { code: 0, stdout: "{}", stderr: "" }],
    ["never loaded the file, and is red", { code: 1, stdout: red, stderr: "" }],
    ["died of an error of its own", { code: 1, stdout: "", stderr: `${placed}Error: x\nNode.js v26\n` }],
    ["is red without a failure", { code: 1, stdout: '{"failures":[]}', stderr: placed }],
  ])("learns nothing from a run that %s", (_, ran) => {
    expect(verdictOf(ran).kind).toBe("void");
  });
});

describe("mutated", () => {
  const mutant: Mutant = {
    name: "m",
    invariant: "I1",
    file: "f.ts",
    find: "a > b",
    replace: "a >= b",
    why: "Off by one.",
  };

  it("changes the one place", () => {
    expect(mutated("if (a > b) c();", mutant)).toBe("if (a >= b) c();");
  });

  it("takes the replacement to the letter, whatever a pattern would make of it", () => {
    expect(mutated("x a > b y", { ...mutant, replace: "$& $1 $'" })).toBe("x $& $1 $' y");
  });

  it.each([
    ["nowhere", "a < b", mutant],
    ["twice", "a > b; a > b", mutant],
    ["as it was", "a > b", { ...mutant, replace: "a > b" }],
    ["everywhere", "a > b", { ...mutant, find: "" }],
  ])("refuses a text that stands %s, and names the mutant", (_, source, changed) => {
    expect(() => mutated(source, changed)).toThrow(/mutant m /);
  });
});
