// Breakages of routes: changes of model that nobody is told of, circles, crossings, ceilings, and what a restart forgets.

import type { Mutant } from "./mutant.ts";

const REROUTING = "src/runtime/rerouting.ts";
const FALLBACK = "src/runtime/fallback.ts";
const ROUTING = "src/runtime/routing.ts";

export const ROUTE_MUTANTS: readonly Mutant[] = [
  {
    name: "routes-change-in-silence",
    invariant: "B3",
    file: REROUTING,
    find: 'return [{ type: "task.rerouted", data: { ...namesOf(reroute), code, reason } }];',
    replace: "return [];",
    why: "An answer comes from a model that nobody chose and nobody is told of.",
  },
  {
    name: "routes-forgotten-by-a-restart",
    invariant: "B3",
    file: "src/runtime/stored-state.ts",
    find: "    ...(reroutes.length > 0 && { reroutes }),\n",
    replace: "",
    why: "After a restart a task is back on the model that had failed it.",
  },
  {
    name: "routes-go-in-circles",
    invariant: "B1",
    file: FALLBACK,
    find: "    if (tried.has(targetKey(ref))) continue;\n",
    replace: "",
    why: "A task goes to and fro between two models that both fail it.",
  },
  {
    name: "routes-cross-unasked",
    invariant: "R1",
    file: ROUTING,
    find: 'if (fallback === way || fallback === "both") return null;',
    replace: "if (fallback !== null) return null;",
    why: "The first outage of a GPU sends a private conversation to a cloud.",
  },
  {
    name: "routes-begin-in-the-cloud",
    invariant: "R1",
    file: ROUTING,
    find: "const allowed = able.filter((candidate) => crossing(first, candidate, fallback) === null);",
    replace: "const allowed = able;",
    why: "A task whose local model is ill begins in the cloud behind it, whatever is allowed.",
  },
  {
    name: "routes-permission-outlives-itself",
    invariant: "R1",
    file: "src/runtime/generate-effect.ts",
    find: "  checkPermission(host);\n",
    replace: "",
    why: "Who takes a permission back still has tasks that talk to the cloud.",
  },
  {
    name: "routes-have-no-ceiling",
    invariant: "B2",
    file: REROUTING,
    find: "&& wanted > limit) throw",
    replace: "&& spent > limit) throw",
    why: "A task spends more in the cloud that it fell back to than it may.",
  },
  {
    name: "routes-leave-the-lease-behind",
    invariant: "S1",
    file: "src/runtime/lease-holder.ts",
    find: "      if (reroutes.length > 0) scheduler.move(this.#host.id, lanesOf(spec, turn, services));\n",
    replace: "",
    why: "A task that went elsewhere holds a slot of the server that it left.",
  },
  {
    name: "routes-step-up-again-and-again",
    invariant: "B1",
    file: REROUTING,
    find: "|| !POOR.has(code) || wasTried) return null;",
    replace: "|| !POOR.has(code)) return null;",
    why: "A task that no model can do is begun anew with each of its route.",
  },
  {
    name: "routes-step-up-unasked",
    invariant: "B1",
    file: REROUTING,
    find: '  if (spec.kind !== "task" || spec.route?.escalate !== true || ',
    replace: '  if (spec.kind !== "task" || ',
    why: "An empty answer makes a task over with a dearer model, which nobody asked for.",
  },
  {
    name: "routes-tell-the-second-change-first",
    invariant: "B3",
    file: "src/runtime/lease-holder.ts",
    find: "      queueMicrotask(() => this.#mayLeave());",
    replace: "      this.#mayLeave();",
    why: "Two changes of model in one breath are told in the wrong order.",
  },
  {
    name: "routes-forgive-the-crash",
    invariant: "I20",
    file: "src/runtime/turn-state.ts",
    find: 'return events.some(({ type }) => type === "turn.finished" || type === "tool.finished");',
    replace: "return events.length >= 0;",
    why: "A task with which the server dies may kill it as often again on each model of its route.",
  },
];
