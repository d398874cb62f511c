// Several equal model servers as one: who names a server is sent there. Who names none is sent to the one with the
// fewest of its conversations, once and for all, as a load balancer does that keeps prompt caches warm.

import type { Clock } from "../../src/base/clock.ts";
import type { GenerationCall, ModelServer, ServerStats } from "./model-server.ts";

/** Contract: `ModelServer`'s. There must be one at least. */
export function serverFarm(servers: readonly ModelServer[], clock: Clock): ModelServer {
  const [first] = servers as readonly [ModelServer, ...ModelServer[]];
  const homes = new Map<string, number>();
  const guests = servers.map(() => 0);
  let startedAt = clock.monotonic();
  const fewest = (): number => {
    const isThere = first.facts.serversFromMs.map((fromMs) => clock.monotonic() - startedAt >= fromMs);
    const least = Math.min(...guests.filter((_, at) => isThere[at] === true));
    return guests.findIndex((many, at) => isThere[at] === true && many === least);
  };
  const at = (server = 0): ModelServer => servers[server] ?? first;
  const homeOf = ({ conversation, server }: GenerationCall): ModelServer => {
    if (server !== undefined) return at(server);
    const home = homes.get(conversation) ?? fewest();
    if (!homes.has(conversation)) guests[home] = (guests[home] ?? 0) + 1;
    homes.set(conversation, home);
    return at(home);
  };
  return {
    facts: first.facts,
    warmUp: async () => {
      for (const each of servers) await each.warmUp();
      startedAt = clock.monotonic();
    },
    generate: (call, signal) => homeOf(call).generate(call, signal),
    load: (model, server) => at(server).load(model),
    unload: (model, server) => at(server).unload(model),
    loaded: (server) => at(server).loaded(),
    stats: () => together(servers.map((each) => each.stats())),
    close: () => {
      for (const each of servers) each.close();
    },
  };
}

/** Busy is the mean of all; the rest adds up. */
function together(stats: readonly ServerStats[]): ServerStats {
  const sum = (of: (each: ServerStats) => number | null): number =>
    stats.reduce((total, each) => total + (of(each) ?? 0), 0);
  return {
    loads: sum(({ loads }) => loads),
    refused: sum(({ refused }) => refused),
    inFlight: sum(({ inFlight }) => inFlight),
    busyMs: sum(({ busyMs }) => busyMs) / stats.length,
    abortedTokens: sum(({ abortedTokens }) => abortedTokens),
  };
}
