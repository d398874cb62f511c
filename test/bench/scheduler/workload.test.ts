// Workload files: what ships can be read, and what is wrong with another one is told with its place.

import { describe, expect, it } from "vitest";
import { shippedWorkloads } from "../../../bench/scheduler/shipped.ts";
import { parseWorkload, readWorkload } from "../../../bench/scheduler/workload.ts";

const LEAST = `
name: least
models: [{ name: "m:1b", size_gib: 1 }]
parents: { count: 1, children: 1 }
`;

describe("the workloads that ship", () => {
  it("are all readable, in the order of their numbers", () => {
    const names = shippedWorkloads().map((workload) => workload.name);
    expect(names.slice(0, 3)).toEqual(["w1-fan-out", "w2-two-models", "w3-three-models"]);
    expect(names.at(-1)).toBe("w15-late-server");
    expect(new Set(names).size).toBe(names.length);
  });

  it("name their files", () => {
    for (const { name } of shippedWorkloads()) {
      const file = new URL(`../../../bench/workloads/${name}.yaml`, import.meta.url);
      expect(readWorkload(file).name).toBe(name);
    }
  });
});

describe("parseWorkload", () => {
  it("fills in every default, from YAML and from JSON", () => {
    const workload = parseWorkload(LEAST, "least.yaml");
    expect(workload.box).toMatchObject({ np: 4, prompt_cache: true, host_cache_gib: 8, deadlock: false });
    expect(workload.nesting).toEqual({ depth: 1, share: 0, children: 3 });
    const json = JSON.stringify({
      name: "least",
      models: [{ name: "m:1b", size_gib: 1 }],
      parents: { count: 1, children: 1 },
    });
    expect(parseWorkload(json, "least.json")).toEqual(workload);
  });

  it.each([
    ["a number below its least", `${LEAST}box: { np: 0 }`, "box.np:"],
    ["an unknown key", `${LEAST}parent: 3`, 'the file: Unrecognized key: "parent"'],
    [
      "two models of one name",
      LEAST.replace("models: [", 'models: [{ name: "m:1b", size_gib: 2 }, '),
      "models: expected each model once",
    ],
    [
      "no share at all",
      LEAST.replace("size_gib: 1", "size_gib: 1, share: 0"),
      "models: expected a share above 0",
    ],
    [
      "a question for a model that is not there",
      `${LEAST}interactive: { per_minute: 1, for_s: 9, model: x }`,
      "interactive.model: expected one of m:1b",
    ],
    [
      "nothing that arrives",
      LEAST.replace("count: 1", "count: 0"),
      "parents.count: expected something to arrive",
    ],
    ["something else", "- 1", "the file:"],
    ["nothing", "", "the file:"],
    ["no YAML", "a: [", "expected YAML or JSON"],
  ])("refuses %s", (_, text, says) => {
    expect(() => parseWorkload(text, "bad.yaml")).toThrow(says);
    expect(() => parseWorkload(text, "bad.yaml")).toThrow("Expected a workload in bad.yaml");
  });

  it("tells every problem of a file at once", () => {
    const text = LEAST.replace("size_gib: 1", "size_gib: -1").replace("children: 1", "children: -2");
    expect(() => parseWorkload(text, "bad.yaml")).toThrow(/models\[0\]\.size_gib:[\s\S]*parents\.children:/);
  });
});

describe("readWorkload", () => {
  it("names a file that is not there", () => {
    expect(() => readWorkload("/nowhere/at-all.yaml")).toThrow(/\/nowhere\/at-all\.yaml[\s\S]*ENOENT/);
  });
});
