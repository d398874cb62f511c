// The catalogue against the sources as they are: a mutant whose text is gone tests nothing. And one mutant for real,
// from the loader to the red seed.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { MUTANTS } from "./catalogue.ts";
import { mutated } from "./mutant.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Checks that everybody knows; a mutant says which it breaks. */
const INVARIANT = /^[A-Z]\d+(, [A-Z]\d+)*$/;

describe("the mutants", () => {
  it("are at least forty", () => {
    expect(MUTANTS.length).toBeGreaterThanOrEqual(40);
  });

  it("have names of their own", () => {
    const names = MUTANTS.map(({ name }) => name);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)+$/.test(name))).toEqual([]);
  });

  it("differ from each other", () => {
    const changes = MUTANTS.map(({ file, find, replace }) => JSON.stringify([file, find, replace]));
    expect(new Set(changes).size).toBe(changes.length);
  });

  it("lie on production paths only, and name what they break", () => {
    const astray = MUTANTS.filter(({ file }) => !/^(src|machines|providers)\//.test(file));
    expect(astray).toEqual([]);
    expect(MUTANTS.filter(({ invariant }) => !INVARIANT.test(invariant))).toEqual([]);
    expect(MUTANTS.filter(({ why }) => !/^[\w].*\.$/.test(why))).toEqual([]);
  });

  it.each(MUTANTS)("$name finds its text exactly once", (mutant) => {
    expect(existsSync(`${root}${mutant.file}`)).toBe(true);
    const source = readFileSync(`${root}${mutant.file}`, "utf8");
    expect(mutated(source, mutant)).not.toBe(source);
  });
});

describe("the runner", () => {
  it("refuses a mutant that does not exist", () => {
    const { status, stderr } = spawnSync(
      process.execPath,
      ["test/mutants/run.ts", "--only", "no-such-mutant"],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: "Expected the name of a mutant after --only, got `no-such-mutant`.\n",
    });
  });

  it("catches one slot too many within a few seeds", () => {
    const args = ["--only", "scheduler-slots-off-by-one", "--seeds", "100", "--healthy-seeds", "5"];
    const { status, stdout } = spawnSync(process.execPath, ["test/mutants/run.ts", ...args], {
      cwd: root,
      encoding: "utf8",
    });
    expect(stdout).toMatch(/^caught .*scheduler-slots-off-by-one .* seed \d+: /m);
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 0 failed");
    expect(status).toBe(0);
  }, 60_000);
});
