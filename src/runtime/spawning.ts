// From a request to a task: every rule about who may delegate what, as one pure decision. It throws before anything
// is stored, and every refusal names the config key that would allow it.

import { ConflictError, InvalidRequestError, LimitError } from "../base/errors.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type { DelegateRequest, SessionRequest } from "../core/api.ts";
import type { State } from "../core/lifecycle.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { leastBudget, MAX_CONTEXT_CHARS, MAX_GOAL_CHARS, UNLIMITED_BUDGET } from "../core/limits.ts";
import type { TaskLimits, TreeBudget } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import { AGENT_MACHINE_VERSION } from "../../machines/agent.ts";
import { workplaceOf, workspaceOf } from "./isolating.ts";
import { placeChild, placeSession } from "./placing.ts";
import type { RouteAnswer, RouteFacts } from "./routing.ts";
import { agentBudget, budgetOf, checkPrices, type AskedBudget } from "./spawn-budget.ts";
import { checkCapabilities, checkKnown } from "./spawn-toolsets.ts";
import type { PinnedAgent, TaskRole, TaskSpec } from "../core/task.ts";

/** What a spec carries beyond the request: identity and time, drawn by the caller. */
export interface SpawnFacts {
  readonly id: string;
  readonly requestHash: string;
  readonly now: number;
  readonly parent: {
    readonly spec: TaskSpec;
    readonly state: State;
    readonly ending: boolean;
    /** What the budgets that it is under allow together; no limit when absent. */
    readonly allowance?: TreeBudget;
  } | null;
  /** Names of the toolsets that exist. */
  readonly knownToolsets: ReadonlySet<string>;
  /** What is known of the places where it might run; everything can be used when absent. */
  readonly routing?: RouteFacts;
  /** SHA-256 of a definition, made ahead because hashing waits. */
  readonly hashOf: (agent: AgentDefinition) => string;
}

/** The spec of a delegated task. Throws InvalidRequestError, NotFoundError, ConflictError or LimitError. */
export function childSpec(request: DelegateRequest, facts: SpawnFacts, settings: Settings): TaskSpec {
  checkText(request);
  const { parent } = facts;
  const agent = agentOf(request.agent, settings);
  if (parent) checkParent(parent);
  const depth = parent ? parent.spec.depth + 1 : 0;
  checkDepth(depth, settings);
  const role = roleOf(request.role ?? agent.role, depth, settings);
  const chosen = placeChild(request, { agent, role, settings, facts });
  const { model, route, toolsets } = chosen;
  return {
    id: facts.id,
    kind: "task",
    parentId: parent?.spec.id ?? null,
    rootId: parent?.spec.rootId ?? facts.id,
    sessionId: parent?.spec.sessionId ?? null,
    depth,
    role,
    agent: pin(agent, facts),
    goal: request.goal,
    context: request.context ?? null,
    model: model.ref,
    ...(route && { route }),
    toolsets,
    ...workplaceOf(request, { id: facts.id, agent, parent: parent?.spec ?? null, settings }),
    limits: limitsOf(request, agent, settings),
    budget: budgetFor(request, agentBudget(agent, settings), { facts, settings, chosen }),
    schedulingClass: classOf(request, agent, parent?.spec ?? null),
    detached: request.detached ?? false,
    outputSchema: request.outputSchema ?? null,
    machine: { id: "agent", version: AGENT_MACHINE_VERSION },
    requestHash: facts.requestHash,
    createdAt: facts.now,
    traceparent: parent?.spec.traceparent ?? null,
  };
}

/** The spec of a session. Throws like `childSpec`. */
export function sessionSpec(request: SessionRequest, facts: SpawnFacts, settings: Settings): TaskSpec {
  const agent = request.agent === undefined ? settings.sessionAgent : agentOf(request.agent, settings);
  const chosen = placeSession(request, { agent, settings, facts });
  const { model, route } = chosen;
  const wanted = request.toolsets ?? agent.toolsets ?? ["delegation", "file"];
  const toolsets = model.tools ? [...new Set(wanted)] : [];
  checkKnown(toolsets, facts.knownToolsets);
  checkCapabilities(toolsets, { agent: agent.name, capabilities: settings.capabilities });
  return {
    id: facts.id,
    kind: "session",
    parentId: null,
    rootId: facts.id,
    sessionId: facts.id,
    depth: 0,
    role: "orchestrator",
    agent: pin(agent, facts),
    goal: "",
    context: null,
    model: model.ref,
    ...(route && { route }),
    toolsets,
    workspace: workspaceOf(request.workspace, null, settings),
    limits: { ...settings.limits, ...agent.limits, timeoutMs: null, deadlineMs: null, retryOnFailure: false },
    budget: budgetFor(request, agent.budget, { facts, settings, chosen }),
    schedulingClass: "interactive",
    detached: false,
    outputSchema: null,
    machine: { id: "agent", version: AGENT_MACHINE_VERSION },
    requestHash: facts.requestHash,
    createdAt: facts.now,
    traceparent: null,
  };
}

/** Its own budget, once it is sure that its models have prices where a budget counts money. */
function budgetFor(
  request: Pick<DelegateRequest, "budget">,
  ofAgent: AskedBudget | undefined,
  { facts: { parent }, settings, chosen }: BudgetFacts,
): TreeBudget | null {
  const around = parent && (parent.allowance ?? UNLIMITED_BUDGET);
  const budget = budgetOf({ ofAgent, asked: request.budget, byDefault: settings.budget, around });
  const model = chosen.model.ref;
  checkPrices(
    { model, ...(chosen.route && { route: chosen.route }) },
    leastBudget([budget, around].filter((each) => each !== null)),
    settings,
  );
  return budget;
}

