// Where a task runs: which of the models that its names stand for can serve it, and which of those is taken. Pure;
// what it needs to know of the world (is there a key, who is busy) are parameters.
//
// R1. Nothing crosses between this box and a cloud unless `routing.fallback` says so, neither at spawn nor later.
// R2. Whatever is passed over is told with its reason.

import { LimitError, NotFoundError, type TroupeError } from "../base/errors.ts";
import { runsHere } from "../core/load-profile.ts";
import type { Fallback, Need, RoutingSettings } from "../core/routing.ts";
import type { ModelSettings, Settings } from "../core/settings.ts";
import type { ModelRef, SkippedModel, TaskRoute } from "../core/task.ts";
import { findPlaces, modelName } from "../config/models.ts";
import { didYouMean } from "../config/suggest.ts";

/** A model at one place. */
export interface Candidate {
  readonly model: ModelSettings;
  readonly local: boolean;
}

/** What a task asks of its model. */
export interface Demand {
  readonly needs: ReadonlySet<Need>;
  /** Tokens of what it begins with, estimated. */
  readonly tokens: number;
}

/** What only the runtime knows of a place. */
export interface RouteFacts {
  /** Why its provider cannot be used (no key); `null` when it can. */
  readonly refusalOf: (ref: ModelRef) => TroupeError | null;
  /** Whether it failed other tasks lately. */
  readonly isSick: (ref: ModelRef) => boolean;
  /** How long a new task's first turn would wait there, in milliseconds, foretold. */
  readonly waitMs: (backend: string) => number;
  /** How busy a backend is; only compared. */
  readonly loadOf: (backend: string) => number;
}

export const NO_ROUTE_FACTS: RouteFacts = {
  refusalOf: () => null,
  isSick: () => false,
  waitMs: () => 0,
  loadOf: () => 0,
};

/** The models behind a name: an alias stands for its route. */
export function namesBehind(name: string, { aliases }: Pick<RoutingSettings, "aliases">): readonly string[] {
  return Object.hasOwn(aliases, name) ? (aliases[name] as readonly string[]) : [name];
}

/**
 * Every place that these names stand for, in their order and each once.
 * Contract: throws NotFoundError `model_not_found` for the first name that no provider has.
 */
export function candidatesOf(names: readonly string[], settings: Settings): readonly Candidate[] {
  const locals = new Set(settings.backends.filter(({ local }) => local).map(({ name }) => name));
  const found = new Map<string, Candidate>();
  for (const name of names.flatMap((each) => namesBehind(each, settings.routing))) {
    const places = findPlaces(settings.models, name, (backend) => locals.has(backend));
    if (places.length === 0) throw modelNotFound(name, settings);
    for (const model of places)
      found.set(targetKey(model.ref), { model, local: runsHere(model.ref, settings.backends) });
  }
  return [...found.values()];
}

/** A place as the config has it now; `null` for one that it has no more. Never throws. */
export function candidateAt(ref: ModelRef, settings: Settings): Candidate | null {
  const key = targetKey(ref);
  const model = settings.models.find((each) => targetKey(each.ref) === key);
  const backend = settings.backends.find(({ name }) => name === ref.backend);
  return model && backend ? { model, local: runsHere(ref, settings.backends) } : null;
}

/** Names a place: one model on one backend. */
export function targetKey({ provider, model, backend }: ModelRef): string {
  return `${backend}:${provider}/${model}`;
}

type Named = Pick<Settings, "models" | "backends" | "routing">;

export function modelNotFound(name: string, settings: Named): NotFoundError {
  const known = settings.models.slice(0, 12).map(modelName);
  return new NotFoundError(
    "model_not_found",
    `No provider has a model "${name}". Known: ${known.join(", ") || "none"}.${adviceFor(name, settings)}`,
    { details: { model: name } },
  );
}

/** What to do about a name that no provider has: only a server on this box is given a model by pulling it. */
function adviceFor(name: string, { models, backends, routing }: Named): string {
  const refs = models.flatMap((model) => [model.ref.model, modelName(model)]);
  const near = didYouMean(name, [...Object.keys(routing.aliases), ...refs]);
  if (near !== "") return near;
  const provider = name.slice(0, Math.max(0, name.indexOf("/")));
  const providers = [...new Set(backends.map((backend) => backend.provider))];
  const isOwn = providers.includes(provider);
  // `hf.co/org/model` is the name of a model.
  if (!isOwn && provider !== "" && !provider.includes("."))
    return ` There is no provider ${provider}.${didYouMean(provider, providers)} Providers: ${providers.join(", ")}.`;
  const model = isOwn ? name.slice(provider.length + 1) : name;
  const isHere = backends.some((backend) => backend.local && (!isOwn || backend.provider === provider));
  return isHere ? ` Pull it (ollama pull ${model}), or name another.` : " Name another.";
}

