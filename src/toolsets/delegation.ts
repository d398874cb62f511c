// The delegation toolset: the tools by which a model spawns, watches, steers, answers, collects and cancels children.
// They speak to a TaskApi that is bound to the calling task and to nothing else. Words are those of the HTTP API.
// Children are durable waits: `delegate_task` and `collect_task` suspend, and hold nothing while they wait.

import type { TaskHandle } from "../core/api.ts";
import { BUDGET_KINDS, CHECK_LINES, MAX_BATCH } from "../core/limits.ts";
import type { Tool, Toolset } from "../core/tool.ts";
import type { JsonSchema } from "../core/json-schema.ts";
import { ISOLATIONS } from "../core/worktree.ts";
import { snakeKey } from "../core/wire.ts";
import {
  endedIds,
  idOf,
  outcomeOf,
  outcomesOf,
  requestOf,
  requestsOf,
  started,
  statusOf,
  tell,
} from "./delegation-words.ts";
import { endedEarly } from "./delegation-waits.ts";

const KNOWS_NOTHING =
  "The child starts with a fresh conversation: it knows ONLY goal and context, nothing of this chat. " +
  "Put every path, name, error message and limit it needs into them.";

/** The properties of one delegated task, as every delegating tool takes them. */
const TASK_PROPERTIES: JsonSchema = {
  goal: { type: "string", minLength: 1, description: "What the child must achieve, complete in itself." },
  context: { type: "string", description: "Everything the child must know: paths, names, errors, limits." },
  agent: { type: "string", description: "A named agent of the config; leave out for the default child." },
  toolsets: {
    type: "array",
    items: { type: "string" },
    description: 'What the child may use, such as ["file"].',
  },
  role: { type: "string", enum: ["leaf", "orchestrator"], description: "orchestrator may delegate further." },
  isolation: {
    type: "string",
    enum: ISOLATIONS,
    description:
      "worktree: it works in a git worktree of its own and its branch comes back; shared: in the same folder as you.",
  },
  budget: {
    ...object(
      Object.fromEntries(BUDGET_KINDS.map((kind) => [snakeKey(kind), { type: "integer", minimum: 1 }])),
      [],
    ),
    description: "What it and its own children may use together; never more than yours has left.",
  },
};

const TASK_ID: JsonSchema = {
  type: "string",
  minLength: 1,
  description: "The task_id that delegating returned.",
};

function object(properties: JsonSchema, required: readonly string[]): JsonSchema {
  return { type: "object", properties, required, additionalProperties: false };
}

/** Tasks on one page, and characters of a goal: a page fits whole into what a small model reads of one result. */
const LISTED_TASKS = 40;
const LISTED_GOAL_CHARS = 120;

export interface DelegationOptions {
  /** What a person's message does to a call that waits: let the children go on, or cancel them. */
  readonly onInterrupt: "continue" | "cancel";
}

/** The toolset for orchestrators; a leaf gets no tool of it. */
export function delegationToolset(options: DelegationOptions): Toolset {
  const tools: readonly Tool[] = [
    delegateTask(options),
    delegateTaskAsync,
    checkTask,
    steerTask,
    answerTask,
    collectTask(options),
    cancelTask,
    listTasks,
  ];
  return {
    name: "delegation",
    description:
      "Spawn child agents and work with them: delegate, check, steer, answer, collect, cancel, list.",
    tools: (role) => (role === "orchestrator" ? tools : []),
  };
}

function delegateTask(options: DelegationOptions): Tool {
  return {
    definition: {
      name: "delegate_task",
      description: `Delegate one goal, or several with tasks, and WAIT for the results. ${KNOWS_NOTHING} Prefer delegate_task_async when you need not wait.`,
      parameters: object(
        {
          ...TASK_PROPERTIES,
          tasks: {
            type: "array",
            minItems: 1,
            maxItems: MAX_BATCH,
            items: object(TASK_PROPERTIES, ["goal"]),
            description: "Several goals at once, instead of goal.",
          },
        },
        [],
      ),
    },
    repeatable: true,
    async run(input, context) {
      const handles = await context.tasks.delegateBatch(requestsOf(input, context));
      const waitFor = handles.filter((handle) => !handle.async).map((handle) => handle.taskId);
      if (waitFor.length === 0) return { type: "result", value: { tasks: handles.map(started) } };
      return { type: "suspended", wait: { for: "children", taskIds: waitFor } };
    },
    async resume(input, { wait, end }, context) {
      const early = await endedEarly({ wait, end }, context, options.onInterrupt);
      if (early) return early;
      const handles = await context.tasks.delegateBatch(requestsOf(input, context));
      return {
        type: "result",
        ...tell(
          await outcomesOf(
            handles.map((handle) => handle.taskId),
            context,
          ),
        ),
      };
    },
  };
}

