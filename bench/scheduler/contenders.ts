// Who runs, in the order of the tables: Troupe first.

import { llamaSwap } from "./peers/llama-swap.ts";
import { direct, perParent, pQueue, priority, roundRobin, semaphore } from "./peers/simple.ts";
import type { Strategy } from "./strategy.ts";
import { troupe, troupeAtSpawn, troupeAuto } from "./troupe.ts";
import type { Workload } from "./workload.ts";

const CONTENDERS: readonly Strategy[] = [
  troupe,
  troupeAuto,
  direct,
  semaphore,
  perParent,
  pQueue,
  llamaSwap,
  priority,
  roundRobin,
];

export function contendersFor({ box }: Workload): readonly Strategy[] {
  return box.servers_from_s.length > 1 ? [...CONTENDERS, troupeAtSpawn] : CONTENDERS;
}

/** Who runs on a person's own server, where a run takes as long as it takes. */
export const FEW_CONTENDERS: readonly Strategy[] = [troupe, direct, semaphore, perParent, pQueue, llamaSwap];
