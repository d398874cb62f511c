// Agent definitions and limits from the config. Names of Hermes are accepted where they mean the same:
// `timeout` and `child_timeout_seconds` for timeout_s (0 is no limit), `max_iterations` for max_turns.

import type { AgentDefinition } from "../core/agent.ts";
import type { AgentConfig, Config } from "../core/config-schema.ts";
import { DEFAULT_TASK_LIMITS } from "../core/limits.ts";
import type { TaskLimits } from "../core/limits.ts";
import { CHILD_AGENT, SESSION_AGENT } from "./checks.ts";
import { CHILD_INSTRUCTIONS, SESSION_INSTRUCTIONS, withOwn } from "./instructions.ts";

type LimitKeys = Pick<
  Config["delegation"],
  | "max_turns"
  | "timeout_s"
  | "timeout"
  | "deadline_s"
  | "max_output_tokens"
  | "max_result_chars"
  | "retry_on_failure"
  | "retry_limit"
  | "on_restart"
  | "stall_timeout_s"
> & { readonly max_iterations?: number | undefined; readonly child_timeout_seconds?: number | undefined };

/** The limits that a block sets; what it leaves out is left out. */
export function limitsOf(block: LimitKeys): Partial<TaskLimits> {
  const timeout = block.timeout_s ?? block.timeout ?? block.child_timeout_seconds;
  const turns = block.max_turns ?? block.max_iterations;
  return {
    ...(turns === undefined ? {} : { maxTurns: turns }),
    ...(timeout === undefined ? {} : { timeoutMs: timeout === 0 ? null : timeout * 1000 }),
    ...(block.deadline_s === undefined ? {} : { deadlineMs: block.deadline_s * 1000 }),
    ...(block.max_output_tokens === undefined ? {} : { maxOutputTokens: block.max_output_tokens }),
    ...(block.max_result_chars === undefined ? {} : { maxResultChars: block.max_result_chars }),
    ...(block.retry_on_failure === undefined ? {} : { retryOnFailure: block.retry_on_failure }),
    ...(block.retry_limit === undefined ? {} : { retryLimit: block.retry_limit }),
    ...(block.on_restart === undefined ? {} : { onRestart: block.on_restart }),
    ...(block.stall_timeout_s === undefined ? {} : { stallMs: block.stall_timeout_s * 1000 }),
  };
}

/** The budget of its subtrees that a block sets; what it leaves out is left out. */
export function ownBudget({ budget }: Pick<AgentConfig, "budget">): Pick<AgentDefinition, "budget"> {
  if (Object.values(budget).every((limit) => limit === undefined)) return {};
  const { tokens, cost_micros: costMicros, gpu_ms: gpuMs, tool_calls: toolCalls } = budget;
  return {
    budget: {
      ...(tokens !== undefined && { tokens }),
      ...(costMicros !== undefined && { costMicros }),
      ...(gpuMs !== undefined && { gpuMs }),
      ...(toolCalls !== undefined && { toolCalls }),
    },
  };
}

/** The limits of every task that sets none itself. */
export function defaultLimits(config: Config): TaskLimits {
  return { ...DEFAULT_TASK_LIMITS, ...limitsOf(config.delegation) };
}

/** A single model needs no route. */
function routeIfAny(route: readonly string[]): Pick<AgentDefinition, "route"> {
  return route.length > 1 ? { route } : {};
}

/** `route` is every model of the session's, as `provider/model`. */
export function sessionAgent(config: Config, route: readonly string[]): AgentDefinition {
  return {
    name: SESSION_AGENT,
    description: "The agent that talks with the person.",
    instructions: withOwn(SESSION_INSTRUCTIONS, config.instructions),
    model: null,
    ...routeIfAny(route),
    toolsets: config.toolsets,
    role: "orchestrator",
    async: false,
    // A conversation has no end of its own; its turns are counted from one message of the person to the next.
    limits: { timeoutMs: null, deadlineMs: null, maxTurns: DEFAULT_TASK_LIMITS.maxTurns },
    schedulingClass: "interactive",
    concurrencyLimit: null,
  };
}

/** `route` is every model of the children's, as `provider/model`. */
export function childAgent(config: Config, route: readonly string[]): AgentDefinition {
  return {
    name: CHILD_AGENT,
    description: "A child for any goal.",
    instructions: withOwn(CHILD_INSTRUCTIONS, config.delegation.instructions),
    model: null,
    ...routeIfAny(route),
    ...(config.delegation.escalate && { escalate: true }),
    toolsets: null,
    role: "leaf",
    async: false,
    limits: {},
    ...ownBudget(config.delegation),
    ...(config.delegation.isolation === "worktree" && { isolation: "worktree" as const }),
    schedulingClass: null,
    concurrencyLimit: null,
  };
}

/** `route` is the agent's own, already found and written as `provider/model`; empty inherits. */
export function namedAgent(name: string, agent: AgentConfig, route: readonly string[]): AgentDefinition {
  return {
    name,
    description: agent.description,
    instructions: withOwn(CHILD_INSTRUCTIONS, agent.instructions),
    model: route[0] ?? null,
    ...routeIfAny(route),
    ...(agent.escalate && { escalate: true }),
    ...(agent.needs.length > 0 && { needs: agent.needs }),
    toolsets: agent.toolsets ?? null,
    role: agent.role,
    async: agent.async,
    limits: limitsOf(agent),
    ...ownBudget(agent),
    schedulingClass: agent.priority ?? null,
    ...(agent.isolation && { isolation: agent.isolation }),
    concurrencyLimit: agent.concurrency_limit ?? null,
  };
}
