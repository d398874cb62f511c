// Other names for models: what stands under `models:`. An alias names a model, another alias, or a list of them; a list
// is a route. Pure; whether the models exist is asked later, of the servers.
//
// A1. Every alias that `aliasFindings` finds nothing wrong with expands to names that are no alias, each of them once.

import type { Config } from "../core/config-schema.ts";
import type { ConfigPath } from "./problem.ts";
import { keyName } from "./problem.ts";
import type { Finding } from "./validate.ts";

type Aliases = Config["models"];

/** More names than this are a program's, not a person's; looking for circles costs their square. */
const MOST_ALIASES = 256;

function namesOf(aliases: Aliases, name: string): readonly string[] {
  const written = aliases[name] as string | readonly string[];
  return typeof written === "string" ? [written] : written;
}

/**
 * The names of models behind these names, in their order and each once.
 * Contract: never throws; a circle ends where it closes.
 */
export function expandNames(names: readonly string[], aliases: Aliases): readonly string[] {
  const found = new Set<string>();
  const open = new Set<string>();
  const visit = (name: string): void => {
    if (!Object.hasOwn(aliases, name)) return void found.add(name);
    // One that was expanded before, or is being expanded, adds nothing: so lists of lists cost no more than their length.
    if (open.has(name)) return;
    open.add(name);
    for (const next of namesOf(aliases, name)) visit(next);
  };
  for (const name of names) visit(name);
  return [...found];
}

/** The aliases from `name` back to itself; `null` where it leads to models only. */
function circleFrom(name: string, aliases: Aliases): readonly string[] | null {
  const seen = new Set<string>();
  const visit = (at: string, path: readonly string[]): readonly string[] | null => {
    for (const next of namesOf(aliases, at)) {
      if (next === name) return [...path, next];
      if (!Object.hasOwn(aliases, next) || seen.has(next)) continue;
      seen.add(next);
      const circle = visit(next, [...path, next]);
      if (circle !== null) return circle;
    }
    return null;
  };
  return visit(name, [name]);
}

/** Circles, and routes without a model. Contract: never throws. */
export function aliasFindings(config: Config): readonly Finding[] {
  const found: Finding[] = [];
  const refuse = (path: ConfigPath, message: string): void => {
    found.push({ path, at: "value", message: `${keyName(path)}: ${message}` });
  };
  const routes: readonly (readonly [ConfigPath, readonly string[] | undefined])[] = [
    [["delegation", "route"], config.delegation.route],
    ...Object.entries(config.agents).map(
      ([name, agent]) => [["agents", name, "route"], agent.route] as const,
    ),
    ...Object.keys(config.models).map((name) => [["models", name], namesOf(config.models, name)] as const),
  ];
  for (const [path, route] of routes) {
    if (route?.length === 0)
      refuse(path, "expected one model or more, like [ollama/qwen3:8b], got an empty list");
  }
  const many = Object.keys(config.models).length;
  if (many > MOST_ALIASES) {
    refuse(["models"], `expected at most ${MOST_ALIASES} names, got ${many}`);
    return found;
  }
  const inCircles = new Set<string>();
  for (const name of Object.keys(config.models)) {
    // A circle is one mistake, however many names are in it.
    if (inCircles.has(name)) continue;
    const circle = circleFrom(name, config.models);
    if (circle === null) continue;
    for (const each of circle) inCircles.add(each);
    refuse(["models", name], `expected a model at the end, got a circle: ${circle.join(" → ")}`);
  }
  return found;
}
