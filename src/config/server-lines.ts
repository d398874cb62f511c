// What the start says of each model server of the config, in one line: what answered, or that nothing did and what to
// do. Pure; names variables that hold keys, and no key.

import type { DiscoveredProvider, Discovery } from "./discovery.ts";
import type { ProviderPlan } from "./plan.ts";

/** More names than these make no line that is read. */
const MOST_NAMES = 6;

/** Contract: never throws; those that do not answer begin with `warning: `. */
export function serverLines(plans: readonly ProviderPlan[], discovery: Discovery): readonly string[] {
  return plans.flatMap((plan) => {
    const found = discovery.providers[plan.name];
    const line = found?.reachable === true ? answeringLine(plan, found) : `warning: ${awayLine(plan, found)}`;
    return [line, ...refusedKeyLines(plan, found).map((each) => `warning: ${each}`)];
  });
}

/** The keys that a server did not take. The reason of a single one of a server that took none is the server's problem. */
export function refusedKeyLines(
  { name, moreKeys, apiKey }: ProviderPlan,
  found: DiscoveredProvider | undefined,
): readonly string[] {
  const refused = found?.refusedKeys ?? [];
  const keys = moreKeys.length + (apiKey === null ? 0 : 1);
  if (keys < 2 && found?.reachable !== true) return [];
  return refused.map(
    ({ fingerprint, source, reason }) => `${name} did not take the key ${fingerprint} (${source}): ${reason}`,
  );
}

/** What to do when nothing answers at a local address, in whole sentences. */
export function startAdvice(plan: ProviderPlan, problem: string | null): string {
  // A provider that could not reach its server says where, why and what to type.
  if (problem?.includes("ollama serve") === true) return problem;
  const why = problem === null ? "" : ` (${problem})`;
  return `Expected a model server at ${plan.baseUrl}, got no answer${why}. Type: ollama serve.`;
}

function answeringLine(plan: ProviderPlan, found: DiscoveredProvider): string {
  const keys = [plan, ...plan.moreKeys].flatMap(({ apiKey }) =>
    apiKey?.startsWith("env:") === true ? [apiKey] : [],
  );
  const key = keys.length === 0 ? "" : `, with the key${keys.length > 1 ? "s" : ""} in ${keys.join(", ")}`;
  const version = found.version === null ? "" : ` ${found.version}`;
  const what = `${found.type}${version}${found.simulated ? ", simulated" : ""}`;
  return `${plan.name}: ${what} at ${plan.baseUrl}, ${found.models.length} models${key}`;
}

function awayLine(plan: ProviderPlan, found: DiscoveredProvider | undefined): string {
  const problem = found?.problem ?? `Nothing answers at ${plan.baseUrl}.`;
  const names = found?.models.map(({ name }) => name) ?? [];
  const more = names.length > MOST_NAMES ? ` and ${names.length - MOST_NAMES} more` : "";
  const known =
    found?.seenAt === undefined || names.length === 0
      ? ""
      : ` Until then it counts as having what it had on ${dayOf(found.seenAt)}: ${names.slice(0, MOST_NAMES).join(", ")}${more}.`;
  return `${plan.name} cannot be used yet. ${asSentence(problem)} Troupe starts without it, and takes it up when it answers.${known}`;
}

function asSentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function dayOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
