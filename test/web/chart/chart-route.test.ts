import * as dagre from "@dagrejs/dagre";
import { expect, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { routeLines, seen } from "../../../web/chart/chart-route.js";
import { layoutChart } from "../../../web/chart/layout.js";

const definition = shownMachine("agent")?.definition;
const layout = layoutChart(definition, { dagre });
const folded = layoutChart(definition, { dagre, expanded: ["agent.running"] });

test("the way goes along the arrows, and straight to an end of the machine", () => {
  const lines = routeLines(layout, "agent.running.generating", "agent.done");
  expect(lines.map(({ drawn }) => drawn)).toEqual([true, false]);
  const arrow = layout.edges.find(({ id }) => id === "agent.running.generating→agent.running.answering");
  expect(lines[0]?.path).toBe(arrow?.path);
  expect(lines[1]?.path).toMatch(/^M[\d.,]+L[\d.,]+$/);
});

test("a rule of the machine is a straight line from where it was", () => {
  expect(routeLines(layout, "agent.steering", "agent.cancelled")).toEqual([
    { path: expect.stringMatching(/^M/) as string, drawn: false },
  ]);
});

test("what is folded up stands for what lies in it, and no line goes on within it", () => {
  expect(seen(folded, "agent.spawned.starting")?.state.id).toBe("agent.spawned");
  expect(seen(folded, "agent")).toBeNull();
  expect(routeLines(folded, "agent.spawned.queued", "agent.spawned.starting")).toEqual([]);
});
