import { describe, expect, it, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { STATES } from "../../../src/core/lifecycle.ts";
import { chartParts, wordsOf } from "../../../web/chart/chart-parts.js";
import { machineGraph } from "../../../web/model/machine-graph.js";

const graph = machineGraph(shownMachine("agent")?.definition);
const whole = chartParts(graph, new Set(["agent.spawned", "agent.running"]));
const folded = chartParts(graph, new Set());
const arrow = (parts: typeof whole, id: string) =>
  parts.arrows.find((each) => each.id === `agent.${id.replace("→", "→agent.")}`);
const node = (parts: typeof whole, id: string) => parts.nodes.find((each) => each.state.id === `agent.${id}`);

describe("the parts of the agent", () => {
  it("are all of its states, what lies outside first", () => {
    expect(whole.nodes.map(({ state }) => state.id)).toEqual(graph.states.slice(1).map(({ id }) => id));
    expect(node(whole, "running.generating")).toMatchObject({ inside: "agent.running", open: false });
    expect(node(whole, "running")).toMatchObject({ inside: null, open: true });
  });

  it("share an arrow between the same two states, and say what sets it off in few words", () => {
    expect(arrow(whole, "running.generating→running.backing_off")?.lines.map(({ text }) => text)).toEqual([
      "[steps up]",
      "[may try",
      "again]",
      "[may run",
      "again]",
    ]);
    expect(arrow(whole, "running.waiting_slot→steering")?.lines).toEqual([
      { text: "lease.granted", kind: "trigger" },
      { text: "[has mail]", kind: "guard" },
    ]);
    expect(arrow(whole, "running.beginning→running.next_turn")?.lines).toEqual([]);
  });

  it("tell ends, actors and moves to oneself in rows", () => {
    const rows = (id: string) => node(whole, id)?.rows.map(({ kind, text }) => [kind, text]);
    expect(rows("steering")).toEqual([
      ["runs", "▸ foldMail"],
      ["self", "↻ [mail since fold]"],
      ["end", "→ failed"],
    ]);
    expect(rows("running")).toEqual([["rule", "stop [is session] → waiting input"]]);
    expect(whole.rules.map(({ text }) => text)).toEqual([
      "cancel → cancelled",
      "limit.reached → failed",
      "close [is session] → done",
    ]);
    expect(whole.arrows.filter(({ target }) => graph.byId.get(target)?.kind === "final")).toEqual([]);
  });

  it("make room for their words and their arrows", () => {
    expect(node(whole, "running.waiting_children")?.width).toBeGreaterThan("waiting children".length * 7);
    const few = node(whole, "spawned.queued")?.height ?? 0;
    expect(node(whole, "steering")?.height).toBeGreaterThan(few + 30);
  });
});

describe("folded up", () => {
  it("a state stands for what lies in it", () => {
    expect(folded.nodes.map(({ state }) => state.key)).toEqual(STATES);
    expect(folded.arrows.map(({ id }) => id.replaceAll("agent.", ""))).toEqual([
      "spawned→running",
      "running→steering",
      "steering→running",
    ]);
    expect(
      node(folded, "running")
        ?.rows.filter(({ kind }) => kind === "end")
        .map(({ text }) => text),
    ).toEqual(["→ done", "→ failed"]);
  });

  it("only what is open is seen", () => {
    const parts = chartParts(graph, new Set(["agent.spawned"]));
    expect(parts.nodes.map(({ state }) => state.path)).toContain("spawned.queued");
    expect(parts.nodes.map(({ state }) => state.path)).not.toContain("running.generating");
    expect(parts.arrows.map(({ source, target }) => [source, target])).toContainEqual([
      "agent.spawned.starting",
      "agent.running",
    ]);
  });
});

test("without labels nothing stands on the arrows, and they take little room", () => {
  const bare = chartParts(graph, new Set(["agent.running"]), false);
  expect(bare.arrows.flatMap(({ lines }) => lines)).toEqual([]);
  expect(Math.max(...bare.arrows.map(({ width }) => width))).toBeLessThan(20);
});

test("more moves than fit are counted", () => {
  const transitions = ["a", "b", "c", "d", "e"].map((eventType) => ({ eventType, target: ["#m.y"] }));
  const states = { x: { id: "m.x", key: "x", transitions }, y: { id: "m.y", key: "y" } };
  const [only] = chartParts(machineGraph({ id: "m", states }), new Set()).arrows;
  expect(only?.lines.map(({ text }) => text)).toEqual(["a", "b", "c", "and 2 more"]);
  expect(only?.moves).toHaveLength(5);
});

test("names are shown in words", () => {
  expect(wordsOf({ key: "waiting_slot" })).toBe("waiting slot");
});