/** Why a task may not go from the one to the other; `null` when it may (R1). */
export function crossing(from: Candidate, to: Candidate, fallback: Fallback): string | null {
  if (from.local === to.local) return null;
  const way = from.local ? "local_to_cloud" : "cloud_to_local";
  if (fallback === way || fallback === "both") return null;
  return from.local
    ? `it is a cloud's, and routing.fallback (${fallback}) sends nothing there`
    : `it is on this box, and routing.fallback is ${fallback}`;
}

/** Why a model cannot serve what is asked of it; `null` when it can. */
export function inability({ model }: Candidate, { needs, tokens }: Demand): string | null {
  if (needs.has("tools") && !model.tools) return "it cannot call tools";
  if (needs.has("thinking") && !model.thinking) return "it does not think";
  if (needs.has("vision") && model.vision !== true) return "it takes no images";
  const room = model.contextTokens;
  if (room === null || tokens <= room) return null;
  return `goal and context take about ${tokens} tokens, and its context is ${room}`;
}

export interface RouteQuestion {
  readonly candidates: readonly Candidate[];
  readonly demand: Demand;
  readonly routing: Pick<RoutingSettings, "fallback" | "maxWaitMs">;
  readonly escalate: boolean;
  readonly facts: RouteFacts;
}

export interface RouteAnswer {
  readonly model: ModelSettings;
  /** Absent where there was nothing to choose and nothing was passed over. */
  readonly route?: TaskRoute;
}

/**
 * The first candidate that can serve, and all others that can.
 * Contract: gives LimitError `no_candidate` with every reason; throws what the provider of a single one is refused for.
 */
export function chooseRoute(question: RouteQuestion): RouteAnswer | LimitError {
  const { candidates, demand, facts } = question;
  const { fallback } = question.routing;
  const [first] = candidates as readonly [Candidate, ...Candidate[]];
  const able: Candidate[] = [];
  const skipped: SkippedModel[] = [];
  for (const candidate of candidates) {
    const refusal = facts.refusalOf(candidate.model.ref);
    if (refusal && candidates.length === 1) throw refusal;
    const reason = inability(candidate, demand) ?? refusal?.message ?? null;
    if (reason === null) able.push(candidate);
    else skipped.push({ model: modelName(candidate.model), reason });
  }
  const allowed = able.filter((candidate) => crossing(first, candidate, fallback) === null);
  // Where none of them is well and free, the first is as good as any.
  const began = allowed.find((each) => reluctance(each, question) === null) ?? allowed[0];
  for (const each of began ? allowed.slice(0, allowed.indexOf(began)) : [])
    skipped.push({ model: modelName(each.model), reason: reluctance(each, question) as string });
  for (const candidate of began ? [] : able) {
    const reason = crossing(first, candidate, fallback) as string;
    skipped.push({ model: modelName(candidate.model), reason });
  }
  if (!began) return noCandidate(skipped);
  const chosen = leastLoaded(began, able, facts);
  if (able.length === 1 && skipped.length === 0) return { model: chosen.model };
  const rest = able.filter((candidate) => candidate !== chosen);
  const refs = [chosen, ...rest].map(({ model }) => model.ref);
  return { model: chosen.model, route: { candidates: refs, skipped, escalate: question.escalate } };
}

/** Why a task had better begin elsewhere, if it can; `null` where nothing speaks against it. */
function reluctance({ model, local }: Candidate, { facts, routing }: RouteQuestion): string | null {
  if (facts.isSick(model.ref)) return "it failed other tasks just now";
  if (!local || routing.maxWaitMs === null) return null;
  const waitMs = facts.waitMs(model.ref.backend);
  if (waitMs <= routing.maxWaitMs) return null;
  return `its turn would come in about ${Math.round(waitMs / 1000)} s (routing.max_wait_s)`;
}

/** Of several places of one local model, the one that is least busy; of equals the first. */
function leastLoaded(began: Candidate, able: readonly Candidate[], facts: RouteFacts): Candidate {
  const { loadOf, isSick } = facts;
  const same = able.filter(
    ({ model: { ref }, local }) =>
      local && ref.model === began.model.ref.model && (ref === began.model.ref || !isSick(ref)),
  );
  if (!began.local || same.length < 2) return began;
  return same.reduce((best, next) =>
    loadOf(next.model.ref.backend) < loadOf(best.model.ref.backend) ? next : best,
  );
}

function noCandidate(skipped: readonly SkippedModel[]): LimitError {
  const reasons = skipped.map(({ model, reason }) => `${model}: ${reason}`);
  return new LimitError(
    "no_candidate",
    `Expected a model that can serve this task, and none of its route can. ${reasons.join("; ")}. Name another model, or ask for less.`,
    { details: { skipped } },
  );
}

/** What whoever delegated should know of a choice, in words; `null` when the first was taken. */
export function routeNote(model: ModelRef, route: TaskRoute | undefined): string | null {
  if (!route || route.skipped.length === 0) return null;
  const reasons = route.skipped.map((each) => `${each.model}: ${each.reason}`);
  return `It runs on ${model.provider}/${model.model}. Passed over: ${reasons.join("; ")}.`;
}
