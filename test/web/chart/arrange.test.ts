import * as dagre from "@dagrejs/dagre";
import { describe, expect, it } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { arrange } from "../../../web/chart/arrange.js";
import { boxOf } from "../../../web/chart/box.js";
import { chartParts, CHART } from "../../../web/chart/chart-parts.js";
import { machineGraph } from "../../../web/model/machine-graph.js";

const graph = machineGraph(shownMachine("agent")?.definition);
const parts = chartParts(graph, new Set(["agent.spawned", "agent.running"]));
const { boxes, lines } = arrange(parts, dagre);

describe("the agent, arranged", () => {
  it("has a place for every state but the ends of the machine, and a line for every arrow", () => {
    expect([...boxes.keys()]).toEqual(
      parts.nodes.filter(({ state }) => state.kind !== "final").map(({ state }) => state.id),
    );
    expect(lines.map(({ id }) => id).toSorted()).toEqual(parts.arrows.map(({ id }) => id).toSorted());
  });

  it("leaves room for the name and the rows of an open box above what lies in it", () => {
    for (const { state, rows } of parts.nodes.filter(({ open }) => open)) {
      const inner = parts.nodes.filter(({ inside }) => inside === state.id);
      const tops = inner.map((node) => boxOf(boxes, node.state.id).y);
      const header = CHART.headerHeight + rows.length * CHART.rowHeight;
      expect(Math.min(...tops)).toBeGreaterThanOrEqual(boxOf(boxes, state.id).y + header);
    }
  });

  it("lets an arrow to an open box end at the state that the box begins in", () => {
    const line = lines.find(({ id }) => id === "agent.spawned.starting→agent.running");
    expect(line).toMatchObject({ from: "agent.spawned.starting", to: "agent.running.beginning" });
    const { x, y, width } = boxOf(boxes, "agent.running.beginning");
    expect(line?.points.at(-1)?.y).toBe(y);
    expect(line?.points.at(-1)?.x).toBeGreaterThan(x);
    expect(line?.points.at(-1)?.x).toBeLessThan(x + width);
  });
});
