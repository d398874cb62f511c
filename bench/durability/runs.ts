// Overhead of one agent run whose model answers at once: a task of Troupe on a durable store from `delegate` to the
// collected result, and the invoke of a LangGraph of one node with its memory saver. The same words are the answer of both.

import { systemClock } from "../../src/base/clock.ts";
import { say } from "../../providers/script.ts";
import { compare } from "../harness.ts";
import { benchRig } from "../rig.ts";
import { newOneNodeGraph } from "../rivals.ts";
import { median } from "../statistics.ts";
import { openStore, withDatabase, type SyncMode } from "./files.ts";
import { atMost, exact, type Part } from "./part.ts";

const ANSWER = "Nothing has changed since spring.";
const NAMES = ["LangGraph", "Troupe, normal", "Troupe, full"] as const;
type Name = (typeof NAMES)[number];

interface Load {
  readonly atOnce: number;
  readonly runs: number;
}

interface Outcome {
  /** Milliseconds of the whole over its runs. */
  readonly each: number;
  /** What the processor worked for each of them. */
  readonly cpuEach: number;
  readonly problems: readonly string[];
}

/** So many at once; each begins when one before it has answered. Returns milliseconds for each run. */
async function timed(
  { atOnce, runs }: Load,
  run: (nth: number) => Promise<void>,
): Promise<Pick<Outcome, "each" | "cpuEach">> {
  let nth = 0;
  const line = async (): Promise<void> => {
    while (nth < runs) await run(nth++);
  };
  const cpu = process.cpuUsage();
  const start = systemClock.monotonic();
  await Promise.all(Array.from({ length: atOnce }, line));
  const each = (systemClock.monotonic() - start) / runs;
  const { user, system } = process.cpuUsage(cpu);
  return { each, cpuEach: (user + system) / 1_000 / runs };
}

function onTroupe(load: Load, mode: SyncMode): Promise<Outcome> {
  return withDatabase(async (path) => {
    const store = openStore(path, mode);
    const rig = benchRig({
      reply: () => [say(ANSWER)],
      slots: load.atOnce,
      maxChildren: load.atOnce + 1,
      store,
    });
    const right = new Set<string>();
    const took = await timed(load, async (nth) => {
      const { taskId } = await rig.api.delegate({ goal: `run ${nth}` });
      const { result } = await rig.api.collect(taskId);
      if (result === ANSWER) right.add(taskId);
    });
    const ends = await store.events({ after: 0, types: ["task.done", "task.failed", "task.cancelled"] });
    const counts = rig.runtime.counts();
    await rig.close();
    const problems: string[] = [];
    if (right.size !== load.runs || ends.length !== load.runs)
      problems.push(`${right.size} right results and ${ends.length} ends for ${load.runs} runs`);
    if (Object.values(counts).some((count) => count !== 0)) problems.push(`left: ${JSON.stringify(counts)}`);
    return { ...took, problems };
  });
}

async function onLangGraph(load: Load): Promise<Outcome> {
  const graph = await newOneNodeGraph(() => Promise.resolve(ANSWER));
  let right = 0;
  const took = await timed(load, async (nth) => {
    const { answer } = await graph.invoke({ goal: `run ${nth}` }, `thread ${nth}`);
    if (answer === ANSWER) right += 1;
  });
  const isExact = right === load.runs && graph.threads() === load.runs;
  return { ...took, problems: isExact ? [] : [`${right} right results, ${graph.threads()} threads kept`] };
}

interface Compared {
  readonly load: Load;
  readonly ms: Readonly<Record<Name, number>>;
  readonly cpuMs: Readonly<Record<Name, number>>;
  /** Over LangGraph, median of rounds. */
  readonly ratio: Readonly<Record<Name, number>>;
  readonly problems: readonly string[];
}

async function compareAt(load: Load, rounds: number): Promise<Compared> {
  const problems: string[] = [];
  const cpu: Readonly<Record<Name, number[]>> = { LangGraph: [], "Troupe, normal": [], "Troupe, full": [] };
  const runs: Readonly<Record<Name, () => Promise<Outcome>>> = {
    LangGraph: () => onLangGraph(load),
    "Troupe, normal": () => onTroupe(load, "normal"),
    "Troupe, full": () => onTroupe(load, "full"),
  };
  const contenders = NAMES.map((name) => ({
    name,
    run: async () => {
      const outcome = await runs[name]();
      problems.push(...outcome.problems);
      cpu[name].push(outcome.cpuEach);
      return outcome.each;
    },
  }));
  const results = await compare(contenders, { rounds, warmup: 2 });
  const of = (name: Name) => results.find((result) => result.name === name);
  const figure = (key: "median" | "ratio"): Readonly<Record<Name, number>> => ({
    LangGraph: of("LangGraph")?.[key] ?? Number.NaN,
    "Troupe, normal": of("Troupe, normal")?.[key] ?? Number.NaN,
    "Troupe, full": of("Troupe, full")?.[key] ?? Number.NaN,
  });
  // Without the rounds that warm up.
  const cpuOf = (name: Name): number => median(cpu[name].slice(-rounds));
  const cpuMs = {
    LangGraph: cpuOf("LangGraph"),
    "Troupe, normal": cpuOf("Troupe, normal"),
    "Troupe, full": cpuOf("Troupe, full"),
  };
  return { load, ms: figure("median"), cpuMs, ratio: figure("ratio"), problems };
}

const who = ({ atOnce }: Load): string => (atOnce === 1 ? "one at a time" : `${atOnce} at once`);

/** Whole runs on a durable store beside LangGraph with its memory saver. */
export async function runsPart(quick: boolean): Promise<Part> {
  const loads: readonly Load[] = [
    { atOnce: 1, runs: quick ? 100 : 300 },
    { atOnce: 50, runs: quick ? 300 : 1_000 },
  ];
  const all: Compared[] = [];
  for (const load of loads) all.push(await compareAt(load, quick ? 3 : 10));
  const ours = ["Troupe, normal", "Troupe, full"] as const;
  return {
    claims: all.flatMap(({ load, ms, ratio }) =>
      ours.flatMap((name) => [
        atMost(`overhead of a run, ${name}, ${who(load)}: ms`, ms[name], 0.8),
        atMost(`overhead of a run, ${name}, ${who(load)}: over LangGraph`, ratio[name], 0.5),
      ]),
    ),
    checks: [
      exact(
        "every run ended once with the right answer, nothing held",
        all.flatMap(({ problems }) => problems),
      ),
    ],
    lines: all.map(({ load, ms, cpuMs }) => {
      const each = NAMES.map(
        (name) => `${name} ${ms[name].toFixed(3)} ms (processor ${cpuMs[name].toFixed(3)} ms)`,
      );
      return `${who(load).padEnd(14)} ${each.join(", ")}`;
    }),
    figures: { runs: all },
    notMeasured: [
      "runs: a run of Troupe is accepted, claimed, queued, admitted, leased, generated, recorded event by event, ended, released and collected, on disk; a run of LangGraph is one invoke with its checkpoints in memory: no queue, no lease, nothing on disk",
    ],
  };
}
