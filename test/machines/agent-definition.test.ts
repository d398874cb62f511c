// The definition of the agent machine as editors and the inspector read it: a literal in which guards, actions and
// effects are names, so that nothing is lost when it becomes JSON, and every state says what it is.

import { describe, expect, it } from "vitest";
import { agentMachine } from "../../machines/agent.ts";
import { allStates } from "./agent-graph.ts";
import { Definition } from "./definition.ts";

const definition = new Definition(agentMachine);

describe("the definition", () => {
  it("has functions only where data is handed over, and no other value that JSON would lose", () => {
    expect(definition.lost()).toEqual([]);
  });

  it("uses every name that is declared, and declares every name that it uses", () => {
    const { actions, guards, actors } = agentMachine.implementations;
    expect(definition.namesUnder("actions", "entry", "exit")).toEqual(Object.keys(actions).toSorted());
    expect(definition.namesUnder("guard")).toEqual(Object.keys(guards).toSorted());
    expect(definition.namesUnder("src")).toEqual(Object.keys(actors).toSorted());
  });

  it("becomes JSON with all its states, their descriptions and their tags", () => {
    const json = JSON.stringify(agentMachine.definition);
    const parsed = JSON.parse(json) as { states: Record<string, unknown> };
    expect(Object.keys(parsed.states)).toEqual([
      "spawned",
      "running",
      "steering",
      "done",
      "cancelled",
      "failed",
    ]);
    for (const node of allStates()) expect(json).toContain(JSON.stringify(node.description));
    expect(json.length).toBeLessThan(64_000);
  });

  it("describes every state in a sentence, and none like another", () => {
    const descriptions = allStates().map((node) => node.description ?? "");
    expect(descriptions.filter((each) => !/^[A-Z].*\.$/s.test(each))).toEqual([]);
    expect(new Set(descriptions).size).toBe(descriptions.length);
  });

  it("M1 has three final states, and they are leaves without effects", () => {
    const final = allStates().filter((node) => node.type === "final");
    expect(final.map((node) => node.key)).toEqual(["done", "cancelled", "failed"]);
    expect(final.flatMap((node) => [...node.invoke, ...node.entry])).toEqual([]);
  });

  it("M5 gives each effect one state that it runs in", () => {
    const sources = allStates().flatMap((node) => node.invoke.map((invoke) => invoke.src));
    expect(sources).toEqual(["prepare", "generate", "callTools", "foldMail"]);
  });
});
