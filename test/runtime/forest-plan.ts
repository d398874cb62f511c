// Random trees of agents as plans, and the model that carries them out: what a task does follows from the path in its
// goal and from what its transcript says it has done, so that interrupts, preemptions and retries change nothing.

import fc from "fast-check";
import { call, fail, hang, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { callsOf, textOf } from "../../src/core/message.ts";

/** How a parent gets its children done. */
export type Manner = "async" | "blocking" | "batch" | "collect" | "glance";

export interface Plan {
  readonly manner: Manner;
  /** How long each of its generations lasts. */
  readonly ms: number;
  /** What goes wrong with it: busy twice and then well, refused for good, or never answering. */
  readonly trouble: "none" | "busy" | "refused" | "hangs";
  readonly children: readonly Plan[];
}

export const DEEPEST = 3;

function plans(depth: number): fc.Arbitrary<Plan> {
  const children =
    depth >= DEEPEST ? fc.constant([]) : fc.array(plans(depth + 1), { maxLength: depth === 0 ? 4 : 3 });
  return fc.record({
    manner: fc.constantFrom<Manner>("async", "blocking", "batch", "collect", "glance"),
    // The last is longer than an actor that waits stays awake.
    ms: fc.constantFrom(0, 1, 7, 40, 300, 2_500),
    trouble: fc.oneof(
      { weight: 12, arbitrary: fc.constant("none" as const) },
      { weight: 1, arbitrary: fc.constantFrom("busy" as const, "refused" as const, "hangs" as const) },
    ),
    children,
  });
}

export const planArbitrary: fc.Arbitrary<Plan> = plans(0);

export function sizeOf(plan: Plan): number {
  return plan.children.reduce((sum, child) => sum + sizeOf(child), 1);
}

/** `node 0.2.1`: the second child's first child of the third root. */
export function goalOf(path: readonly number[]): string {
  return `node ${path.join(".")}`;
}

function findPlan(roots: readonly Plan[], path: readonly number[]): Plan {
  let plan = roots[path[0] as number] as Plan;
  for (const index of path.slice(1)) plan = plan.children[index] as Plan;
  return plan;
}

/** The model of every agent in these trees. */
export class ForestModel {
  readonly #roots: readonly Plan[];
  readonly #busy = new Map<string, number>();

  constructor(roots: readonly Plan[]) {
    this.#roots = roots;
  }

  reply(request: GenerateRequest): readonly Step[] {
    const spoken = request.messages.filter((message) => message.role === "user").map(textOf);
    const goal = spoken.find((text) => text.startsWith("node ")) ?? "";
    const path = goal.slice("node ".length).split(".").map(Number);
    const plan = findPlan(this.#roots, path);
    if (plan.trouble === "hangs") return [wait(plan.ms), say("not a word mo"), hang()];
    if (plan.trouble === "refused") return [wait(plan.ms), fail("refused", "filtered", "No.")];
    if (plan.trouble === "busy" && this.#isBusy(goal)) return [wait(plan.ms), fail("overloaded")];
    return [wait(plan.ms), ...act(plan, path, request)];
  }

  #isBusy(goal: string): boolean {
    const times = (this.#busy.get(goal) ?? 0) + 1;
    this.#busy.set(goal, times);
    return times <= 2;
  }
}

function act(plan: Plan, path: readonly number[], request: GenerateRequest): readonly Step[] {
  if (plan.children.length === 0) return [say(`leaf ${path.join(".")}`)];
  const stage = request.messages.filter((message) => callsOf(message).length > 0).length;
  const tasks = plan.children.map((child, index) => ({
    goal: goalOf([...path, index]),
    role: child.children.length > 0 ? "orchestrator" : "leaf",
  }));
  if (stage === 0) {
    if (plan.manner === "batch") return [call("delegate_task", { tasks })];
    const tool = plan.manner === "blocking" ? "delegate_task" : "delegate_task_async";
    return tasks.map((task) => call(tool, task));
  }
  if (stage === 1 && plan.manner === "collect")
    return idsIn(request).map((id) => call("collect_task", { task_id: id }));
  if (stage === 1 && plan.manner === "glance") {
    const ids = idsIn(request);
    return [...ids.map((id) => call("collect_task", { task_id: id, timeout: 0.02 })), call("list_tasks", {})];
  }
  return [say(`branch ${path.join(".")}`)];
}

/** The children that earlier calls have started. */
function idsIn(request: GenerateRequest): readonly string[] {
  return request.messages.flatMap((message) =>
    message.parts.flatMap((part) =>
      part.type === "tool_result" && !part.isError && part.name === "delegate_task_async"
        ? [(JSON.parse(part.text) as { task_id: string }).task_id]
        : [],
    ),
  );
}
