// Recovery: a database that a killed server left, with up to 10,000 open tasks, is opened and taken up. The growth comes
// from warm runs in this process, so that loading code does not flatten it; the time of 10,000 from cold processes too.

import { growth } from "../harness.ts";
import { median } from "../statistics.ts";
import { inChild } from "./child-process.ts";
import { copyDatabase, withDatabase } from "./files.ts";
import { recoverOpenTasks, type Recovered } from "./open-tasks.ts";
import { atMost, exact, type Part } from "./part.ts";

const SIZES = [100, 300, 1_000, 3_000, 10_000] as const;
const LARGEST = 10_000;

const wholeMs = ({ openMs, recoverMs }: Recovered): number => openMs + recoverMs;

/** Recovery of a database as a crash left it: each time of a copy. */
function recovered(path: string, take: (copy: string) => Promise<Recovered>): Promise<Recovered> {
  return withDatabase((copy) => {
    copyDatabase(path, copy);
    return take(copy);
  });
}

/** Calls `work` when there is a prepared database for each size, by its path. */
async function withPrepared<T>(
  sizes: readonly number[],
  work: (paths: ReadonlyMap<number, string>) => Promise<T>,
  paths: ReadonlyMap<number, string> = new Map(),
): Promise<T> {
  const [size, ...rest] = sizes;
  if (size === undefined) return work(paths);
  return withDatabase(async (path) => {
    await inChild("prepare", path, size);
    return withPrepared(rest, work, new Map([...paths, [size, path]]));
  });
}

interface Runs {
  readonly warm: Map<number, Recovered[]>;
  readonly cold: readonly Recovered[];
  readonly exponent: number;
  readonly margin: number;
}

function measure(quick: boolean): Promise<Runs> {
  return withPrepared(SIZES, async (paths) => {
    const warm = new Map<number, Recovered[]>(SIZES.map((size) => [size, []]));
    const run = async (size: number): Promise<number> => {
      globalThis.gc?.();
      const each = await recovered(paths.get(size) ?? "", (copy) => recoverOpenTasks(copy, size));
      warm.get(size)?.push(each);
      return wholeMs(each);
    };
    const [fit] = await growth([{ name: "recover", run }], { sizes: SIZES, rounds: quick ? 2 : 7 });
    const cold: Recovered[] = [];
    for (let round = 0; round < (quick ? 2 : 5); round += 1)
      cold.push(
        await recovered(
          paths.get(LARGEST) ?? "",
          async (copy) => (await inChild("recover", copy, LARGEST)) as Recovered,
        ),
      );
    // The first round is the warm-up.
    for (const runs of warm.values()) runs.shift();
    return { warm, cold, exponent: fit?.exponent ?? Number.NaN, margin: fit?.margin ?? Number.NaN };
  });
}

function line(name: string, runs: readonly Recovered[]): string {
  const ms = (figure: (each: Recovered) => number): string => median(runs.map(figure)).toFixed(1);
  return (
    `recovery ${name}: open ${ms((each) => each.openMs)} ms, recover ${ms((each) => each.recoverMs)} ms (processor ${ms((each) => each.cpuMs)} ms), ` +
    `first turn ${ms((each) => each.firstTurnMs)} ms after it, all slots ${ms((each) => each.allSlotsMs)} ms after it`
  );
}

/** Open tasks taken up by the next server. */
export async function recoveryPart(quick: boolean): Promise<Part> {
  const { warm, cold, exponent, margin } = await measure(quick);
  const every = [...[...warm.values()].flat(), ...cold];
  return {
    claims: [
      atMost(
        `recovery of ${LARGEST} open tasks, cold process: open and recover, ms`,
        median(cold.map(wholeMs)),
        1_000,
      ),
      atMost("recovery: power of the total over open tasks", exponent, 1.05),
      atMost(
        "the first turn after recovery: ms after `recover` has resolved",
        median(cold.map(({ firstTurnMs }) => firstTurnMs)),
        50,
      ),
    ],
    checks: [
      exact(
        "every open task lives again, none ended, as many generations as slots",
        every.flatMap(({ problems }) => problems),
      ),
    ],
    lines: [
      ...[...warm].map(([size, runs]) => line(`of ${size}, warm`, runs)),
      line(`of ${LARGEST}, cold`, cold),
      `recovery ^${exponent.toFixed(3)} ± ${margin.toFixed(3)}`,
    ],
    figures: { recovery: { exponent, margin, warm: Object.fromEntries(warm), cold } },
    notMeasured: [
      "recovery: starting the process and asking the model servers what they have; long transcripts, which are read when their task goes on",
    ],
  };
}