const delegateTaskAsync: Tool = {
  definition: {
    name: "delegate_task_async",
    description: `Start a child in the background and get its task_id at once. Its result comes to you later as a message. ${KNOWS_NOTHING}`,
    parameters: object(TASK_PROPERTIES, ["goal"]),
  },
  repeatable: true,
  async run(input, context) {
    const [handle] = await context.tasks.delegateBatch([requestOf(input, context, 0)]);
    return { type: "result", value: started(handle as TaskHandle) };
  },
};

const checkTask: Tool = {
  definition: {
    name: "check_task",
    description: `Look at a child without waiting: state, phase, queue position, last ${CHECK_LINES} lines of output, what it has used.`,
    parameters: object({ task_id: TASK_ID }, ["task_id"]),
  },
  repeatable: true,
  async run(input, context) {
    return { type: "result", value: statusOf(await context.tasks.check(idOf(input, context))) };
  },
};

const steerTask: Tool = {
  definition: {
    name: "steer_task",
    description:
      "Send a message into a running child. It reads it at its next turn; interrupt: true stops what it is writing.",
    parameters: object(
      {
        task_id: TASK_ID,
        message: { type: "string", minLength: 1 },
        interrupt: { type: "boolean", description: "Default false." },
      },
      ["task_id", "message"],
    ),
  },
  repeatable: true,
  async run(input, context) {
    const receipt = await context.tasks.steer(idOf(input, context), {
      message: String(input["message"]),
      interrupt: input["interrupt"] === true,
      steerId: `steer_${context.taskId}_${context.callId}`,
    });
    return {
      type: "result",
      value: { steer_id: receipt.steerId, task_id: receipt.taskId, state: receipt.state },
    };
  },
};

const answerTask: Tool = {
  definition: {
    name: "answer_task",
    description: "Answer a child's [question]; it waits for that. Children with the toolset ask may ask you.",
    parameters: object(
      {
        task_id: TASK_ID,
        answer: { type: "string", minLength: 1 },
        question_id: { type: "string", description: "As in the message." },
      },
      ["task_id", "answer"],
    ),
  },
  repeatable: true,
  async run(input, context) {
    const questionId = input["question_id"];
    const receipt = await context.tasks.answer(idOf(input, context), {
      text: String(input["answer"]),
      answerId: `answer_${context.taskId}_${context.callId}`,
      ...(typeof questionId === "string" && { questionId }),
    });
    return { type: "result", value: { task_id: receipt.taskId, note: "Sent: the child goes on." } };
  },
};

function collectTask(options: DelegationOptions): Tool {
  return {
    definition: {
      name: "collect_task",
      description:
        "Wait until a child has ended and get its full result. With timeout it may come back unfinished.",
      parameters: object(
        {
          task_id: TASK_ID,
          timeout: { type: "number", minimum: 0, description: "Seconds; leave out to wait until the end." },
        },
        ["task_id"],
      ),
    },
    repeatable: true,
    async run(input, context) {
      const taskId = idOf(input, context);
      const timeout = input["timeout"];
      const outcome = await outcomeOf(taskId, context);
      if (outcome.finished || timeout === 0)
        return { type: "result", value: outcome, delivers: endedIds([outcome]) };
      return {
        type: "suspended",
        wait: {
          for: "children",
          taskIds: [taskId],
          ...(typeof timeout === "number" && { timeoutMs: timeout * 1000 }),
        },
      };
    },
    async resume(input, { wait, end }, context) {
      const early = await endedEarly({ wait, end }, context, options.onInterrupt);
      if (early) return early;
      const outcome = await outcomeOf(idOf(input, context), context);
      return { type: "result", value: outcome, delivers: endedIds([outcome]) };
    },
  };
}

const cancelTask: Tool = {
  definition: {
    name: "cancel_task",
    description: "Stop a child and everything below it.",
    parameters: object({ task_id: TASK_ID, reason: { type: "string" } }, ["task_id"]),
  },
  repeatable: true,
  async run(input, context) {
    const reason = typeof input["reason"] === "string" ? input["reason"] : "cancelled by its parent";
    const receipt = await context.tasks.cancel(idOf(input, context), { reason });
    return {
      type: "result",
      value: { task_id: receipt.taskId, cancelled: receipt.cancelled, state: receipt.state },
    };
  },
};

const listTasks: Tool = {
  definition: {
    name: "list_tasks",
    description: "List the children that you delegated, with their states, oldest first.",
    parameters: object(
      { cursor: { type: "string", description: "next_cursor of the page before; leave out for the first." } },
      [],
    ),
  },
  repeatable: true,
  async run({ cursor }, context) {
    const page = await context.tasks.list({
      limit: LISTED_TASKS,
      ...(typeof cursor === "string" && { cursor }),
    });
    const tasks = page.items.map((view) => ({
      task_id: view.taskId,
      goal: view.goal.slice(0, LISTED_GOAL_CHARS),
      state: view.state,
      status: view.state,
      phase: view.phase,
      ...(view.queuePosition !== null && { queue_position: view.queuePosition }),
    }));
    const { nextCursor } = page;
    return { type: "result", value: { tasks, ...(nextCursor !== null && { next_cursor: nextCursor }) } };
  },
};
