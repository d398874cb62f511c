// The promise itself: a conversation is never held by its children. How long its calls take beside 300 stuck ones, how
// long a person waits for the first word on a busy server, how fast a whole subtree lets go, and for the record what
// blocking and async delegation feel like.

import { blocked, BLOCKING_TOOLS, type Blocked } from "../delegation/blocked.ts";
import { cancelSubtree, TREE_TASKS, type Cancelled } from "../delegation/cancel-subtree.ts";
import { firstToken, type FirstToken } from "../delegation/first-token.ts";
import { perceived, SCALE, type Perceived } from "../delegation/perceived.ts";
import type { Bench, BenchReport, Claim } from "../report.ts";

/** What may come on top of patience and the model's own time, in milliseconds. */
const SLACK_MS = 100;

interface Measured {
  readonly calls: Blocked;
  readonly felt: Perceived;
  readonly waits: readonly (FirstToken & { readonly on: string })[];
  readonly cancels: Cancelled;
}

export const bench: Bench = {
  summary:
    "what delegation calls, a busy server and a cancel cost the conversation [--ollama URL --model NAME]",
  async run({ quick, ollama }) {
    const calls = await blocked(quick ? 200 : 2_000);
    const felt = await perceived();
    const waits: Measured["waits"][number][] = [];
    const servers = ollama === null ? [null] : [null, ollama];
    for (const server of servers) {
      const on = server === null ? "simulated box" : `Ollama, ${server.model}`;
      for (const [patienceS, rounds] of quick ? [[0.5, 3] as const] : [[0.5, 20] as const, [5, 3] as const]) {
        waits.push({ on, ...(await firstToken({ patienceS, rounds, ollama: server })) });
      }
    }
    const cancels = await cancelSubtree(quick ? 10 : 100);
    return report({ calls, felt, waits, cancels });
  },
};

function report(measured: Measured): BenchReport {
  const { calls, felt, waits, cancels } = measured;
  const problems = [calls, felt, ...waits, cancels].flatMap((each) => each.problems);
  return {
    name: "delegation",
    measured: "milliseconds that a conversation is held by its calls, by a busy server and by a cancel",
    notMeasured: [
      "durability: the store is in memory",
      "HTTP: calls and streams are made in this process; model servers are behind sockets",
      "a child's own work: stuck children hang at their first token, simulated ones write by rule",
      `the source's seconds: children and turns are ${SCALE} times shorter than the figures that it claims`,
    ],
    checks: [
      {
        name: "stuck children live on, every other end came once, every steer has its receipt, nothing is left",
        holds: problems.length === 0,
        detail: problems[0] ?? "all",
      },
    ],
    claims: claimsOf(measured),
    lines: linesOf(measured),
    figures: { ...measured, blocking_over_async: felt.blockingMs / felt.asyncMs },
  };
}

function claimsOf({ calls, waits, cancels }: Measured): readonly Claim[] {
  const most = (name: string, value: number, limit: number): Claim => ({
    name,
    value,
    limit,
    bound: "at_most",
  });
  return [
    ...BLOCKING_TOOLS.map((tool) =>
      most(`${tool} beside 300 stuck children, p99 ms`, calls.tools[tool].p99, 5),
    ),
    ...waits.map(({ on, patienceMs, excessMs }) =>
      most(
        `first token on a busy slot of the ${on}, patience ${patienceMs} ms: worst wait less patience and the model's own time, ms`,
        Math.max(...excessMs),
        SLACK_MS,
      ),
    ),
    most(`cancel of ${TREE_TASKS} generating tasks until all is given back, p99 ms`, cancels.all.p99, 100),
  ];
}

function linesOf({ calls, felt, waits, cancels }: Measured): readonly string[] {
  return [
    ...BLOCKING_TOOLS.map((tool) => {
      const { median, p99, max } = calls.tools[tool];
      return `${tool.padEnd(19)} p50 ${median.toFixed(3)} ms, p99 ${p99.toFixed(3)}, max ${max.toFixed(3)}`;
    }),
    ...waits.map(
      ({ on, patienceMs, ownMs, busyMs }) =>
        `first token, ${on}: own ${ownMs.toFixed(0)} ms; busy, patience ${patienceMs}: ${busyMs.map((ms) => ms.toFixed(0)).join(", ")} ms`,
    ),
    `cancel: call p50 ${cancels.call.median.toFixed(1)} ms; all given back p50 ${cancels.all.median.toFixed(1)}, p99 ${cancels.all.p99.toFixed(1)} ms`,
    `for the record, 1:${SCALE}: blocking delegation answers after ${felt.blockingMs.toFixed(0)} ms, async after ${felt.asyncMs.toFixed(0)} ms (${(felt.blockingMs / felt.asyncMs).toFixed(0)} ×); the source text claims 211 s and under 4 s`,
  ];
}
