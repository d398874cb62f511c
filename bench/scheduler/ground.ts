// Where contenders meet: a fresh simulated server on a virtual clock for each run, or a person's own Ollama on the
// machine's clock.

import { delay, systemClock, type Clock } from "../../src/base/clock.ts";
import { InvalidRequestError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { ollama } from "../../providers/ollama.ts";
import { WorldClock } from "../../test/sim/clock.ts";
import { boundsOf, type Bounds } from "./bounds.ts";
import type { ModelServer } from "./model-server.ts";
import type { Plan } from "./plan.ts";
import { probeServer, RealServer } from "./real-server.ts";
import { simulatedServer } from "./simulated-server.ts";
import type { Strategy } from "./strategy.ts";
import { untilOver } from "./virtual-time.ts";
import type { Workload } from "./workload.ts";

/** A play that takes so many times its lower bound, and a day more, is taken for a deadlock. */
const HOPELESS = 50;
const DAY_MS = 86_400_000;
/** How much of a real model's context a plan fills: words are counted by an average. */
const PLANNED_SHARE = 0.75;
/** A run on a person's own server that takes longer is given up. */
const LONGEST_REAL_MS = 3_600_000;

export interface Stage {
  readonly server: ModelServer;
  readonly clock: Clock;
  /** `null` where nobody knows the rates of the server. */
  readonly bounds: Bounds | null;
  readonly until: (over: Promise<void>) => Promise<boolean>;
}

export interface Ground {
  stage(plan: Plan, strategy: Strategy): Stage;
}

export const simulatedGround: Ground = {
  stage: (plan, strategy) => {
    const { workload, seed } = plan;
    const clock = new WorldClock();
    const namesKeepAlive = workload.keep_alive_in_requests && strategy.namesKeepAlive;
    const server = simulatedServer(workload, { clock, random: seededRandom(seed), namesKeepAlive });
    const bounds = boundsOf(plan, server.facts);
    const limitMs = HOPELESS * bounds.makespanMs + DAY_MS;
    return { server, clock, bounds, until: (over) => untilOver(over, { clock, limitMs }) };
  },
};

export interface RealGround {
  readonly ground: Ground;
  /** The workload with the models that are there, in place of its own. */
  readonly workload: Workload;
}

/** Contract: rejects with what the server says of a model that it does not have, or when nobody answers. */
export async function realGround(
  workload: Workload,
  { url, models: names }: { readonly url: string; readonly models: readonly string[] },
): Promise<RealGround> {
  const clock = systemClock;
  const provider = ollama({ baseUrl: url, fetch, clock });
  const trained = await Promise.all(
    names.map((name) =>
      provider.describe(name, new AbortController().signal).then((model) => model.contextTokens),
    ),
  );
  const models = names.map((name, at) => {
    const like = workload.models[at];
    if (like !== undefined) {
      return {
        ...like,
        name,
        context_tokens: Math.min(like.context_tokens, trained[at] ?? like.context_tokens),
      };
    }
    throw new InvalidRequestError(
      "too_many_models",
      `Expected at most ${workload.models.length} models for ${workload.name}, got ${names.length}; name another --workload.`,
    );
  });
  // One context for all, and room in it for what a template adds.
  const contextTokens = Math.min(...models.map((model) => model.context_tokens));
  const planned = models.map((model) => ({
    ...model,
    context_tokens: Math.floor(contextTokens * PLANNED_SHARE),
  }));
  const { np, prefill_tokens_per_s: coldPrefillTokensPerS } = workload.box;
  const probe = await probeServer(provider, { models: names, np, contextTokens, coldPrefillTokensPerS });
  const until = async (over: Promise<void>): Promise<boolean> => {
    const enough = new AbortController();
    const late = delay(clock, LONGEST_REAL_MS, enough.signal).then(() => false);
    late.catch(() => {});
    try {
      return await Promise.race([over.then(() => true), late]);
    } finally {
      enough.abort();
    }
  };
  return {
    workload: { ...workload, models: planned as Workload["models"] },
    ground: {
      stage: () => ({ server: new RealServer({ provider, clock, probe }), clock, bounds: null, until }),
    },
  };
}
