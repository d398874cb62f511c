// What each agent of a world has in mind, as plain data, and the model that carries it out: what an agent says next
// follows from its plan and from what its transcript says it has done, so that crashes and retries change nothing.

import { callsOf, textOf } from "../../src/core/message.ts";
import { parseQuestion, type QuestionNote } from "../../src/core/transcript-marks.ts";
import { call, say, wait, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import type { Dice } from "./dice.ts";
import type { Sickness } from "./sickness.ts";
import type { Theme } from "./theme.ts";

/** How a parent gets its children done. */
export type Manner = "async" | "blocking" | "batch" | "collect" | "glance";
/** A tool that an agent calls on its way; the names are those of the tools. */
export type Quirk =
  | "effect"
  | "look"
  | "slow"
  | "stick"
  | "ask"
  | "nap"
  | "report_progress"
  | "stubborn"
  | "loop"
  | "no_such_tool"
  /** In worlds of questions alone: a question to whoever delegated it, and an effect that a person must allow. */
  | "ask_parent"
  | "guarded";
/** What a parent does with the question of a child. */
export type Reply = "answer" | "cancel" | "nothing";
/** What a parent does to its first child once it has started it. */
export type Meddling = "nothing" | "steer_task" | "cancel_task" | "check_task" | "list_tasks";

export interface Plan {
  /** Its place in the world, as `0.2.1`. */
  readonly path: string;
  readonly manner: Manner;
  /** How long each of its generations lasts. */
  readonly ms: number;
  /** What goes wrong with each of its generations, in the calm too. */
  readonly ails: Sickness | null;
  readonly quirks: readonly Quirk[];
  readonly meddling: Meddling;
  readonly children: readonly Plan[];
  /** Absent passes questions by, like `nothing`. */
  readonly replies?: Reply;
  /** What its parent lets it and all below it use, as a model words it; `null` or absent for no budget of its own. */
  readonly budget?: Readonly<Record<string, number>> | null;
  /** The agent of the config that it is; `null` or absent for the one that children are by default. */
  readonly agent?: string | null;
}

export const DEEPEST = 3;

const MANNERS: readonly Manner[] = ["async", "async", "blocking", "batch", "collect", "glance"];
const QUIRKS: readonly Quirk[] = [
  "effect",
  "effect",
  "effect",
  "look",
  "slow",
  "stick",
  "ask",
  "nap",
  "report_progress",
  "stubborn",
  "loop",
  "no_such_tool",
];
const MEDDLINGS: readonly Meddling[] = ["steer_task", "cancel_task", "check_task", "list_tasks"];
/** The last is longer than an actor that waits stays awake. */
const LENGTHS_MS = [0, 1, 7, 40, 120, 300, 2_500];
const LONG_MS = [900, 2_500];
const AILMENTS: readonly Sickness[] = [
  "overloaded",
  "overloaded",
  "reset half way",
  "empty",
  "malformed arguments",
];

/** What a tree is drawn for: how many tasks the world may still have, and what it has more of than others. */
export interface Grounds {
  left: number;
  readonly theme: Theme;
}

/** Draws a tree, and takes its tasks of the room. */
export function drawPlan(dice: Dice, path: string, room: Grounds): Plan {
  room.left--;
  const depth = path.split(".").length - 1;
  const most = depth >= DEEPEST ? 0 : Math.min(room.left, depth === 0 ? 3 : 2);
  const wanted = most > 0 && dice.chance(depth === 0 ? 0.75 : 0.3) ? dice.between(1, most) : 0;
  const children: Plan[] = [];
  for (let at = 0; at < wanted && room.left > 0; at++) children.push(drawPlan(dice, `${path}.${at}`, room));
  return {
    path,
    manner: dice.pick(MANNERS),
    ms: dice.pick(room.theme === "talk" ? LONG_MS : LENGTHS_MS),
    ails: room.theme === "ailing" && dice.chance(0.6) ? dice.pick(AILMENTS) : null,
    quirks: dice.chance(0.4) ? dice.several(dice.between(1, 2), () => dice.pick(QUIRKS)) : [],
    meddling: dice.chance(0.2) ? dice.pick(MEDDLINGS) : "nothing",
    children,
  };
}

/** The same tree with budgets for its children. */
export function withBudgets(plan: Plan, draw: () => NonNullable<Plan["budget"]> | null): Plan {
  const children = plan.children.map((child) => ({ ...withBudgets(child, draw), budget: draw() }));
  return { ...plan, children };
}

/** What the children follow that people delegate under a task. */
export function extraPlan(path: string): Plan {
  const nothing = { ails: null, quirks: [], meddling: "nothing", children: [] } as const;
  return { path, manner: "async", ms: 40, ...nothing };
}

/** Every plan of a tree, parents first. */
export function plansOf(plan: Plan): readonly Plan[] {
  return [plan, ...plan.children.flatMap(plansOf)];
}

const GOAL = /^node ([\w.]+) #(\d+)$/;

/** `node 0.2.1 #17`: no two tasks have the same goal, so that a generation tells whose it is. */
export function goalOf(path: string, serial: number): string {
  return `node ${path} #${serial}`;
}

/** The goal that a conversation is about, and the path in it; `null` for one without. */
export function goalIn(request: GenerateRequest): { readonly goal: string; readonly path: string } | null {
  for (const message of request.messages) {
    if (message.role !== "user") continue;
    const match = GOAL.exec(textOf(message));
    if (match) return { goal: match[0], path: match[1] as string };
  }
  return null;
}

/** The model of every agent in a world. */
export class PlannedModel {
  readonly #plans = new Map<string, Plan>();
  readonly #serial: () => number;

  constructor(plans: readonly Plan[], serial: () => number) {
    for (const plan of plans) this.#plans.set(plan.path, plan);
    this.#serial = serial;
  }

  /** What is always wrong with whoever asks. */
  ailmentOf(request: GenerateRequest): Sickness | null {
    return this.#planFor(request)?.ails ?? null;
  }

  reply(request: GenerateRequest): readonly Step[] {
    const plan = this.#planFor(request);
    if (!plan) return [wait(5), say("yes?")];
    return [wait(plan.ms), ...this.#act(plan, request)];
  }

  #planFor(request: GenerateRequest): Plan | undefined {
    const about = goalIn(request);
    return about === null ? undefined : this.#plans.get(about.path);
  }

  #act(plan: Plan, request: GenerateRequest): readonly Step[] {
    const made = request.messages.flatMap(callsOf);
    const asked = unanswered(request);
    if (asked && plan.replies === "cancel") return [call("cancel_task", { task_id: asked.taskId })];
    if (asked && plan.replies === "answer") return [answerTo(asked)];
    const undone = plan.quirks.findIndex((_, step) => !made.some((each) => stepOf(each.arguments) === step));
    // An agent that never comes to an end: its turns are counted, or its time.
    if (plan.quirks.includes("loop")) return [call("look", { step: 100 + made.length })];
    if (undone >= 0) return callsFrom(plan.quirks, undone);
    if (plan.children.length === 0) return [say(`leaf ${plan.path}`)];
    const names = new Set(made.map(({ name }) => name));
    if (!names.has("delegate_task") && !names.has("delegate_task_async")) return this.#delegate(plan);
    const ids = idsIn(request);
    const [first] = ids;
    if (first !== undefined && plan.meddling !== "nothing" && !names.has(plan.meddling)) {
      return [meddle(plan.meddling, first)];
    }
    if (ids.length > 0 && !names.has("collect_task")) {
      if (plan.manner === "collect") return ids.map((id) => call("collect_task", { task_id: id }));
      if (plan.manner === "glance")
        return ids.map((id) => call("collect_task", { task_id: id, timeout: 0.02 }));
    }
    return [say(`branch ${plan.path}`)];
  }

  #delegate({ manner, children }: Plan): readonly Step[] {
    const tasks = children.map((child) => ({
      goal: goalOf(child.path, this.#serial()),
      role: child.children.length > 0 ? "orchestrator" : "leaf",
      ...(child.budget && { budget: child.budget }),
      ...(child.agent && { agent: child.agent }),
    }));
    if (manner === "batch") return [call("delegate_task", { tasks })];
    const tool = manner === "blocking" ? "delegate_task" : "delegate_task_async";
    return tasks.map((task) => call(tool, task));
  }
}

