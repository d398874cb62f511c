// Model and toolsets of a new task, which depend on each other: who has no tools to call needs no model that can.
// Pure; throws before anything is stored.

import type { TroupeError } from "../base/errors.ts";
import { LimitError, toTroupeError } from "../base/errors.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type { DelegateRequest, SessionRequest } from "../core/api.ts";
import type { Need } from "../core/routing.ts";
import type { ModelSettings, Settings } from "../core/settings.ts";
import type { ModelRef, TaskRole, TaskSpec } from "../core/task.ts";
import { findModel as findByName } from "../config/models.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { estimateTokens } from "./compaction.ts";
import { goalMessage } from "./mail.ts";
import type { Outages } from "./outages.ts";
import {
  candidatesOf,
  chooseRoute,
  modelNotFound,
  NO_ROUTE_FACTS,
  routeNote,
  type Candidate,
  type RouteAnswer,
  type RouteFacts,
} from "./routing.ts";
import type { TargetHealth } from "./target-health.ts";
import type { WaitForecast } from "./wait-forecast.ts";
import { toollessNote, toolsetsOf } from "./spawn-toolsets.ts";

/** The settings of `provider/model` or of a bare name. Throws NotFoundError `model_not_found`. */
export function findModel(name: string, settings: Settings): ModelSettings {
  const found = findByName(settings.models, name);
  if (found) return found;
  throw modelNotFound(name, settings);
}

type Named = Pick<AgentDefinition, "model" | "route">;

/** What is asked for, else the agent's, else the config's; a route goes before a single model. */
function modelNames(asked: string | undefined, agent: Named, byDefault: Named): readonly string[] {
  if (asked !== undefined) return [asked];
  const { route, model } = agent.route || agent.model !== null ? agent : byDefault;
  return route ?? [model as string];
}

/** The config's models for a kind of task: one, or the route of the agent that stands for the kind. */
function defaultOf({ provider, model }: ModelRef, { route }: AgentDefinition): Named {
  return { model: `${provider}/${model}`, ...(route && { route }) };
}

/** What a new task is asked for with; `facts` as the caller knows them. */
export interface Placing {
  readonly agent: AgentDefinition;
  readonly settings: Settings;
  readonly facts: {
    readonly parent: { readonly spec: TaskSpec } | null;
    readonly knownToolsets: ReadonlySet<string>;
    readonly routing?: RouteFacts;
  };
}

/**
 * Where a child begins, and with which tools.
 * Contract: throws NotFoundError `model_not_found`, LimitError `no_candidate`, and what `toolsetsOf` throws.
 */
export function placeChild(
  request: DelegateRequest,
  { agent, role, settings, facts }: Placing & { readonly role: TaskRole },
): RouteAnswer & { readonly toolsets: readonly string[] } {
  const byDefault = defaultOf(settings.childModel, settings.childAgent);
  const candidates = candidatesOf(modelNames(request.model, agent, byDefault), settings);
  const toolsetsWith = (model: ModelSettings): readonly string[] =>
    toolsetsOf({
      asked: request.toolsets,
      ofAgent: agent.toolsets,
      parentHas: facts.parent?.spec.toolsets ?? null,
      byDefault: settings.delegation.defaultToolsets,
      role,
      model,
      known: facts.knownToolsets,
      agent: agent.name,
      capabilities: settings.capabilities,
    });
  const tokens = estimateTokens([goalMessage(request.goal, request.context ?? null)]);
  const choose = (toolsets: readonly string[]): RouteAnswer | LimitError => {
    const needs = new Set<Need>([...(agent.needs ?? []), ...(toolsets.length > 0 ? ["tools" as const] : [])]);
    return chooseRoute({
      candidates,
      demand: { needs, tokens },
      routing: settings.routing,
      escalate: agent.escalate ?? settings.childAgent.escalate ?? false,
      facts: facts.routing ?? NO_ROUTE_FACTS,
    });
  };
  const [first] = candidates as readonly [Candidate, ...Candidate[]];
  const toolsets = toolsetsWith((candidates.find(({ model }) => model.tools) ?? first).model);
  const answer = choose(toolsets);
  if (!(answer instanceof LimitError)) return { ...answer, toolsets };
  // A leaf for which nobody asked for tools may go on without, as it does with a single model.
  const mayGoWithout = request.toolsets === undefined && role === "leaf" && toolsets.length > 0;
  const without = mayGoWithout ? choose([]) : answer;
  if (without instanceof LimitError) throw answer;
  return { ...without, toolsets: [] };
}

/** Where a session begins; on a model without tools it can still talk. Throws like `placeChild`. */
export function placeSession(request: SessionRequest, { agent, settings, facts }: Placing): RouteAnswer {
  const byDefault = defaultOf(settings.parentModel, settings.sessionAgent);
  const answer = chooseRoute({
    candidates: candidatesOf(modelNames(request.model, agent, byDefault), settings),
    demand: { needs: new Set(agent.needs), tokens: 0 },
    routing: settings.routing,
    escalate: false,
    facts: facts.routing ?? NO_ROUTE_FACTS,
  });
  if (answer instanceof LimitError) throw answer;
  return answer;
}

/** What is known of places while a runtime runs. `checkProvider` throws for one that cannot be used. */
export function routeFactsOf(
  checkProvider: (ref: ModelRef) => void,
  {
    scheduler,
    health,
    forecast,
    residency,
  }: {
    readonly scheduler: Pick<Scheduler, "lanes">;
    readonly health: Pick<TargetHealth, "isSick">;
    readonly forecast: Pick<WaitForecast, "waitMs">;
    readonly residency: { readonly outages: Pick<Outages, "isAway"> };
  },
): RouteFacts {
  const refusalOf = (ref: ModelRef): TroupeError | null => {
    try {
      checkProvider(ref);
      return null;
    } catch (thrown) {
      return toTroupeError(thrown);
    }
  };
  // Turns and children for each slot; asked only where several could serve alike.
  const loadOf = (backend: string): number => {
    const lanes = scheduler.lanes().filter((lane) => lane.backend === backend);
    return lanes.reduce(
      (sum, { waiting, places, slots }) => sum + (waiting.length + places.length) / slots,
      0,
    );
  };
  const waitMs = (backend: string): number => {
    const lanes = scheduler.lanes().filter((lane) => lane.backend === backend);
    return Math.max(0, ...lanes.map(({ waiting, slots }) => forecast.waitMs(backend, waiting.length, slots)));
  };
  const isSick = (ref: ModelRef): boolean => health.isSick(ref) || residency.outages.isAway(ref.backend);
  return { refusalOf, loadOf, waitMs, isSick };
}

/** What whoever delegated should know of how a task was made; `null` when there is nothing. */
export function spawnNote({ model, route, worktree }: TaskSpec, settings: Settings): string | null {
  const notes = [
    toollessNote(findModel(`${model.provider}/${model.model}`, settings)),
    routeNote(model, route),
    worktree === undefined
      ? null
      : `It works in a git worktree of its own, on the branch ${worktree.branch}.`,
  ].filter((note) => note !== null);
  return notes.length === 0 ? null : notes.join(" ");
}
