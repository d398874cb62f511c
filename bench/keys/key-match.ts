// One run of a key contender on a plan, on a virtual clock, and what came out.
//
// M1. Every turn is served once; a run in which one was not, or in which something is left, has no figures.

import { delay } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { WorldClock } from "../../test/sim/clock.ts";
import { untilOver } from "../scheduler/virtual-time.ts";
import { CloudEndpoint } from "./cloud-endpoint.ts";
import type { KeyContender } from "./key-contenders.ts";
import { agentsOf, type KeyWorkload } from "./key-workload.ts";

const WEEK_MS = 7 * 86_400_000;

export interface KeyOutcome {
  readonly makespan_s: number;
  readonly agent_mean_s: number;
  readonly turns: number;
  /** Requests that were sent and refused. */
  readonly refused: number;
  /** Of keys that can never work: those sent after that could be known. */
  readonly refused_again: number;
  /** What was not as it must be; empty for an exact run. */
  readonly problems: readonly string[];
}

export async function playKeys(
  workload: KeyWorkload,
  contender: KeyContender,
  seed: number,
): Promise<KeyOutcome> {
  const clock = new WorldClock();
  const endpoint = new CloudEndpoint(workload.keys, clock);
  const keys = workload.keys.map((key) => key.name);
  const chooser = contender.open({ clock, random: seededRandom(seed), keys });
  const agents = agentsOf(workload, seed);
  const ends: number[] = [];
  let served = 0;
  const acts = agents.map(async ({ id, turns }) => {
    for (const { serveMs, toolMs } of turns) {
      await chooser.request(id, (key) => endpoint.send(key, serveMs));
      served += 1;
      await delay(clock, toolMs);
    }
    ends.push(clock.monotonic());
  });
  const over = Promise.all(acts).then(() => {});
  const finished = await untilOver(over, { clock, limitMs: WEEK_MS });
  const stats = endpoint.stats();
  const turns = agents.reduce((sum, agent) => sum + agent.turns.length, 0);
  const problems = [
    ...(finished ? [] : [`deadlock: ${agents.length - ends.length} agents can never end`]),
    ...(served === turns && stats.served === turns ? [] : [`${stats.served} served for ${turns} turns`]),
    ...(chooser.held() === 0 ? [] : [`${chooser.held()} keys are still lent or waited for`]),
    ...(stats.inFlight === 0 ? [] : [`${stats.inFlight} requests are left at the endpoint`]),
  ];
  chooser.close();
  return {
    makespan_s: Math.max(0, ...ends) / 1_000,
    agent_mean_s: ends.reduce((total, end) => total + end, 0) / Math.max(1, ends.length) / 1_000,
    turns,
    refused: [...stats.refused.values()].reduce((total, refused) => total + refused, 0),
    refused_again: stats.refusedAgain,
    problems,
  };
}
