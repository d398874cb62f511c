// Whether a task that failed goes on with another model of its route, and with which. Pure.
//
// B1. No place that failed it twice, and at most MAX_REROUTES changes: a route is no circle.
// B2. Nothing crosses between this box and a cloud that `routing.fallback` does not allow (R1), nor stays there when
//     that permission is taken back; and nothing is spent in a cloud beyond `routing.max_cost_micros` by a task that began here.
// B3. What is not taken is told with its reason.
// B4. A server that is known to be away is the last resort of a failure, and none of a queue that is too long.

import { ConfigError, LimitError, NotFoundError, ProviderError } from "../base/errors.ts";
import type { ProviderErrorKind } from "../base/errors.ts";
import { MAX_REROUTES } from "../core/limits.ts";
import type { Fallback, RoutingSettings } from "../core/routing.ts";
import type { ModelSettings } from "../core/settings.ts";
import type { ModelRef, Reroute, SkippedModel, TaskRoute } from "../core/task.ts";
import { changesOf, failuresOf } from "./equal-places.ts";
import { crossing, targetKey, type Candidate } from "./routing.ts";

/**
 * Why another model could serve where this one did not: it is `away` (server, keys, model itself), the prompt is too
 * `long` for it, the money is `spent`, its answers are `poor`, the task may not be there any more (`barred`), or its queue
 * is too long (`busy`).
 */
export type Setback = "away" | "long" | "spent" | "poor" | "barred" | "busy";

const KINDS: Readonly<Record<ProviderErrorKind, Setback | null>> = {
  network: "away",
  timeout: "away",
  overloaded: "away",
  rate_limited: "away",
  quota: "away",
  auth: "away",
  context_length: "long",
  malformed: "away",
  // What one server will not answer another need not be asked: it is the request that is refused.
  refused: null,
};

/** Refusals that are about the model, not about what was asked of it. */
const ABOUT_THE_MODEL: ReadonlySet<string> = new Set([
  "model_not_found",
  "not_found",
  "tools_unsupported",
  "thinking_unsupported",
]);

/** `null` for what no other model would mend. */
export function setbackOf(thrown: unknown): Setback | null {
  if (thrown instanceof ProviderError && thrown.code === "empty_answer") return "poor";
  if (thrown instanceof ProviderError)
    return ABOUT_THE_MODEL.has(thrown.code) ? "away" : KINDS[thrown.providerKind];
  if (thrown instanceof ConfigError) return "away";
  if (thrown instanceof NotFoundError) return thrown.code === "model_not_found" ? "away" : null;
  if (thrown instanceof LimitError && thrown.code === BARRED_CODE) return "barred";
  if (thrown instanceof LimitError) return MONEY.has(thrown.code) ? "spent" : null;
  return null;
}

const COST_CODE = "route_cost";
const BARRED_CODE = "route_barred";
const MONEY: ReadonlySet<string> = new Set([COST_CODE, "budget", "price_unknown"]);

export interface FallbackQuestion {
  readonly route: TaskRoute;
  readonly began: ModelRef;
  readonly reroutes: readonly Reroute[];
  readonly setback: Setback;
  readonly routing: Pick<RoutingSettings, "fallback" | "maxCostMicros">;
  /** What the task has cost so far, in micros. */
  readonly costMicros: number;
  /** A place as the config has it now; `null` for one that it has no more. */
  readonly candidateAt: (ref: ModelRef) => Candidate | null;
  /** Whether its server is known to be away. */
  readonly isAway: (ref: ModelRef) => boolean;
}

export type FallbackAnswer =
  | { readonly to: ModelRef }
  /** Nobody takes it; empty where there was nobody left to ask. */
  | { readonly refused: readonly SkippedModel[] };

/** The next candidate that may take the task. */
export function nextCandidate(question: FallbackQuestion): FallbackAnswer {
  const { route, began, reroutes, candidateAt, setback, isAway } = question;
  const here = reroutes.at(-1)?.to ?? began;
  // Who must leave where it may not be goes on as if it had never come there.
  const at = setback === "barred" ? began : here;
  // Each place that failed it, the last one just now; of queues, each that it left.
  const left = setback === "busy" ? changesOf(reroutes) : failuresOf(reroutes);
  const tried = new Set([...left.map(({ from }) => from), here].map(targetKey));
  const refused: SkippedModel[] = [];
  const there = route.candidates.filter((ref) => !isAway(ref));
  for (const ref of [...there, ...route.candidates.filter(isAway)]) {
    if (tried.has(targetKey(ref))) continue;
    const candidate = candidateAt(ref);
    const reason = candidate === null ? "the config has it no more" : refusalOf(candidate, at, question);
    if (reason === null) return { to: ref };
    refused.push({ model: `${ref.provider}/${ref.model}`, reason });
  }
  return { refused };
}