/** The oldest question that it has done nothing about. */
function unanswered(request: GenerateRequest): QuestionNote | undefined {
  const made = request.messages.flatMap(callsOf).map(({ name, arguments: args }) => {
    const { task_id: taskId, question_id: questionId } = args as Readonly<Record<string, string>>;
    return name === "cancel_task" ? `${taskId}` : `${taskId} ${questionId}`;
  });
  return request.messages
    .flatMap((message) => parseQuestion(textOf(message)) ?? [])
    .find(({ taskId, questionId }) => !made.includes(taskId) && !made.includes(`${taskId} ${questionId}`));
}

function answerTo({ taskId, questionId }: QuestionNote): Step {
  const answer = `reply to ${taskId} ${questionId}`;
  return call("answer_task", { task_id: taskId, question_id: questionId, answer });
}

/** The calls of a turn: one, or several that ask, so that questions wait beside each other. */
function callsFrom(quirks: readonly Quirk[], first: number): readonly Step[] {
  const isOther = (quirk: Quirk, step: number): boolean => step > first && quirk !== quirks[first];
  const next = quirks.findIndex(isOther);
  const end = next < 0 ? quirks.length : next;
  const turn = quirks.slice(first, ASKING.has(quirks[first] as Quirk) ? end : first + 1);
  return turn.map((quirk, at) => callQuirk(quirk, first + at));
}

const ASKING: ReadonlySet<Quirk> = new Set(["ask_parent", "guarded"]);

function callQuirk(quirk: Quirk, step: number): Step {
  if (quirk === "ask_parent") return call(quirk, { question: `step ${step}` });
  if (quirk !== "report_progress") return call(quirk, { step });
  return call(quirk, { percent: 50, note: `step ${step}` });
}

/** Which quirk a call was; a report of progress and a question say it in words. */
function stepOf(args: unknown): number | null {
  const { step, ...words } = args as Readonly<Record<"note" | "question", string>> & {
    readonly step?: number;
  };
  if (step !== undefined) return step;
  const said = words.note ?? words.question;
  return said === undefined ? null : Number(said.slice("step ".length));
}

function meddle(meddling: Exclude<Meddling, "nothing">, taskId: string): Step {
  if (meddling === "list_tasks") return call(meddling, {});
  if (meddling === "steer_task") return call(meddling, { task_id: taskId, message: `hurry ${taskId}` });
  return call(meddling, { task_id: taskId });
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
