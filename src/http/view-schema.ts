// What responses hold, in the wire's words: the source of the OpenAPI document. Each schema is checked against the
// TypeScript view that it is made from, so that a view cannot gain or lose a member alone.

import { z } from "zod";
import type { CancelReceipt, SteerReceipt, TaskHandle, TaskResult, TaskView, TreeNode } from "../core/api.ts";
import type {
  BoxStatus,
  GpuView,
  KeyView,
  MachineView,
  ProviderView,
  ResidencyView,
} from "../core/box-api.ts";
import { KEY_WORDS } from "../core/key-state.ts";
import { PHASES, RESIDENCY_STATES, SCHEDULING_CLASSES, STATES } from "../core/lifecycle.ts";
import type { Wire } from "../core/wire.ts";
import { spending, usage } from "./spending-schema.ts";
import { modelRoute } from "./model-route-schema.ts";
import { failure, worktreeEnd } from "./end-schema.ts";

export const state = z.enum(STATES);
export const phase = z.enum(PHASES).nullable();
const time = z.number().int().describe("Milliseconds since the epoch.");
const count = z.number().int().min(0);
const link = z.string().nullable().describe("Where a person can watch it.");

const progress = z
  .object({ percent: z.number().nullable(), note: z.string().nullable(), partial: z.unknown(), time })
  .meta({ id: "Progress" });

const kind = z.enum(["task", "session"]);
const model = z.object({ provider: z.string(), model: z.string(), backend: z.string() });

export const problemView = z
  .looseObject({
    type: z.string().describe("`urn:troupe:problem:<kind>:<code>`"),
    title: z.string(),
    status: z.number().int(),
    code: z.string().describe("A stable word for the cause."),
    detail: z.string().describe("What was expected, what came, what to do."),
  })
  .meta({ id: "Problem" });

export const taskHandle = z
  .object({
    task_id: z.string(),
    state,
    phase,
    queue_position: count.nullable(),
    created: z.boolean().describe("False when the idempotency key had made this task before."),
    link,
    async: z.boolean(),
    note: z.string().nullable().describe("What to know of how the task was made, in words."),
  })
  .meta({ id: "TaskHandle" }) satisfies z.ZodType<Wire<TaskHandle>>;

export const handleList = z.object({ items: z.array(taskHandle) }).meta({ id: "TaskHandles" });

export const steerReceipt = z
  .object({
    steer_id: z.string(),
    task_id: z.string(),
    state: z.enum(["queued", "delivered", "undelivered"]),
    interrupt: z.boolean(),
    turn: count.nullable(),
    reason: z.string().nullable(),
    time,
  })
  .meta({ id: "SteerReceipt" }) satisfies z.ZodType<Wire<SteerReceipt>>;

export const taskView = z
  .object({
    task_id: z.string(),
    kind,
    parent_id: z.string().nullable(),
    root_id: z.string(),
    session_id: z.string().nullable(),
    depth: count,
    role: z.enum(["leaf", "orchestrator"]),
    agent: z.string(),
    goal: z.string(),
    model,
    route: modelRoute.nullable(),
    toolsets: z.array(z.string()),
    workspace: z.string(),
    state,
    phase,
    queue_position: count.nullable(),
    waits_for: z.string().nullable(),
    run: count,
    turn: count,
    usage,
    spending,
    progress: progress.nullable(),
    steers: z.array(steerReceipt),
    children: z.array(z.string()),
    tail: z.array(z.string()).describe("The last lines of output, oldest first."),
    failure: failure.nullable(),
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    released_at: time.nullable(),
    last_event: count,
    link,
  })
  .meta({ id: "TaskView" }) satisfies z.ZodType<Wire<TaskView>>;

export const taskResult = z
  .object({
    task_id: z.string(),
    finished: z.boolean(),
    state,
    phase,
    result: z.string().nullable(),
    truncated: z.boolean(),
    failure: failure.nullable(),
    usage,
    worktree: worktreeEnd.exactOptional(),
  })
  .meta({ id: "TaskResult" }) satisfies z.ZodType<Wire<TaskResult>>;

export const cancelReceipt = z
  .object({ task_id: z.string(), cancelled: z.array(z.string()), state })
  .meta({ id: "CancelReceipt" }) satisfies z.ZodType<Wire<CancelReceipt>>;

const treeNode: z.ZodType<Wire<TreeNode>> = z
  .object({
    task_id: z.string(),
    kind,
    agent: z.string(),
    goal: z.string(),
    model: z.string(),
    state,
    phase,
    queue_position: count.nullable(),
    waits_for: z.string().nullable(),
    progress: progress.nullable(),
    last_line: z.string().nullable(),
    failure: failure.nullable(),
    usage,
    spending,
    created_at: time,
    started_at: time.nullable(),
    finished_at: time.nullable(),
    last_event: count,
    get children() {
      return z.array(treeNode);
    },
  })
  .meta({ id: "TreeNode" });

