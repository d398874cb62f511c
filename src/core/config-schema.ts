// The shape of config.yaml (snake_case, as written), with the default of every key. Strict: an unknown key is an
// error. Every key may be absent. Reading files, naming lines and "did you mean" live in config/; this file only
// says what is right. The limits of tasks have no default here: those stand in core/limits.ts.

import { z } from "zod";
import type { EventType } from "./event.ts";
import { KEY_STRATEGIES } from "./key-state.ts";
import { RESTART_POLICIES } from "./limits.ts";
import { FALLBACKS, NEEDS } from "./routing.ts";
import { toolsSchema } from "./tools-schema.ts";
import { ISOLATIONS } from "./worktree.ts";

const count = z.number().int().min(1);
const text = z.string().min(1);
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    "a name: letters, digits, '.', '_' and '-', beginning with a letter or digit",
  );
const seconds = z.number().positive();
const price = z.number().int().min(0);
const slots = z.union([count, z.literal("auto")]);
const toolsets = z.array(name);

/** Which model: `model` is one name, `route` several in the order in which they are tried, and goes before it. */
const modelKeys = {
  /** `provider/model`, a bare name, or an alias. */
  model: text.optional(),
  route: z.array(text).optional(),
  /** Try once more with the next model of the route when a try failed. */
  escalate: z.boolean().default(false),
};

const limit = count.nullable();
/** Of one task and all below it; absent keys are left to the tree's. */
const ownBudget = z.strictObject({
  tokens: limit.optional(),
  cost_micros: limit.optional(),
  gpu_ms: limit.optional(),
  tool_calls: limit.optional(),
});

/** What one task may use; absent keys take DEFAULT_TASK_LIMITS. `timeout` is another name of `timeout_s`. */
const taskKeys = {
  max_turns: count.optional(),
  timeout_s: z.number().min(0).optional(),
  timeout: z.number().min(0).optional(),
  deadline_s: seconds.optional(),
  max_output_tokens: count.optional(),
  max_result_chars: count.optional(),
  retry_on_failure: z.boolean().optional(),
  retry_limit: z.number().int().min(0).optional(),
  on_restart: z.enum(RESTART_POLICIES).optional(),
  stall_timeout_s: seconds.optional(),
  budget: ownBudget.prefault({}),
};

const budget = z
  .strictObject({
    tokens: limit.default(null),
    cost_micros: limit.default(null),
    gpu_ms: limit.default(null),
    tool_calls: limit.default(null),
  })
  .prefault({});

/** What a callback may be told of: what becomes of tasks, not how they get there. */
const CALLBACK_EVENTS = [
  "task.spawned",
  "task.started",
  "task.progressed",
  "task.resumed",
  "task.stalled",
  "task.rerouted",
  "task.done",
  "task.failed",
  "task.cancelled",
  "agent.escalated",
  "budget.warned",
] as const satisfies readonly EventType[];

const agentSchema = z
  .strictObject({
    description: z.string().default(""),
    instructions: z.string().default(""),
    ...modelKeys,
    /** What its model must be able to do, beyond the tools that its toolsets ask for. */
    needs: z.array(z.enum(NEEDS)).default([]),
    toolsets: toolsets.optional(),
    role: z.enum(["leaf", "orchestrator"]).default("leaf"),
    async: z.boolean().default(false),
    priority: z.enum(["background", "batch"]).optional(),
    concurrency_limit: count.optional(),
    isolation: z.enum(ISOLATIONS).optional(),
    ...taskKeys,
  })
  .prefault({});

const modelSchema = z
  .strictObject({
    num_ctx: count.optional(),
    tools: z.boolean().optional(),
    thinking: z.boolean().optional(),
    vision: z.boolean().optional(),
    /** Micros of the account's currency for a million tokens: 3 USD for a million is 3000000. */
    prompt_price_micros: price.optional(),
    /** For the part of a prompt that came from the server's cache; the prompt's price when absent. */
    cached_prompt_price_micros: price.optional(),
    output_price_micros: price.optional(),
  })
  .prefault({});

/** One of several keys: `env:NAME` alone, or with what is known of it. */
const keySchema = z.union([
  text,
  z.strictObject({
    key: text,
    /** Its share under `key_strategy: weighted`. */
    weight: z.number().positive().default(1),
    /** Requests at once; found by itself when absent. */
    concurrency: count.optional(),
    /** Keys that name the same account share its limits and its money. */
    account: text.optional(),
  }),
]);

export const providerSchema = z
  .strictObject({
    /** `auto` asks the server: an Ollama behind `/v1` is driven natively. */
    type: z.enum(["auto", "ollama", "openai"]).default("auto"),
    /** Absent is `OLLAMA_HOST` for ollama and https://api.openai.com/v1 for openai. */
    base_url: text.optional(),
    /** `env:NAME`, `none`, or a literal for loopback endpoints only (checked in config/). */
    api_key: z.string().optional(),
    /** Further keys, used together with `api_key`. */
    api_keys: z.array(keySchema).default([]),
    key_strategy: z.enum(KEY_STRATEGIES).default("least_in_flight"),
    /** How long a generation may wait for a key that comes back; a longer wait is a failure that names the time. */
    key_wait_s: z.number().min(0).default(300),
    headers: z.record(z.string(), z.string()).default({}),
    /** Generations in flight; `auto` is found by measuring, from 1 for a model server and 4 for a cloud endpoint. */
    slots: slots.default("auto"),
    /** Live children; the larger of 4 and twice the slots, and found by measuring with `auto`, or absent beside such slots. */
    max_children: slots.optional(),
    /** Context asked of an Ollama, for each model that names none; lowered to what the model was trained for. */
    num_ctx: count.default(16_384),
    /** Loads and unloads the models of an Ollama by plan; false leaves that to the server. */
    manage_models: z.boolean().default(true),
    connect_timeout_s: seconds.default(10),
    first_byte_timeout_s: seconds.default(600),
    idle_timeout_s: seconds.default(120),
    models: z.record(z.string(), modelSchema).default({}),
  })
  .prefault({});

