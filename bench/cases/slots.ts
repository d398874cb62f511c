// The slots: 300 stub tasks of 15 ms at a cap of 3, as whole tasks of Troupe, as its machine alone (the bound: with nothing
// around it), and as bare jobs in p-queue. The ideal is computed from what the stubs really took, so that a late timer is
// not charged to any of them.

import { delay, systemClock } from "../../src/base/clock.ts";
import { say, type Step } from "../../providers/script.ts";
import { compare } from "../harness.ts";
import type { Bench, BenchReport, Check } from "../report.ts";
import { benchRig } from "../rig.ts";
import { newPQueue } from "../rivals.ts";
import { runMachines } from "../slots/machine-alone.ts";
import { median, percentile } from "../statistics.ts";

const TASKS = 300;
const STUB_MS = 15;
const CAP = 3;

/** One stub that ran, by the machine's monotonic clock. */
interface Stub {
  readonly start: number;
  readonly end: number;
}

interface Outcome {
  readonly makespanMs: number;
  readonly stubs: readonly Stub[];
  /** What was not as it must be; empty for an exact run. */
  readonly problems: readonly string[];
}

/** Resolves when its time is over; what its reader does meanwhile takes none of it, as with a server elsewhere. */
async function stub(stubs: Stub[]): Promise<void> {
  const start = systemClock.monotonic();
  await delay(systemClock, STUB_MS);
  stubs.push({ start, end: systemClock.monotonic() });
}

async function onTroupe(): Promise<Outcome> {
  const stubs: Stub[] = [];
  async function* reply(): AsyncGenerator<Step> {
    const over = stub(stubs);
    yield say("done");
    await over;
  }
  // One live place more than slots, as the default config has it: who is next stands ready.
  const rig = benchRig({ reply, slots: CAP, maxChildren: CAP + 1 });
  const start = systemClock.monotonic();
  // One after the other, as a caller that has its answer before it asks again; nothing waits for a stub.
  const ids: string[] = [];
  for (let at = 0; at < TASKS; at += 1) ids.push((await rig.api.delegate({ goal: `stub ${at}` })).taskId);
  await Promise.all(ids.map((id) => rig.api.collect(id)));
  const makespanMs = systemClock.monotonic() - start;
  const ends = await rig.store.events({ after: 0, types: ["task.done", "task.failed", "task.cancelled"] });
  const counts = rig.runtime.counts();
  await rig.close();
  const problems: string[] = [];
  const done = ends.filter((event) => event.type === "task.done");
  if (
    ends.length !== TASKS ||
    done.length !== TASKS ||
    new Set(ends.map((event) => event.taskId)).size !== TASKS
  )
    problems.push(`${ends.length} ends of which ${done.length} done for ${TASKS} tasks`);
  if (stubs.length !== TASKS) problems.push(`${stubs.length} generations for ${TASKS} tasks`);
  if (Object.values(counts).some((count) => count !== 0)) problems.push(`left: ${JSON.stringify(counts)}`);
  return { makespanMs, stubs, problems };
}

async function onPQueue(): Promise<Outcome> {
  const stubs: Stub[] = [];
  const queue = await newPQueue(CAP);
  const start = systemClock.monotonic();
  await Promise.all(Array.from({ length: TASKS }, () => queue.add(() => stub(stubs))));
  const makespanMs = systemClock.monotonic() - start;
  return { makespanMs, stubs, problems: stubs.length === TASKS ? [] : [`${stubs.length} stubs`] };
}

async function onMachinesAlone(): Promise<Outcome> {
  const stubs: Stub[] = [];
  const start = systemClock.monotonic();
  const done = await runMachines({ tasks: TASKS, cap: CAP, work: () => stub(stubs) });
  const makespanMs = systemClock.monotonic() - start;
  return { makespanMs, stubs, problems: done === TASKS ? [] : [`${done} of ${TASKS} machines ended done`] };
}

/** Makespan over what the same stubs would take if the slots were never empty. */
function overIdeal({ makespanMs, stubs }: Outcome): number {
  const workMs = stubs.reduce((sum, { start, end }) => sum + (end - start), 0);
  return makespanMs / (workMs / CAP);
}

