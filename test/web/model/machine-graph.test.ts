import { assign, fromPromise, setup } from "xstate";
import { describe, expect, it, test } from "vitest";
import { definitionOf, MACHINE_NAMES, shownMachine } from "../../../machines/catalogue.ts";
import { PHASES, STATES } from "../../../src/core/lifecycle.ts";
import { lineage, machineGraph, moveText, stateIdOf, triggerText } from "../../../web/model/machine-graph.js";
import { allStates } from "../../machines/agent-graph.ts";

/** One of everything that a definition may hold. */
const everything = setup({
  actors: { fetch: fromPromise(async () => 1), save: fromPromise(async () => 2) },
  actions: { note: assign({}), shout: () => {} },
  guards: { isReady: () => true },
  delays: { patience: 500 },
}).createMachine({
  id: "all",
  description: "Everything.",
  initial: "work",
  on: { stop: ".over", ping: { actions: "note" } },
  states: {
    work: {
      description: "It works.",
      tags: ["busy"],
      meta: { label: "Work" },
      entry: "shout",
      exit: ["note", { type: "shout" }],
      initial: "first",
      onDone: "over",
      on: { again: { target: "work", reenter: true }, skip: ".last" },
      states: {
        first: {
          always: [{ guard: "isReady", target: "second" }],
          after: { patience: "second", 1000: { guard: "isReady", target: "last" } },
        },
        second: {
          invoke: [
            { src: "fetch", onDone: "last", onError: { target: "#all.over", actions: "note" } },
            { id: "saver", src: "save", onDone: { guard: "isReady", target: "last" } },
          ],
        },
        last: { type: "final" },
      },
    },
    choosing: { always: [{ guard: "isReady", target: "work" }, { target: "over" }] },
    both: { type: "parallel", states: { left: {}, right: {} } },
    over: { type: "final" },
  },
});

const graph = machineGraph(definitionOf(everything));
const state = (id: string) => graph.byId.get(id);
const from = (id: string) =>
  graph.moves
    .filter((move) => move.source === id)
    .map((move) => `${moveText(move)} → ${move.target ?? "stays"} (${move.reach})`);

describe("the states of a graph", () => {
  it("come depth first, each with its kind, its parent and its depth", () => {
    expect(graph.states.map(({ id, kind, depth }) => [id, kind, depth])).toEqual([
      ["all", "compound", 0],
      ["all.work", "compound", 1],
      ["all.work.first", "atomic", 2],
      ["all.work.second", "atomic", 2],
      ["all.work.last", "final", 2],
      ["all.choosing", "atomic", 1],
      ["all.both", "parallel", 1],
      ["all.both.left", "atomic", 2],
      ["all.both.right", "atomic", 2],
      ["all.over", "final", 1],
    ]);
    expect(state("all")).toMatchObject({ parent: null, path: "", initial: "all.work" });
    expect(state("all.work.first")).toMatchObject({ parent: "all.work", path: "work.first", key: "first" });
  });

  it("carry what the definition says of them", () => {
    expect(state("all.work")).toMatchObject({
      description: "It works.",
      tags: ["busy"],
      meta: { label: "Work" },
      entry: ["shout"],
      exit: ["note", "shout"],
      initial: "all.work.first",
      children: ["all.work.first", "all.work.second", "all.work.last"],
      invokes: [],
    });
    expect(state("all.work.second")?.invokes).toEqual(["fetch", "save"]);
  });

  it("pass where the last `always` has no guard, and rest everywhere else", () => {
    expect(graph.states.filter(({ passing }) => passing).map(({ id }) => id)).toEqual(["all.choosing"]);
  });
});

describe("the moves of a graph", () => {
  it("say what sets them off, under which guard, and where they lead", () => {
    expect(from("all.work.first")).toEqual([
      "[isReady] → all.work.second (outer)",
      "after 1000 [isReady] → all.work.last (outer)",
      "after patience → all.work.second (outer)",
    ]);
    expect(from("all.work.second")).toEqual([
      "fetch done → all.work.last (outer)",
      "fetch failed → all.over (outer)",
      "saver done [isReady] → all.work.last (outer)",
    ]);
    expect(from("all.choosing")).toEqual(["[isReady] → all.work (outer)", "always → all.over (outer)"]);
  });

  it("tell an ancestor's from a state's own, and from those to itself", () => {
    expect(from("all")).toEqual(["stop → all.over (inner)", "ping → stays (outer)"]);
    expect(from("all.work")).toEqual([
      "again → all.work (self)",
      "skip → all.work.last (inner)",
      "work done → all.over (outer)",
    ]);
    expect(graph.moves.find(({ event }) => event === "again")?.reenter).toBe(true);
    expect(graph.moves.find(({ event }) => event === "ping")?.actions).toEqual(["note"]);
  });

  it("have ids that are their own", () => {
    expect(new Set(graph.moves.map(({ id }) => id)).size).toBe(graph.moves.length);
  });

  it("are put into words", () => {
    expect(triggerText({ kind: "after", event: "500" })).toBe("after 500");
    expect(triggerText({ kind: "always", event: "" })).toBe("always");
    expect(moveText({ kind: "event", event: "steer", guard: "mayBe" })).toBe("steer [mayBe]");
  });
});

test("a state's lineage is itself and what it lies in", () => {
  expect(lineage(graph, "all.work.first")).toEqual(["all.work.first", "all.work", "all"]);
  expect(lineage(graph, "all.nowhere")).toEqual([]);
});

test.each([
  ["nothing", null],
  ["a list", []],
  ["a machine without states", { id: "x" }],
  ["a move that leads nowhere", { id: "x", states: {}, transitions: [{ target: ["#x.y"], eventType: "e" }] }],
])("%s is refused", (_, definition) => {
  expect(() => machineGraph(definition)).toThrow(/^Expected/);
});

describe.each(MACHINE_NAMES)("the machine %s", (name) => {
  const own = machineGraph(shownMachine(name)?.definition);

  it("has every state described, and a graph that is the same each time and for JSON", () => {
    expect(own.states.filter(({ description }) => description === "")).toEqual([]);
    expect(machineGraph(JSON.parse(JSON.stringify(shownMachine(name)?.definition)))).toEqual(own);
  });

  it("has no move by time, which the runtime owns", () => {
    expect(own.moves.filter(({ kind }) => kind === "after")).toEqual([]);
  });
});

describe("the agent", () => {
  const agent = machineGraph(shownMachine("agent")?.definition);

  it("has the states and moves that XState has, `always` among them", () => {
    const nodes = allStates();
    expect(agent.states.map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
    const moves = nodes.flatMap((node) => [...(node.always ?? []), ...[...node.transitions.values()].flat()]);
    expect(agent.moves).toHaveLength(moves.length);
    expect(agent.moves.filter(({ kind }) => kind === "always").length).toBeGreaterThan(10);
  });

  it("has a state for each state and phase of a task, and every such pair is found", () => {
    for (const word of STATES) expect(stateIdOf(agent, word)).toBe(`agent.${word}`);
    for (const phase of PHASES) {
      const ids = [stateIdOf(agent, "spawned", phase), stateIdOf(agent, "running", phase)];
      expect(ids.some((id) => id?.endsWith(`.${phase}`))).toBe(true);
    }
    expect(stateIdOf(agent, "running", "generating")).toBe("agent.running.generating");
    expect(stateIdOf(agent, "steering", null)).toBe("agent.steering");
    expect(stateIdOf(agent, "asleep")).toBeNull();
  });
});
