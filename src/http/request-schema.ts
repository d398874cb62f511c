// What requests may hold, in the wire's words, strict: an unknown key is refused by name. The bounds are those of
// core/limits.ts. Each schema is checked against the TypeScript request that it becomes.

import { z } from "zod";
import type {
  CancelRequest,
  DelegateRequest,
  SessionMessage,
  SessionRequest,
  SteerRequest,
} from "../core/api.ts";
import type { Answer } from "../core/question.ts";
import { SCHEDULING_CLASSES, STATES } from "../core/lifecycle.ts";
import {
  MAX_BATCH,
  MAX_CONTEXT_CHARS,
  MAX_GOAL_CHARS,
  MAX_STEER_CHARS,
  RING_LINE_CHARS,
  type TreeBudget,
  RESTART_POLICIES,
} from "../core/limits.ts";
import type { Wire } from "../core/wire.ts";
import { ISOLATIONS } from "../core/worktree.ts";

/** Names of agents, toolsets and models: long enough for any registry path. */
const MAX_NAME_CHARS = 256;
const MAX_PATH_CHARS = 4_096;
const MAX_TOOLSETS = 64;
/** Rows and tasks of one page. */
export const MAX_PAGE = 200;
/** Seconds that one request may wait for a result; a client asks again for longer waits. */
export const MAX_WAIT_S = 60;

const name = z.string().min(1, "must not be empty").max(MAX_NAME_CHARS);
const text = (max: number) => z.string().max(max).regex(/\S/, "must hold more than white space");
const path = z.string().min(1).max(MAX_PATH_CHARS);
const positive = z.number().int().min(1);
const toolsets = z.array(name).max(MAX_TOOLSETS);
const schedulingClass = z.enum(SCHEDULING_CLASSES);

/** A whole number in a query string. */
const digits = z
  .string()
  .regex(/^\d{1,15}$/, "must be a whole number")
  .transform(Number);
const pageSize = digits.refine((value) => value >= 1 && value <= MAX_PAGE, `must be 1 to ${MAX_PAGE}`);

const budget = z.strictObject({
  tokens: positive.nullable().exactOptional(),
  cost_micros: positive.nullable().exactOptional(),
  gpu_ms: positive.nullable().exactOptional(),
  tool_calls: positive.nullable().exactOptional(),
}) satisfies z.ZodType<Wire<Partial<TreeBudget>>>;

const delegateKeys = {
  goal: text(MAX_GOAL_CHARS).describe("All that the child knows, with `context`."),
  context: z.string().max(MAX_CONTEXT_CHARS).exactOptional(),
  agent: name.exactOptional().describe("A name under `agents:` of the config."),
  toolsets: toolsets.exactOptional(),
  role: z.enum(["leaf", "orchestrator"]).exactOptional(),
  model: name.exactOptional().describe("`provider/model` or a model's name."),
  parent_id: name.exactOptional(),
  scheduling_class: schedulingClass.exactOptional(),
  detached: z.boolean().exactOptional(),
  timeout_ms: positive.exactOptional().describe("Active time only: queueing and waiting never count."),
  deadline_ms: positive.exactOptional().describe("Wall clock since creation."),
  max_turns: positive.exactOptional(),
  retry_limit: z.number().int().min(0).exactOptional(),
  on_restart: z.enum(RESTART_POLICIES).exactOptional(),
  output_schema: z.record(z.string(), z.unknown()).exactOptional(),
  budget: budget.exactOptional(),
  workspace: path.exactOptional(),
  isolation: z
    .enum(ISOLATIONS)
    .exactOptional()
    .describe("`worktree`: a git worktree of its own of that workspace."),
};

export const delegateBody = z.strictObject(delegateKeys).meta({ id: "DelegateRequest" }) satisfies z.ZodType<
  Wire<Omit<DelegateRequest, "idempotencyKey">>
>;