const gpuSchema = z.strictObject({
  id: name,
  /** The provider whose server runs on this GPU. */
  provider: name,
  /** `auto` takes the provider's. */
  slots: slots.default("auto"),
  max_children: slots.optional(),
});

const delegationSchema = z
  .strictObject({
    ...modelKeys,
    provider: name.optional(),
    base_url: text.optional(),
    api_key: z.string().optional(),
    max_concurrent_children: count.default(3),
    max_spawn_depth: count.default(1),
    default_toolsets: toolsets.default(["file"]),
    /** `worktree`: children work in a git worktree of their own. */
    isolation: z.enum(ISOLATIONS).default("shared"),
    /** Where worktrees lie; relative to the config file's folder. Off: see config/worktree-folder.ts. */
    worktree_folder: text.optional(),
    on_interrupt: z.enum(["continue", "cancel"]).default("continue"),
    cancel_deadline_s: seconds.default(10),
    /** More failed runs of one agent than this, and none is begun again until a whole period was quiet. */
    restart_intensity: z
      .strictObject({ failures: count.default(10), period_s: seconds.default(60) })
      .prefault({}),
    instructions: z.string().default(""),
    max_iterations: count.optional(),
    child_timeout_seconds: z.number().min(0).optional(),
    ...taskKeys,
  })
  .prefault({});

export const configSchema = z.strictObject({
  /** The session's model: `provider/model`, a bare name or an alias; found by itself when absent. */
  model: text.optional(),
  /** The root of every workspace; relative to the config file's folder, else to the working directory. */
  workspace: text.default("."),
  instructions: z.string().default(""),
  toolsets: toolsets.default(["delegation", "file"]),
  tools: toolsSchema,
  delegation: delegationSchema,
  agents: z.record(name, agentSchema).default({}),
  /** Other names for models; a list is a route. */
  models: z.record(name, z.union([text, z.array(text)])).default({}),
  routing: z
    .strictObject({
      /** Which way a task may go between this box and a cloud; nothing is sent to a cloud that was not asked for. */
      fallback: z.enum(FALLBACKS).default("cloud_to_local"),
      /** What one task may spend in a cloud that it fell back to. */
      max_cost_micros: count.nullable().default(null),
      /** A predicted wait longer than this makes a task leave a local queue for the next of its route. */
      max_wait_s: seconds.nullable().default(null),
      /** A model server of this box that is away for longer fails the tasks that wait for it. */
      max_outage_s: seconds.nullable().default(null),
    })
    .prefault({}),
  providers: z.record(name, providerSchema).default({}),
  gpus: z.array(gpuSchema).default([]),
  scheduler: z
    .strictObject({
      interactive_patience_s: z.number().min(0).default(5),
      max_queued: count.default(1024),
    })
    .prefault({}),
  budget,
  server: z
    .strictObject({
      host: text.default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(7433),
      /** Hosts beside loopback that requests may name. */
      allowed_hosts: z.array(z.string()).default([]),
      /** Web origins that may call; none by default. */
      allowed_origins: z.array(z.string()).default([]),
      /** Relative to Troupe's home (`TROUPE_HOME`, else `$XDG_CONFIG_HOME/troupe`, else `~/.config/troupe`). */
      token_file: text.default("token"),
      /** Serving another address than loopback without TLS shows every transcript to the network. */
      insecure_allow_remote: z.boolean().default(false),
      /** What one token may ask: requests a second on average, and at once after a quiet time; `null` is no limit. */
      rate_limit: z
        .strictObject({
          requests_per_s: z.number().positive().nullable().default(1_000),
          burst: count.default(2_000),
        })
        .prefault({}),
      /** What a turn under way has to end when the server is told to stop; the rest is parked. */
      shutdown_grace_s: z.number().min(0).default(10),
    })
    .prefault({}),
  store: z
    .strictObject({
      /** Relative to Troupe's home. */
      path: text.default("troupe.db"),
      /** `full` survives power loss, `normal` survives `kill -9`, `none` keeps everything in memory. */
      durability: z.enum(["full", "normal", "none"]).default("full"),
      /** Days after its end that a tree is kept which everybody has read. */
      keep_days: z.number().min(0).default(30),
      /** MiB that the store may take; the oldest trees that everybody has read go first. */
      max_mb: count.default(1024),
    })
    .prefault({}),
  /** Other programs that are told how tasks end, by name. */
  callbacks: z
    .record(
      name,
      z.strictObject({
        url: text,
        /** `env:NAME`, `none`, or a literal for loopback addresses only. */
        token: z.string().optional(),
        events: z
          .array(z.enum(CALLBACK_EVENTS))
          .min(1)
          .default(["task.done", "task.failed", "task.cancelled"]),
      }),
    )
    .default({}),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type AgentConfig = z.infer<typeof agentSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
