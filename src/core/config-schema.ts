// The shape of config.yaml (snake_case, as written), with the default of every key. Strict: an unknown key is an
// error. Reading files, naming lines and "did you mean" live in config/; this file only says what is right.

import { z } from "zod";

const positive = (what: string) =>
  z.number().int(`${what} must be a whole number`).min(1, `${what} must be 1 or more`);
const name = z
  .string()
  .min(1)
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be a name: letters, digits, '.', '_' and '-'");

/** A secret is written as `env:NAME`; a literal is accepted for loopback endpoints only (checked in config/). */
const secret = z.string().min(1);

const toolsets = z.array(name);

const taskKeys = {
  max_turns: positive("max_turns").optional(),
  timeout_s: z.number().positive().optional(),
  timeout: z.number().positive().optional(),
  deadline_s: z.number().positive().optional(),
  max_output_tokens: positive("max_output_tokens").optional(),
  max_result_chars: positive("max_result_chars").optional(),
  retry_on_failure: z.boolean().optional(),
  retry_limit: z.number().int().min(0).optional(),
};

const budget = z
  .strictObject({
    tokens: positive("tokens").nullable().default(null),
    cost_micros: positive("cost_micros").nullable().default(null),
    gpu_ms: positive("gpu_ms").nullable().default(null),
    tool_calls: positive("tool_calls").nullable().default(null),
  })
  .prefault({});

export const agentSchema = z.strictObject({
  description: z.string().default(""),
  instructions: z.string().default(""),
  model: z.string().min(1).optional(),
  toolsets: toolsets.optional(),
  role: z.enum(["leaf", "orchestrator"]).default("leaf"),
  async: z.boolean().default(false),
  priority: z.enum(["background", "batch"]).optional(),
  concurrency_limit: positive("concurrency_limit").optional(),
  ...taskKeys,
});

export const providerSchema = z.strictObject({
  type: z.enum(["ollama", "openai"]),
  base_url: z.string().min(1),
  api_key: secret.optional(),
  headers: z.record(z.string(), z.string()).default({}),
  /** Generations in flight; `auto` is 1 until a later version finds the cap by itself. */
  slots: z.union([positive("slots"), z.literal("auto")]).optional(),
  connect_timeout_s: z.number().positive().default(10),
  first_byte_timeout_s: z.number().positive().default(600),
  idle_timeout_s: z.number().positive().default(120),
  models: z
    .record(
      z.string(),
      z.strictObject({
        num_ctx: positive("num_ctx").optional(),
        tools: z.boolean().optional(),
        thinking: z.boolean().optional(),
        prompt_price_micros: z.number().int().min(0).default(0),
        output_price_micros: z.number().int().min(0).default(0),
      }),
    )
    .default({}),
});

export const gpuSchema = z.strictObject({
  id: name,
  /** The provider whose server runs on this GPU. */
  provider: name,
  slots: z.union([positive("slots"), z.literal("auto")]).default("auto"),
  max_children: positive("max_children").optional(),
});

export const delegationSchema = z
  .strictObject({
    model: z.string().min(1).optional(),
    provider: name.optional(),
    base_url: z.string().min(1).optional(),
    api_key: secret.optional(),
    max_concurrent_children: positive("max_concurrent_children").default(3),
    max_spawn_depth: positive("max_spawn_depth").default(1),
    default_toolsets: toolsets.default(["file"]),
    on_interrupt: z.enum(["continue", "cancel"]).default("continue"),
    cancel_deadline_s: z.number().positive().default(10),
    instructions: z.string().default(""),
    max_iterations: positive("max_iterations").optional(),
    child_timeout_seconds: z.number().min(0).optional(),
    ...taskKeys,
  })
  .prefault({});

export const configSchema = z.strictObject({
  /** The session's model: `provider/model` or a bare name; found by itself when absent. */
  model: z.string().min(1).optional(),
  /** The root of every workspace; relative to the config file's folder, else to the working directory. */
  workspace: z.string().min(1).default("."),
  instructions: z.string().default(""),
  toolsets: toolsets.default(["delegation", "file"]),
  delegation: delegationSchema,
  agents: z.record(name, agentSchema).default({}),
  providers: z.record(name, providerSchema).default({}),
  gpus: z.array(gpuSchema).default([]),
  scheduler: z
    .strictObject({
      interactive_patience_s: z.number().min(0).default(5),
      max_queued: positive("max_queued").default(1024),
    })
    .prefault({}),
  budget,
  server: z
    .strictObject({
      host: z.string().min(1).default("127.0.0.1"),
      port: z.number().int().min(0).max(65_535).default(7433),
      /** Hosts beside loopback that requests may name. */
      allowed_hosts: z.array(z.string()).default([]),
      /** Web origins that may call; none by default. */
      allowed_origins: z.array(z.string()).default([]),
      /** Relative to Troupe's home (`TROUPE_HOME`, else `$XDG_CONFIG_HOME/troupe`, else `~/.config/troupe`). */
      token_file: z.string().min(1).default("token"),
      /** Serving another address than loopback without TLS shows every transcript to the network. */
      insecure_allow_remote: z.boolean().default(false),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") }).prefault({}),
});

export type Config = z.infer<typeof configSchema>;
export type AgentConfig = z.infer<typeof agentSchema>;
export type ProviderConfig = z.infer<typeof providerSchema>;