/** From a slot's release to the start that it allowed: the k-th start waits for the end CAP before it. */
function handovers(stubs: readonly Stub[]): readonly number[] {
  const starts = stubs.map((each) => each.start).toSorted((a, b) => a - b);
  const ends = stubs.map((each) => each.end).toSorted((a, b) => a - b);
  return starts.slice(CAP).map((start, at) => start - (ends[at] as number));
}

function mostAtOnce(stubs: readonly Stub[]): number {
  const moves = stubs.flatMap(({ start, end }) => [
    { at: start, by: 1 },
    { at: end, by: -1 },
  ]);
  let [now, most] = [0, 0];
  for (const { by } of moves.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    now += by;
    most = Math.max(most, now);
  }
  return most;
}

export const bench: Bench = {
  summary: `makespan of ${TASKS} stub tasks at cap ${CAP}, and slot free → next start, beside p-queue`,
  async run({ quick }) {
    const outcomes = new Map<string, Outcome[]>([
      ["troupe", []],
      ["machine alone", []],
      ["p-queue", []],
    ]);
    const contender = (name: string, run: () => Promise<Outcome>) => ({
      name,
      run: async () => {
        const outcome = await run();
        outcomes.get(name)?.push(outcome);
        return overIdeal(outcome);
      },
    });
    const rounds = quick ? 3 : 12;
    const contenders = [
      contender("troupe", onTroupe),
      contender("machine alone", onMachinesAlone),
      contender("p-queue", onPQueue),
    ];
    const results = await compare(contenders, { rounds });
    return report(results, (name) => (outcomes.get(name) ?? []).slice(-rounds));
  },
};

function report(
  results: Awaited<ReturnType<typeof compare>>,
  of: (name: string) => readonly Outcome[],
): BenchReport {
  const [troupe, alone, rival] = results;
  const gaps = (name: string): readonly number[] => of(name).flatMap(({ stubs }) => handovers(stubs));
  const every = ["troupe", "machine alone", "p-queue"].flatMap(of);
  const most = Math.max(...every.map(({ stubs }) => mostAtOnce(stubs)));
  const problems = every.flatMap((outcome) => outcome.problems);
  const checks: readonly Check[] = [
    {
      name: "every task ended exactly once, done",
      holds: problems.length === 0,
      detail: problems[0] ?? "all",
    },
    { name: `never more than ${CAP} stubs at once`, holds: most <= CAP, detail: `most ${most}` },
  ];
  const line = (name: string, samples: readonly number[]): string =>
    `${name.padEnd(13)} makespan ÷ ideal median ${median(samples).toFixed(4)}, worst ${percentile(samples, 1).toFixed(4)}; ` +
    `slot free → next start p50 ${median(gaps(name)).toFixed(3)} ms, p99 ${percentile(gaps(name), 0.99).toFixed(3)} ms`;
  return {
    name: "slots",
    measured: `${TASKS} tasks of ${STUB_MS} ms at cap ${CAP}: first delegate to last result, over the sum of the measured stubs ÷ ${CAP}`,
    notMeasured: [
      "a model server: the stub is a timer in this process",
      "durability: the store is in memory",
      "like with like: a task of Troupe has events, a transcript and a result, a p-queue job is a function call",
    ],
    checks,
    claims: [
      {
        name: "makespan ÷ (sum of measured stubs ÷ 3), median of rounds",
        value: troupe?.median ?? Number.NaN,
        limit: 1.02,
        bound: "at_most",
      },
      {
        name: "slot free → next start p99, ms",
        value: percentile(gaps("troupe"), 0.99),
        limit: 1,
        bound: "at_most",
      },
    ],
    lines: results.map(({ name, samples }) => line(name, samples)),
    figures: {
      results,
      ratio_to_p_queue: troupe && rival ? troupe.median / rival.median : null,
      ratio_of_the_machine_alone_to_p_queue: alone && rival ? alone.median / rival.median : null,
      handover_ms: {
        troupe: gaps("troupe"),
        machine_alone: gaps("machine alone"),
        p_queue: gaps("p-queue"),
      },
    },
  };
}
