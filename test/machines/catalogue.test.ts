import { expect, test } from "vitest";
import { AGENT_MACHINE_VERSION, agentMachine } from "../../machines/agent.ts";
import { definitionOf, MACHINE_NAMES, shownMachine } from "../../machines/catalogue.ts";

test("every machine is shown by its name, its version and its definition", () => {
  expect(MACHINE_NAMES).toEqual(["agent", "residency"]);
  expect(shownMachine("agent")).toMatchObject({
    name: "agent",
    version: AGENT_MACHINE_VERSION,
    definition: { id: "agent" },
  });
  expect(shownMachine("toaster")).toBeNull();
});

test("a definition is XState's own, and the `always` of each state with it", () => {
  const definition = definitionOf(agentMachine);
  expect(definition).toMatchObject({ always: [], id: "agent", description: agentMachine.root.description });
  const { always, ...rest } = definition.states["running"]?.states["beginning"] ?? { always: [] };
  expect(rest).toEqual(JSON.parse(JSON.stringify(agentMachine.root.states["running"]?.states["beginning"])));
  expect(always).toMatchObject([
    { guard: "isSession", target: ["#agent.running.waiting_input"] },
    { target: ["#agent.running.next_turn"] },
  ]);
  expect(JSON.parse(JSON.stringify(definition))).toEqual(definition);
});