const lane = z
  .object({
    backend: z.string(),
    profile: z.string(),
    provider: z.string(),
    gpu: z.string().nullable(),
    residency: z.enum(RESIDENCY_STATES).nullable(),
    slots: count,
    slots_auto: z.boolean(),
    slots_reason: z.string().nullable(),
    max_children: count,
    leases: z.array(
      z.object({
        lease_id: z.string(),
        task_id: z.string(),
        class: z.enum(SCHEDULING_CLASSES),
        held_ms: z.number(),
      }),
    ),
    places: z.array(z.string()),
    waiting: z.array(
      z.object({
        task_id: z.string(),
        wants: z.enum(["place", "lease"]),
        class: z.enum(SCHEDULING_CLASSES),
        position: count,
        waited_ms: z.number(),
        reason: z.string(),
      }),
    ),
  })
  .meta({ id: "Lane" });

const residencyView = z
  .object({
    backend: z.string(),
    profile: z.string(),
    model: z.string(),
    state: z.enum(RESIDENCY_STATES),
    phase: z.enum(["backing_off", "wedged", "removed", "away"]).nullable(),
    since: time,
    in_flight: count,
    vram_bytes: count,
    load_ms: z.number().nullable(),
    failures: count,
    problem: z.object({ code: z.string(), message: z.string() }).nullable(),
    retry_at: time.nullable(),
  })
  .meta({ id: "Residency" }) satisfies z.ZodType<Wire<ResidencyView>>;

const gpuView = z
  .object({
    gpu: z.string(),
    backends: z.array(lane),
    loaded: z.array(
      z.object({
        model: z.string(),
        size_bytes: count,
        vram_bytes: count,
        context_tokens: count.nullable(),
        foreign: z.boolean(),
      }),
    ),
    residency: z.array(residencyView),
    outages: z.array(
      z.object({ backend: z.string(), since: time, held: count, message: z.string() }).meta({ id: "Outage" }),
    ),
  })
  .meta({ id: "Gpu" }) satisfies z.ZodType<Wire<GpuView>>;

const keyView = z
  .object({
    fingerprint: z
      .string()
      .nullable()
      .describe("Names the key without telling it; `null` where it is missing."),
    source: z.string(),
    state: z.enum(KEY_WORDS),
    reason: z.string().nullable(),
    until: time.nullable(),
    in_flight: count,
    concurrency: count.nullable(),
    models: z.array(z.object({ model: z.string(), until: time, reason: z.string() })),
  })
  .meta({ id: "Key" }) satisfies z.ZodType<Wire<KeyView>>;

const providerView = z
  .object({
    provider: z.string(),
    type: z.string(),
    base_url: z.string(),
    reachable: z.boolean(),
    version: z.string().nullable(),
    problem: z.string().nullable(),
    simulated: z.boolean(),
    models: z.array(
      z.object({
        model: z.string(),
        size_bytes: count.nullable(),
        parameters: z.string().nullable(),
        context_tokens: count.nullable(),
        tools: z.boolean(),
        thinking: z.boolean(),
      }),
    ),
    keys: z.array(keyView),
  })
  .meta({ id: "Provider" }) satisfies z.ZodType<Wire<ProviderView>>;

export const machineView = z
  .object({ name: z.string(), version: z.number().int(), definition: z.unknown() })
  .meta({ id: "Machine" }) satisfies z.ZodType<Wire<MachineView>>;

export const boxStatus = z
  .object({
    version: z.string(),
    box_id: z.string(),
    simulated: z.boolean(),
    paused: z.boolean(),
    tasks: z.object(
      Object.fromEntries(STATES.map((word) => [word, count])) as Record<
        (typeof STATES)[number],
        typeof count
      >,
    ),
    started_at: time,
    durability: z
      .enum(["none", "normal", "full"])
      .describe("What an acknowledged task survives: nothing, `kill -9`, or a power loss."),
    store_id: z.string().describe("The store that numbers the events: cursors of another one mean nothing."),
    newest_cursor: count,
    unsafe: z.array(z.string()).describe("Walls that the config took away, one sentence each."),
    recorded_at: time.nullable().describe("When this was recorded; null where things go on."),
  })
  .meta({ id: "BoxStatus" }) satisfies z.ZodType<Wire<BoxStatus>>;

export const pauseView = z.object({ paused: z.boolean() }).meta({ id: "Paused" });
export const healthView = z.object({ ok: z.literal(true) }).meta({ id: "Health" });

const nextCursor = z.string().nullable().describe("Pass it as `cursor` (or `after`) for the next page.");
export const taskPage = z
  .object({ items: z.array(taskView), next_cursor: nextCursor })
  .meta({ id: "TaskPage" });
export const treeList = z.object({ items: z.array(treeNode) }).meta({ id: "Tree" });
export const gpuList = z.object({ items: z.array(gpuView) }).meta({ id: "Gpus" });
export const keyList = z.object({ items: z.array(keyView) }).meta({ id: "Keys" });
export const providerList = z.object({ items: z.array(providerView) }).meta({ id: "Providers" });