interface BudgetFacts {
  readonly facts: SpawnFacts;
  readonly settings: Settings;
  readonly chosen: RouteAnswer;
}

function checkText(request: DelegateRequest): void {
  if (typeof request.goal !== "string" || request.goal.trim() === "") {
    throw new InvalidRequestError(
      "empty_goal",
      "Expected a goal in words and got none. Say what the child must do.",
    );
  }
  if (request.goal.length > MAX_GOAL_CHARS) {
    throw new InvalidRequestError(
      "goal_too_long",
      `Expected a goal of at most ${MAX_GOAL_CHARS} characters and got ${request.goal.length}. Put long material into a file and name it.`,
    );
  }
  if ((request.context?.length ?? 0) > MAX_CONTEXT_CHARS) {
    throw new InvalidRequestError(
      "context_too_long",
      `Expected a context of at most ${MAX_CONTEXT_CHARS} characters and got ${request.context?.length}. Put long material into a file and name it.`,
    );
  }
}

function checkParent(parent: NonNullable<SpawnFacts["parent"]>): void {
  if (isTerminal(parent.state) || parent.ending) {
    throw new ConflictError(
      "task_ended",
      `The parent ${parent.spec.id} has ended (${parent.state}) and takes no children.`,
      {
        details: { task_id: parent.spec.id, state: parent.state },
      },
    );
  }
  if (parent.spec.role === "leaf") {
    throw new LimitError(
      "leaf_cannot_delegate",
      `The parent ${parent.spec.id} is a leaf and may not delegate. Spawn it with role: orchestrator, and let delegation.max_spawn_depth allow it.`,
      { details: { config_key: "delegation.max_spawn_depth" } },
    );
  }
}

function checkDepth(depth: number, settings: Settings): void {
  const { maxSpawnDepth } = settings.delegation;
  if (depth <= maxSpawnDepth) return;
  throw new LimitError(
    "max_spawn_depth",
    `A child at depth ${depth} was asked for and delegation.max_spawn_depth is ${maxSpawnDepth}. Raise it to allow deeper trees.`,
    { details: { config_key: "delegation.max_spawn_depth", limit: maxSpawnDepth } },
  );
}

/** A task at the deepest level cannot have children, whatever was asked for. */
function roleOf(wanted: TaskRole, depth: number, settings: Settings): TaskRole {
  if (wanted === "leaf" || depth < settings.delegation.maxSpawnDepth) return wanted;
  throw new LimitError(
    "orchestrator_too_deep",
    `role: orchestrator was asked for at depth ${depth}, and delegation.max_spawn_depth is ${settings.delegation.maxSpawnDepth}. ` +
      "Raise it, or use role: leaf.",
    { details: { config_key: "delegation.max_spawn_depth", limit: settings.delegation.maxSpawnDepth } },
  );
}

function agentOf(name: string | undefined, settings: Settings): AgentDefinition {
  if (name === undefined) return settings.childAgent;
  const agent = settings.agents.find((each) => each.name === name);
  if (agent) return agent;
  const known = settings.agents.map((each) => each.name).join(", ") || "none is configured";
  throw new InvalidRequestError(
    "unknown_agent",
    `There is no agent "${name}" under agents: in the config. Known: ${known}.`,
    {
      details: { config_key: `agents.${name}` },
    },
  );
}

function limitsOf(request: DelegateRequest, agent: AgentDefinition, settings: Settings): TaskLimits {
  const limits = agentLimits(agent, settings);
  const { retryLimit: retries, maxTurns, timeoutMs, deadlineMs, onRestart } = request;
  // Nearly all tasks of an agent have its limits: those share one object.
  if ([retries, maxTurns, timeoutMs, deadlineMs, onRestart].every((own) => own === undefined)) return limits;
  return {
    ...limits,
    ...(request.maxTurns !== undefined && { maxTurns: request.maxTurns }),
    ...(request.timeoutMs !== undefined && { timeoutMs: request.timeoutMs }),
    ...(request.deadlineMs !== undefined && { deadlineMs: request.deadlineMs }),
    ...(request.onRestart !== undefined && { onRestart: request.onRestart }),
    ...(retries !== undefined && { retryOnFailure: retries > 0, retryLimit: retries }),
  };
}

const LIMITS = new WeakMap<AgentDefinition, { readonly base: TaskLimits; readonly limits: TaskLimits }>();

function agentLimits(agent: AgentDefinition, { limits: base }: Settings): TaskLimits {
  const known = LIMITS.get(agent);
  if (known?.base === base) return known.limits;
  const limits = Object.freeze({ ...base, ...agent.limits });
  LIMITS.set(agent, { base, limits });
  return limits;
}

function classOf(
  request: DelegateRequest,
  agent: AgentDefinition,
  parent: TaskSpec | null,
): TaskSpec["schedulingClass"] {
  const asked = request.schedulingClass ?? agent.schedulingClass;
  if (asked !== undefined && asked !== null) return asked;
  return parent?.schedulingClass === "batch" ? "batch" : "background";
}

function pin(agent: AgentDefinition, facts: SpawnFacts): PinnedAgent {
  return { name: agent.name, hash: facts.hashOf(agent), instructions: agent.instructions };
}
