import { expect, test } from "vitest";
import { shownMachine } from "../../../machines/catalogue.ts";
import { machineGraph } from "../../../web/model/machine-graph.js";
import { routeBetween } from "../../../web/model/machine-route.js";

const graph = machineGraph(shownMachine("agent")?.definition);
const route = (from: string, to: string) =>
  routeBetween(graph, `agent.${from}`, `agent.${to}`).map(
    ({ source, target }) => `${graph.byId.get(source)?.path} → ${graph.byId.get(target ?? "")?.path}`,
  );

test("a move that leads there is the way", () => {
  expect(route("running.waiting_slot", "running.generating")).toEqual([
    "running.waiting_slot → running.generating",
  ]);
  expect(route("spawned.queued", "spawned.starting")).toEqual(["spawned.queued → spawned.starting"]);
});

test("states that never rest are gone through", () => {
  expect(route("running.calling_tools", "running.waiting_slot")).toEqual([
    "running.calling_tools → running.next_turn",
    "running.next_turn → running.waiting_slot",
  ]);
  expect(route("spawned.starting", "running.waiting_slot")).toEqual([
    "spawned.starting → running",
    "running.beginning → running.next_turn",
    "running.next_turn → running.waiting_slot",
  ]);
  expect(route("running.generating", "done")).toEqual([
    "running.generating → running.answering",
    "running.answering → done",
  ]);
});

test("what any state may do counts as its own", () => {
  expect(route("steering", "cancelled")).toEqual([" → cancelled"]);
});

test("what it rested in for no time at all counts where nothing else does", () => {
  expect(route("running.calling_tools", "running.generating")).toEqual([
    "running.calling_tools → running.next_turn",
    "running.next_turn → running.waiting_slot",
    "running.waiting_slot → running.generating",
  ]);
});

test("there is no way out of an end, nor from nowhere", () => {
  expect(routeBetween(graph, "agent.done", "agent.running")).toEqual([]);
  expect(routeBetween(graph, "nowhere", "agent.done")).toEqual([]);
});
