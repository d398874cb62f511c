// Which places of a task's route would serve it alike: the same local model with the same abilities on another backend.
// Which of them it runs on is the scheduler's to choose while it waits (`moved`), and changes nothing but the server. Pure.
//
// Q1. A place that has failed the task is none of them any more; one that it only left for a freer one still is.
// Q2. Changes among equals count for nothing else: not as changes of model, and not as places that were tried.

import { SERVER_AWAY } from "../core/lifecycle.ts";
import type { Settings } from "../core/settings.ts";
import type { ModelRef, Reroute, TaskSpec } from "../core/task.ts";
import { candidateAt, targetKey, type Candidate } from "./routing.ts";

/** The code of a change that no failure caused. */
const FREER = "freer_backend";
/** The code of a change because of a queue: the place that was left is well. */
export const LONG_QUEUE = "long_queue";

/** Where a task runs, and how it came there. */
export interface Running {
  readonly model: ModelRef;
  readonly reroutes: readonly Reroute[];
}

/** The changes of model that are bounded; those of an outage are as many as there are outages. */
export function changesOf(reroutes: readonly Reroute[]): readonly Reroute[] {
  return reroutes.filter(({ code }) => code !== FREER && code !== SERVER_AWAY);
}

/** The changes that a failure caused. */
export function failuresOf(reroutes: readonly Reroute[]): readonly Reroute[] {
  return changesOf(reroutes).filter(({ code }) => code !== LONG_QUEUE);
}

/** Where else it would run alike, in the order of its route; empty for a session, which stays with its person. */
export function equalPlaces(
  { kind, route }: Pick<TaskSpec, "kind" | "route">,
  { model, reroutes }: Running,
  settings: Settings,
): readonly ModelRef[] {
  if (kind !== "task" || route === undefined) return [];
  const here = candidateAt(model, settings);
  if (here?.local !== true) return [];
  const failed = new Set(failuresOf(reroutes).map(({ from }) => targetKey(from)));
  return route.candidates.filter((ref) => {
    const other = candidateAt(ref, settings);
    return (
      other !== null &&
      targetKey(ref) !== targetKey(model) &&
      !failed.has(targetKey(ref)) &&
      isAlike(here, other)
    );
  });
}

/** The changes with one more among equals: only the last of several in a row says where it is. */
export function withMove(
  { model, reroutes }: Running,
  { to, time, costMicros }: Pick<Reroute, "to" | "time" | "costMicros">,
): { readonly reroutes: readonly Reroute[]; readonly made: Reroute } {
  const reason = `It waited on ${model.backend}, and ${to.backend} has room.`;
  const made: Reroute = { from: model, to, code: FREER, reason, time, costMicros };
  const last = reroutes.at(-1);
  if (last?.code !== FREER) return { reroutes: [...reroutes, made], made };
  const before = reroutes.slice(0, -1);
  const isHome = targetKey(last.from) === targetKey(to);
  return { reroutes: isHome ? before : [...before, { ...made, from: last.from }], made };
}

/** By provider and model, and by backend where that alone tells them apart. */
export function namesOf({ from, to }: Pick<Reroute, "from" | "to">): {
  readonly from: string;
  readonly to: string;
} {
  const [one, other] = [from, to].map(({ provider, model }) => `${provider}/${model}`) as [string, string];
  return one !== other
    ? { from: one, to: other }
    : { from: `${one} on ${from.backend}`, to: `${other} on ${to.backend}` };
}

function isAlike(one: Candidate, other: Candidate): boolean {
  const [a, b] = [one.model, other.model];
  return (
    other.local &&
    a.ref.model === b.ref.model &&
    a.contextTokens === b.contextTokens &&
    a.tools === b.tools &&
    a.thinking === b.thinking &&
    a.vision === b.vision
  );
}
