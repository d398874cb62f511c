import { expect, test } from "vitest";
import { isTerminal, PHASES, SCHEDULING_CLASSES, STATES, TERMINAL_STATES } from "../../src/core/lifecycle.ts";
import { agentMachine } from "../../machines/agent.ts";

test("the six states are the machine's top-level states, and the final ones its final ones", () => {
  const { states } = agentMachine.root;
  expect(Object.keys(states).toSorted()).toEqual([...STATES].toSorted());
  const final = Object.values(states).filter((state) => state.type === "final");
  expect(final.map((state) => state.key).toSorted()).toEqual([...TERMINAL_STATES].toSorted());
  for (const state of STATES) expect(isTerminal(state)).toBe(states[state]?.type === "final");
});

test("every place where the machine can rest inside spawned and running is a phase", () => {
  const resting = ["spawned", "running"].flatMap((name) =>
    Object.values(agentMachine.root.states[name]?.states ?? {})
      .filter((state) => !state.always || state.always.every((each) => each.guard !== undefined))
      .map((state) => state.key),
  );
  const passing = ["answering", "beginning", "next_turn"];
  expect(new Set(resting.filter((key) => !passing.includes(key)))).toEqual(new Set(PHASES));
  expect(SCHEDULING_CLASSES[0]).toBe("interactive");
});
