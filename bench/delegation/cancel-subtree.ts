// Cancel of a tree of 100 tasks that all generate at once, each on a socket of its own to a server that never ends: how
// long until every task has its end in the store, every socket is closed as the server sees it, and all is given back.

import { systemClock } from "../../src/base/clock.ts";
import type { Troupe } from "../../src/compose.ts";
import { summarize, type Summary } from "../statistics.ts";
import { troupeOn } from "./boxes.ts";
import { startStuckServer, type StuckServer } from "./stuck-server.ts";

/** 1 + 9 + 90. */
const TREE = { branches: 9, leaves: 10 } as const;
export const TREE_TASKS = 1 + TREE.branches + TREE.branches * TREE.leaves;

export interface Cancelled {
  /** Milliseconds from the call to the last of ends, sockets and leases. */
  readonly all: Summary;
  /** Milliseconds until the call itself returned. */
  readonly call: Summary;
  readonly problems: readonly string[];
}

export async function cancelSubtree(rounds: number): Promise<Cancelled> {
  const server = await startStuckServer();
  const troupe = await troupeOn({
    url: server.url,
    model: "sim-orchestrator",
    slots: TREE_TASKS,
    maxChildren: TREE_TASKS,
  });
  const [all, call]: [number[], number[]] = [[], []];
  const problems: string[] = [];
  try {
    for (let round = -2; round < rounds; round += 1) {
      const outcome = await cancelOnce(troupe, server);
      problems.push(...outcome.problems);
      if (round < 0) continue;
      all.push(outcome.allMs);
      call.push(outcome.callMs);
    }
  } finally {
    await troupe.close();
    await server.close();
  }
  return { all: summarize(all), call: summarize(call), problems };
}

async function cancelOnce({ api, runtime }: Troupe, server: StuckServer) {
  const ids = await plant(api);
  await server.reached(TREE_TASKS);
  const ends = Promise.all(ids.map((id) => api.collect(id)));
  const start = systemClock.monotonic();
  const receipt = await api.cancel(ids[0] as string);
  const callMs = systemClock.monotonic() - start;
  const [results] = await Promise.all([ends, server.reached(0)]);
  while (Object.values(runtime.counts()).some((count) => count !== 0)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const allMs = systemClock.monotonic() - start;
  const problems: string[] = [];
  if (receipt.cancelled.length !== TREE_TASKS) problems.push(`${receipt.cancelled.length} tasks were marked`);
  const cancelled = results.filter((result) => result.state === "cancelled").length;
  if (cancelled !== TREE_TASKS) problems.push(`${cancelled} of ${TREE_TASKS} were cancelled`);
  if (server.open !== 0) problems.push(`${server.open} sockets are open`);
  return { allMs, callMs, problems };
}

async function plant(api: Troupe["api"]): Promise<readonly string[]> {
  const delegate = async (goal: string, parentId?: string): Promise<string> => {
    const role = parentId === undefined || goal.startsWith("branch") ? "orchestrator" : "leaf";
    return (await api.delegate({ goal, role, ...(parentId !== undefined && { parentId }) })).taskId;
  };
  const root = await delegate("root");
  const ids = [root];
  for (let branch = 0; branch < TREE.branches; branch += 1) {
    const id = await delegate(`branch ${branch}`, root);
    ids.push(id);
    for (let leaf = 0; leaf < TREE.leaves; leaf += 1) ids.push(await delegate(`leaf ${branch}.${leaf}`, id));
  }
  return ids;
}