export const batchBody = z
  .strictObject({
    tasks: z
      .array(
        z.strictObject({
          ...delegateKeys,
          idempotency_key: z
            .string()
            .regex(/^[\x21-\x7e]{1,255}$/)
            .exactOptional(),
        }),
      )
      .min(1)
      .max(MAX_BATCH),
  })
  .meta({ id: "BatchRequest" }) satisfies z.ZodType<Wire<{ tasks: readonly DelegateRequest[] }>>;

export const sessionBody = z
  .strictObject({
    agent: name.exactOptional(),
    model: name.exactOptional(),
    toolsets: toolsets.exactOptional(),
    workspace: path.exactOptional(),
    budget: budget.exactOptional(),
  })
  .meta({ id: "SessionRequest" }) satisfies z.ZodType<Wire<Omit<SessionRequest, "idempotencyKey">>>;

export const steerBody = z
  .strictObject({ message: text(MAX_STEER_CHARS), interrupt: z.boolean().exactOptional() })
  .meta({ id: "SteerRequest" }) satisfies z.ZodType<Wire<Omit<SteerRequest, "steerId">>>;

export const messageBody = z
  .strictObject({ text: text(MAX_STEER_CHARS) })
  .meta({ id: "SessionMessage" }) satisfies z.ZodType<Wire<Omit<SessionMessage, "messageId">>>;

export const answerBody = z
  .strictObject({
    text: text(MAX_STEER_CHARS),
    question_id: name.exactOptional(),
    asked: text(MAX_CONTEXT_CHARS).exactOptional(),
  })
  .meta({ id: "Answer" }) satisfies z.ZodType<Wire<Omit<Answer, "answerId">>>;

export const cancelBody = z
  .strictObject({ reason: text(RING_LINE_CHARS).exactOptional(), force: z.boolean().exactOptional() })
  .meta({ id: "CancelRequest" }) satisfies z.ZodType<Wire<CancelRequest>>;

export const progressBody = z
  .strictObject({
    percent: z.number().min(0).max(100).exactOptional(),
    note: z.string().max(RING_LINE_CHARS).exactOptional(),
    partial: z.unknown().exactOptional(),
  })
  .meta({ id: "ProgressReport" });

export const pauseBody = z.strictObject({ paused: z.boolean() }).meta({ id: "PauseRequest" });
export const keyBody = z.strictObject({ disabled: z.boolean() }).meta({ id: "KeySwitch" });
export const emptyBody = z.strictObject({});

export const taskParams = z.strictObject({ id: name });
export const machineParams = z.strictObject({ name });
export const keyParams = z.strictObject({ fingerprint: name });

export const listQuery = z.strictObject({
  state: z.enum(STATES).exactOptional(),
  parent_id: name.exactOptional(),
  root_id: name.exactOptional(),
  kind: z.enum(["task", "session"]).exactOptional(),
  cursor: z.string().min(1).max(MAX_NAME_CHARS).exactOptional().describe("`next_cursor` of the page before."),
  limit: pageSize.exactOptional(),
});

export const transcriptQuery = z.strictObject({
  after: digits.exactOptional().describe("Rows after this index; `next_cursor` of the page before."),
  limit: pageSize.exactOptional(),
});
export const historyQuery = z.strictObject({
  after: digits.exactOptional().describe("Events after this cursor; `next_cursor` of the page before."),
  limit: pageSize.exactOptional(),
  task_id: name.exactOptional(),
  root_id: name.exactOptional(),
});
export const treeQuery = z.strictObject({ root_id: name.exactOptional() });
export const eventsQuery = z.strictObject({
  after: digits.exactOptional().describe("Resume after this cursor; 0 starts with all that is kept."),
  task_id: name.exactOptional(),
  root_id: name.exactOptional(),
  deltas: z.enum(["0", "1"]).exactOptional().describe("1 also carries what models are writing."),
});
export const emptyQuery = z.strictObject({});
