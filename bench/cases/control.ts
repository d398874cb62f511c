// The control of the harness: the same work under two names must come out equal, or no figure of this machine at
// this moment means anything. Says nothing about Troupe.

import { compare } from "../harness.ts";
import type { Bench } from "../report.ts";
import { newPQueue } from "../rivals.ts";

const JOBS = 2000;

async function drain(): Promise<void> {
  const queue = await newPQueue(3);
  for (let job = 0; job < JOBS; job += 1) void queue.add(() => Promise.resolve(job));
  await queue.onIdle();
}

export const bench: Bench = {
  summary: "A against A: whether this machine is quiet enough to compare anything",
  async run({ quick }) {
    const contenders = ["a", "a again"].map((name) => ({ name, run: drain }));
    const results = await compare(contenders, { rounds: quick ? 10 : 60, warmup: 4 });
    const ratio = results[1]?.ratio ?? Number.NaN;
    return {
      name: "control",
      measured: `${JOBS} empty jobs through p-queue at cap 3, the same code twice`,
      notMeasured: ["anything of Troupe"],
      claims: [
        {
          name: "the slower name over the faster",
          value: Math.max(ratio, 1 / ratio),
          limit: 1.05,
          bound: "at_most",
        },
      ],
      lines: results.map(
        ({ name, median, p99 }) => `${name}: median ${median.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`,
      ),
      figures: { results },
    };
  },
};
