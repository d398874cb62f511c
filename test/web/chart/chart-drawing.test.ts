import * as dagre from "@dagrejs/dagre";
import { html } from "htm/preact";
import { describe, expect, it, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { ChartDrawing } from "../../../web/chart/chart-drawing.js";
import { layoutChart } from "../../../web/chart/layout.js";
import { lineage } from "../../../web/model/machine-graph.js";
import { act, elements, hasClass, textOf } from "../vnode.ts";

const layout = layoutChart(shownMachine("agent")?.definition, { dagre });
const CURRENT = "agent.running.generating";
const view = {
  current: CURRENT as string | null,
  selected: null as string | null,
  lit: new Set(lineage(layout.graph, CURRENT)),
  times: new Map([
    ["running", { ms: 14_000, visits: 1 }],
    ["running.generating", { ms: 12_000, visits: 3 }],
  ]),
  lastTransition: { from: "agent.running.calling_tools", to: CURRENT, at: 1 },
};
const nothing = () => {};

function draw(
  more: Partial<typeof view> = {},
  acts: { onSelect?: (id: string | null) => void; onFold?: (id: string) => void } = {},
) {
  const { onSelect = nothing, onFold = nothing } = acts;
  const all = elements(
    html`<${ChartDrawing}
      layout=${layout}
      scale=${1}
      view=${{ ...view, ...more }}
      onSelect=${onSelect}
      onFold=${onFold}
    />`,
  );
  const states = all.filter((each) => hasClass(each, "chart-state"));
  const state = (name: string) => states.find((each) => String(each.props["aria-label"]).startsWith(name));
  return { all, states, state };
}

describe("a drawing", () => {
  const { all, states, state } = draw();

  it("has every state, each named for who does not see it, and its arrows", () => {
    expect(states).toHaveLength(layout.nodes.length);
    expect(state("generating")?.props["aria-label"]).toBe(
      "generating 12s ▸ generate → failed, current, visited 3 times",
    );
    expect(state("queued")?.props["aria-label"]).toBe("queued, not visited");
    expect(state("running")?.props["aria-label"]).toBe(
      "running 14s stop [is session] → waiting input, visited once, open",
    );
    expect(all.filter((each) => hasClass(each, "chart-edge"))).toHaveLength(layout.edges.length);
    expect(all.filter((each) => hasClass(each, "chart-label"))).toHaveLength(
      layout.edges.filter(({ lines }) => lines.length > 0).length,
    );
  });

  it("lights the current state and marks those that were visited", () => {
    expect(
      states.filter((each) => hasClass(each, "current")).map((each) => each.props["aria-current"]),
    ).toEqual(["step"]);
    expect(hasClass(state("generating") as (typeof all)[number], "visited")).toBe(true);
    expect(hasClass(state("queued") as (typeof all)[number], "visited")).toBe(false);
    expect(all.filter((each) => hasClass(each, "chart-box") && hasClass(each, "lit"))).toHaveLength(1);
  });

  it("shows the way that was gone last, over states that never rest", () => {
    const route = all.find((each) => hasClass(each, "chart-route"));
    expect(route?.inside).toHaveLength(3);
  });

  it("tells what any state may do", () => {
    expect(
      all.some((each) => hasClass(each, "chart-rule") && textOf(each).includes("cancel → cancelled")),
    ).toBe(true);
  });

  it("takes the Tab key with one state: the one that is selected, else the current one", () => {
    const first = (drawing: ReturnType<typeof draw>) =>
      drawing.states
        .filter((each) => each.props["tabindex"] === 0)
        .map((each) => String(each.props["aria-label"]).split(/[ ,]/)[0]);
    expect(first(draw())).toEqual(["generating"]);
    expect(first(draw({ selected: "agent.steering" }))).toEqual(["steering"]);
    expect(first(draw({ current: null, selected: null }))).toEqual(["spawned"]);
  });
});

/** What was asked for, in order. */
function listening(more: Partial<typeof view> = {}) {
  const done: unknown[][] = [];
  const drawing = draw(more, {
    onSelect: (...args: unknown[]) => done.push(["select", ...args]),
    onFold: (...args: unknown[]) => done.push(["fold", ...args]),
  });
  return { done, ...drawing };
}

test("a click selects, a second one lets go", () => {
  const first = listening();
  act(first.state("steering"), "onClick");
  const second = listening({ selected: "agent.steering" });
  act(second.state("steering"), "onClick");
  expect([...first.done, ...second.done]).toEqual([
    ["select", "agent.steering"],
    ["select", null],
  ]);
});

test.each([
  ["Enter", [["select", "agent.running"]], 1],
  [" ", [["select", "agent.running"]], 1],
  ["Escape", [["select", null]], 1],
  ["-", [["fold", "agent.running"]], 1],
  ["Tab", [], 0],
])("the key %j does what it says, and is the browser's where it says nothing", (key, expected, kept) => {
  const { done, state } = listening();
  let prevented = 0;
  act(state("running"), "onKeyDown", { key, preventDefault: () => (prevented += 1) });
  expect(done).toEqual(expected);
  expect(prevented).toBe(kept);
});