function refusalOf(to: Candidate, at: ModelRef, question: FallbackQuestion): string | null {
  const { routing, setback, reroutes, candidateAt, isAway } = question;
  if (setback === "busy" && isAway(to.model.ref)) return "its server is away";
  if (changesOf(reroutes).length >= MAX_REROUTES)
    return `the task has changed its model ${MAX_REROUTES} times`;
  // Stepping up after a poor answer is asked for by itself (`escalate`).
  if (routing.fallback === "none" && setback !== "poor") return "routing.fallback is none";
  const from = candidateAt(at);
  // Where a place that the config has no more was, nobody knows; only what stays here is safe.
  const crossed = from === null ? (to.local ? null : unknownOrigin) : crossing(from, to, routing.fallback);
  if (crossed !== null) return crossed;
  if (setback === "long" && !isLonger(to.model, from?.model)) return "its context is no longer";
  if (setback === "spent" && !isFree(to)) return "it costs money too";
  return overCost(to, question);
}

const unknownOrigin = "it is a cloud's, and the model before it is in the config no more";

function isLonger(to: ModelSettings, from: ModelSettings | undefined): boolean {
  if (to.contextTokens === null || from === undefined) return true;
  return from.contextTokens !== null && to.contextTokens > from.contextTokens;
}

function isFree({ model, local }: Candidate): boolean {
  const isKnown = local || model.priced === true;
  return isKnown && model.promptPriceMicros === 0 && model.outputPriceMicros === 0;
}

/** Keeps B2 where a ceiling is set: a price that nobody knows keeps no ceiling. */
function overCost(to: Candidate, question: FallbackQuestion): string | null {
  const { began, candidateAt, routing } = question;
  const limit = routing.maxCostMicros;
  if (limit === null || to.local || candidateAt(began)?.local === false) return null;
  if (to.model.priced !== true)
    return "routing.max_cost_micros is set, and its price is not (providers.*.models)";
  if (cloudCost(question) < limit) return null;
  return `routing.max_cost_micros is ${limit}, and that much is spent`;
}

/** What a task that began here has spent in clouds that it fell back to, in micros. */
export function cloudCost({
  began,
  reroutes,
  costMicros,
  candidateAt,
}: Pick<FallbackQuestion, "began" | "reroutes" | "costMicros" | "candidateAt">): number {
  if (candidateAt(began)?.local === false) return 0;
  return reroutes.reduce((sum, { to, costMicros: before }, at) => {
    const after = reroutes[at + 1]?.costMicros ?? costMicros;
    return candidateAt(to)?.local === true ? sum : sum + after - before;
  }, 0);
}

/** What ends a generation before it begins: the permission under which the task came to its cloud was taken back. */
export function barred(model: string, fallback: Fallback): LimitError {
  return new LimitError(
    BARRED_CODE,
    `This task began on this box and fell back to ${model}, and routing.fallback (${fallback}) sends nothing there any more. ` +
      "Allow it again, or delegate the task anew.",
    { details: { config_key: "routing.fallback" } },
  );
}

/** What ends a generation before it begins: with it the task would have spent more than it may. */
export function costReached(limit: number, wanted: number): LimitError {
  return new LimitError(
    COST_CODE,
    `A task may spend ${limit} micros in a cloud that it fell back to, and the next step could make it ${wanted}. ` +
      "Raise routing.max_cost_micros, or ask for less.",
    { details: { config_key: "routing.max_cost_micros", limit } },
  );
}

/** Why nobody else took it, to follow the message of the failure; empty where there was nobody to ask. */
export function refusalText(refused: readonly SkippedModel[]): string {
  if (refused.length === 0) return "";
  return ` No other model of its route takes it. ${refused.map(({ model, reason }) => `${model}: ${reason}`).join("; ")}.`;
}
