// The "model" of a crash run: reads a chat in Ollama's form and says what its plan has next. Pure, so that the same
// transcript gets the same answer in every life of the server.

import { asTask, goalOf, planIn, type Plan } from "./plan.ts";

export interface ChatCall {
  readonly id: string;
  readonly name: string;
  readonly input: Readonly<Record<string, unknown>>;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  readonly calls: readonly ChatCall[];
  /** Of a tool's message: the call that it answers. */
  readonly answers: string | null;
}

export interface Reply {
  /** The plan that it is about; `null` when the chat holds none. */
  readonly plan: Plan | null;
  readonly text: string;
  readonly calls: readonly Omit<ChatCall, "id">[];
}

/** The next answer in this chat, with the tools that it may use. */
export function replyTo(messages: readonly ChatMessage[], offered: ReadonlySet<string>): Reply {
  const plans = messages.flatMap(({ role, content }) => (role === "user" ? (planIn(content) ?? []) : []));
  const made = messages.flatMap(({ calls }) => calls);
  for (const plan of plans) {
    const calls = nextCalls(plan, made, messages).filter(({ name }) => offered.has(name));
    if (calls.length > 0) return { plan, text: "", calls };
  }
  const last = plans.at(-1) ?? null;
  return { plan: last, text: `did ${plans.map(({ name }) => name).join(", ") || "nothing"}`, calls: [] };
}

function nextCalls(plan: Plan, made: readonly ChatCall[], messages: readonly ChatMessage[]): Reply["calls"] {
  const note = `report of ${plan.name}`;
  if (plan.reports && !made.some(({ input }) => input["note"] === note)) {
    return [{ name: "report_progress", input: { percent: 50, note } }];
  }
  if (plan.children.length === 0) return [];
  const goals = new Set<unknown>(plan.children.map(goalOf));
  const delegating = made.filter((call) => goalsOf(call).some((goal) => goals.has(goal)));
  const tasks = plan.children.map(asTask);
  if (delegating.length === 0) {
    if (plan.manner === "blocking") return [{ name: "delegate_task", input: { tasks } }];
    return tasks.map((input) => ({ name: "delegate_task_async", input }));
  }
  if (plan.manner !== "collect") return [];
  const collected = new Set(
    made.flatMap(({ name, input }) => (name === "collect_task" ? [input["task_id"]] : [])),
  );
  return startedBy(delegating, messages)
    .filter((id) => !collected.has(id))
    .map((id) => ({ name: "collect_task", input: { task_id: id } }));
}

function goalsOf({ input }: ChatCall): readonly unknown[] {
  const tasks = Array.isArray(input["tasks"]) ? (input["tasks"] as Readonly<Record<string, unknown>>[]) : [];
  return [input["goal"], ...tasks.map(({ goal }) => goal)];
}

/** The children whose ids the calls were answered with. */
function startedBy(calls: readonly ChatCall[], messages: readonly ChatMessage[]): readonly string[] {
  const ids = new Set(calls.map(({ id }) => id));
  return messages.flatMap(({ answers, content }) => {
    if (answers === null || !ids.has(answers)) return [];
    const id = /"task_id":"([^"]+)"/.exec(content)?.[1];
    return id === undefined ? [] : [id];
  });
}
