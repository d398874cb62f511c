import * as dagre from "@dagrejs/dagre";
import { describe, expect, it, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { overlap } from "../../../web/chart/box.js";
import { layoutChart } from "../../../web/chart/layout.js";
import { machineGraph } from "../../../web/model/machine-graph.js";

type Layout = ReturnType<typeof layoutChart>;
type Node = Layout["nodes"][number];

const definitionOf = (name: string): unknown => shownMachine(name)?.definition;
const boxOf = (layout: Layout, id: string): Node => layout.nodes.find((node) => node.state.id === id) as Node;
const pairs = <T>(items: readonly T[]): [T, T][] =>
  items.flatMap((a, at) => items.slice(at + 1).map((b): [T, T] => [a, b]));

/** What is drawn, and how: both machines, with labels and without, whole and folded up. */
const DRAWINGS = ["agent", "residency"].flatMap((name) =>
  [true, false].flatMap((labels) => [
    { title: `${name}${labels ? "" : " without labels"}`, name, options: { labels } },
    {
      title: `${name}${labels ? "" : " without labels"}, folded up`,
      name,
      options: { labels, expanded: [] },
    },
    {
      title: `${name}${labels ? "" : " without labels"}, partly folded up`,
      name,
      options: { labels, expanded: [name === "agent" ? "agent.running" : "residency.absent"] },
    },
  ]),
);

describe.each(DRAWINGS)("$title", ({ name, options }) => {
  const layout = layoutChart(definitionOf(name), { dagre, ...options });
  const { nodes, edges, width, height } = layout;
  const closed = nodes.filter((node) => !node.open);

  it("nests every state in the box of its parent, and lets none lie on another", () => {
    for (const node of nodes.filter(({ inside }) => inside !== null)) {
      const outer = boxOf(layout, node.inside ?? "");
      expect(node.x).toBeGreaterThanOrEqual(outer.x);
      expect(node.y).toBeGreaterThanOrEqual(outer.y + 24);
      expect(node.x + node.width).toBeLessThanOrEqual(outer.x + outer.width);
      expect(node.y + node.height).toBeLessThanOrEqual(outer.y + outer.height);
    }
    const siblings = pairs(nodes).filter(([a, b]) => a.inside === b.inside);
    expect(siblings.filter(([a, b]) => overlap(a, b)).map(([a, b]) => [a.state.id, b.state.id])).toEqual([]);
  });

  it("writes no label on another, and none on a state", () => {
    const labelled = edges.filter((edge) => edge.lines.length > 0);
    expect(
      pairs(labelled)
        .filter(([a, b]) => overlap(a.label, b.label, -0.5))
        .map(([a, b]) => [a.id, b.id]),
    ).toEqual([]);
    const onStates = labelled.flatMap(({ id, label }) =>
      closed.filter((node) => overlap(node, label, -0.5)).map((node) => [id, node.state.id]),
    );
    expect(onStates).toEqual([]);
  });

  it("keeps everything within its size, and its size within bounds", () => {
    for (const box of [...nodes, ...edges.map(({ label }) => label)]) {
      expect(Math.min(box.x, box.y)).toBeGreaterThanOrEqual(0);
      expect(box.x + box.width).toBeLessThanOrEqual(width);
      expect(box.y + box.height).toBeLessThanOrEqual(height);
    }
    expect(width).toBeLessThanOrEqual(options.labels ? 1_800 : 1_050);
    expect(height).toBeLessThanOrEqual(options.labels ? 1_300 : 1_000);
  });

  it("draws each arrow from the border of one state to that of another", () => {
    for (const { id, source, target, points, path } of edges) {
      expect([id, path]).toEqual([id, expect.stringMatching(/^M[\d.,]+(?:[LC][\d., ]+)+$/)]);
      const [from, to] = [boxOf(layout, source), boxOf(layout, target)];
      expect([id, isOnBorder(points[0], from)]).toEqual([id, true]);
      const reached = to.open ? closed.find((node) => isOnBorder(points.at(-1), node)) : to;
      expect([id, reached?.state.id.startsWith(target), isOnBorder(points.at(-1), reached)]).toEqual([
        id,
        true,
        true,
      ]);
    }
  });

  it("shows every move once: as an arrow, as a row of a state, or as a rule of the machine", () => {
    const graph = machineGraph(definitionOf(name));
    const shown = [
      ...edges.flatMap((edge) => edge.moves),
      ...nodes.flatMap((node) => node.rows.flatMap((row) => row.moves)),
      ...layout.rules.flatMap((row) => row.moves),
    ];
    expect(new Set(shown).size).toBe(shown.length);
    const seen = new Set(nodes.map((node) => node.state.id));
    const standIn = (id: string): string => (seen.has(id) ? id : id.slice(0, id.lastIndexOf(".")));
    const expected = graph.moves.filter(
      ({ source, target, reach }) =>
        target !== null &&
        (reach === "outer" ? standIn(source) !== standIn(target) : seen.has(source) || source === graph.id),
    );
    expect(shown.toSorted()).toEqual(expected.map(({ id }) => id).toSorted());
  });
});

function isOnBorder(point: { x: number; y: number } | undefined, box: Node | undefined): boolean {
  if (!point || !box) return false;
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 1;
  const acrossX = point.x > box.x - 1 && point.x < box.x + box.width + 1;
  const acrossY = point.y > box.y - 1 && point.y < box.y + box.height + 1;
  return (
    ((near(point.y, box.y) || near(point.y, box.y + box.height)) && acrossX) ||
    ((near(point.x, box.x) || near(point.x, box.x + box.width)) && acrossY)
  );
}

test("the same machine gives the same picture, from its definition and from its graph", () => {
  const first = layoutChart(definitionOf("agent"), { dagre });
  const again = layoutChart(machineGraph(definitionOf("agent")), { dagre });
  expect(again.nodes).toEqual(first.nodes);
  expect(again.edges).toEqual(first.edges);
});

test("a machine of one level draws its ends as states that arrows lead to", () => {
  const on = { transitions: [{ eventType: "go", target: ["#m.b"] }] };
  const states = { a: { id: "m.a", key: "a", ...on }, b: { id: "m.b", key: "b", type: "final" } };
  const { nodes, edges } = layoutChart({ id: "m", initial: { target: ["#m.a"] }, states }, { dagre });
  expect(nodes.map((node) => node.rows)).toEqual([[], []]);
  expect(edges.map(({ source, target }) => [source, target])).toEqual([["m.a", "m.b"]]);
});

test("what is no definition is refused", () => {
  expect(() => layoutChart({}, { dagre })).toThrow(TypeError);
});
