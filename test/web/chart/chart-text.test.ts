import { html } from "htm/preact";
import { describe, expect, it, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { ChartText, spentText, StateDetails } from "../../../web/chart/chart-text.js";
import { machineGraph } from "../../../web/model/machine-graph.js";
import { elements, textOf } from "../vnode.ts";

const graph = machineGraph(shownMachine("agent")?.definition);
const times = new Map([["running.generating", { ms: 12_000, visits: 3 }]]);
const generating = graph.byId.get("agent.running.generating");

test("a state is told with its time, its description, its tags and its moves", () => {
  const [details] = elements(
    html`<${StateDetails} graph=${graph} state=${generating} times=${times} isCurrent=${true} />`,
  );
  const text = textOf(details ?? "");
  expect(text).toContain("generating 3 times, 12s in all, there now Holds a lease: the model writes.");
  expect(text).toContain("holds_lease holds_place active_time interruptible");
  expect(text).toContain("generate done [answered] → answering keepOutcome, closeTurn, noteAnswer");
  expect(text).toContain("delta → stays stream");
});

test("without a state it says what to do", () => {
  const [details] = elements(
    html`<${StateDetails} graph=${graph} state=${undefined} times=${times} isCurrent=${false} />`,
  );
  expect(textOf(details ?? "")).toBe("Choose a state to read about it.");
});

test.each([
  [undefined, false, "not visited"],
  [undefined, true, "now"],
  [{ ms: 400, visits: 1 }, false, "once, 0.4s in all"],
])("time spent is told: %j, %j", (total, isCurrent, text) => {
  expect(spentText(total, isCurrent)).toBe(text);
});

describe("the chart as text", () => {
  const all = elements(
    html`<${ChartText} graph=${graph} current="agent.running.generating" times=${times} />`,
  );
  const items = all.filter(({ name }) => name === "li");

  it("has every state with its description, nested as they are, and every move", () => {
    const text = textOf(all[0] ?? "");
    for (const { description } of graph.states) expect(text).toContain(description);
    expect(items).toHaveLength(graph.states.length - 1 + graph.moves.length);
    expect(text).toContain("itself");
  });

  it("marks the current one", () => {
    const current = items.filter(({ props }) => props["aria-current"] === "step");
    expect(current.map(textOf)).toEqual([
      expect.stringMatching(/^generating \(3 times, 12s in all, there now\)/),
    ]);
  });
});
