// Names of models in a config (`model:`, `route:`, aliases) to `provider/model`, each found on a server or taken on
// trust: a server that is down just now comes back, and the tasks of its models wait for it.

import { runsHere } from "../core/load-profile.ts";
import type { Config } from "../core/config-schema.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type { Fallback, RoutingSettings } from "../core/routing.ts";
import type { BackendSettings, ModelSettings } from "../core/settings.ts";
import { namedAgent } from "./agents.ts";
import { expandNames } from "./aliases.ts";
import type { ModelBook } from "./model-book.ts";
import { modelName } from "./models.ts";

export interface NamedRoute {
  /** The config key, for messages. */
  readonly key: string;
  readonly names: readonly string[];
  /** Look on this provider only. */
  readonly provider: string | null;
}

/**
 * Every model that these names stand for, in their order; a bare name stands for each local server that has it.
 * Contract: at least one for a name or more; throws ConfigError `model_missing`.
 */
export function pinRoute(route: NamedRoute, book: ModelBook, config: Config): readonly ModelSettings[] {
  const { provider } = route;
  const found = new Map<string, ModelSettings>();
  for (const [index, written] of route.names.entries()) {
    const key = route.names.length === 1 ? route.key : `${route.key}[${index}]`;
    const isAlias = Object.hasOwn(config.models, written);
    for (const name of expandNames([written], config.models)) {
      const pin = {
        name,
        key: isAlias ? `${key} (${written})` : key,
        provider,
        aliases: Object.keys(config.models),
      };
      for (const model of book.pinAll(pin)) found.set(modelName(model), found.get(modelName(model)) ?? model);
    }
  }
  return [...found.values()];
}

/** All aliases of the config, each as `provider/model` in the order of its route. Throws like `pinRoute`. */
export function pinAliases(config: Config, book: ModelBook): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    Object.entries(config.models).map(([alias, written]) => {
      const names = typeof written === "string" ? [written] : written;
      const route = { key: `models.${alias}`, names, provider: null };
      return [alias, pinRoute(route, book, config).map(modelName)];
    }),
  );
}

/** A route and the config key that says it. */
export type KeyedRoute = readonly [key: string, route: readonly ModelSettings[]];

export interface Agents {
  readonly agents: readonly AgentDefinition[];
  /** By the config key that says it. */
  readonly routes: readonly KeyedRoute[];
}

/** The named agents, each with its own models found. Throws ConfigError `model_missing`. */
export function agentsOf(config: Config, book: ModelBook): Agents {
  const routes: KeyedRoute[] = [];
  const agents = Object.entries(config.agents).map(([name, agent]) => {
    const isRoute = agent.route !== undefined;
    const key = `agents.${name}.${isRoute ? "route" : "model"}`;
    const names = agent.route ?? (agent.model === undefined ? [] : [agent.model]);
    const route = pinRoute({ key, names, provider: null }, book, config);
    routes.push([key, route]);
    return namedAgent(name, agent, route.map(modelName));
  });
  return { agents, routes };
}

/** The routing of a config, its aliases already found. */
export function routingOf({ routing }: Config, aliases: RoutingSettings["aliases"]): RoutingSettings {
  return {
    fallback: routing.fallback,
    maxCostMicros: routing.max_cost_micros,
    maxWaitMs: routing.max_wait_s === null ? null : routing.max_wait_s * 1000,
    maxOutageMs: routing.max_outage_s === null ? null : routing.max_outage_s * 1000,
    aliases,
  };
}

/** What a person should know of routes: clouds that they name, and that no task may fall back to. */
export function routeWarnings(
  routes: readonly KeyedRoute[],
  { fallback, backends }: { readonly fallback: Fallback; readonly backends: readonly BackendSettings[] },
): readonly string[] {
  if (fallback === "local_to_cloud" || fallback === "both") return [];
  const isLocal = ({ ref }: ModelSettings): boolean => runsHere(ref, backends);
  return routes.flatMap(([key, [first, ...rest]]) => {
    const clouds = first && isLocal(first) ? rest.filter((model) => !isLocal(model)) : [];
    if (clouds.length === 0) return [];
    return [
      `warning: ${key} names ${clouds.map(modelName).join(", ")} behind a local model, and routing.fallback is ` +
        `${fallback}: nothing is sent there. Set it to local_to_cloud or both to allow that`,
    ];
  });
}
