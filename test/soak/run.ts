// The soak: `npm run soak -- --minutes 20`. One real server on a SQLite store under a steady load of which 5 % goes wrong;
// every ten seconds it says what it holds. After a warm-up the slope of each quantity is told, and whether it is flat.
// Exit code 1 when something grows. What a short run cannot tell is said to be unknown and counts for nothing. The last
// line is `N passed, N failed`.

import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { loadToken } from "../../src/http/token.ts";
import { Follower } from "../crash/follower.ts";
import { Ledger } from "../crash/ledger.ts";
import { startModelServer } from "../crash/model-server.ts";
import { HURRIED_MS, People } from "../crash/people.ts";
import { makeHome, pause, ServerProcess, type Home } from "../crash/server-process.ts";
import { Dice, streamOf } from "../sim/dice.ts";
import { fill } from "./fill.ts";
import { faultFrom, visit } from "./chaos.ts";
import type { Sample } from "./probe.ts";
import { slopeOf, verdictOf, type Point } from "./slopes.ts";

const PROBE = fileURLToPath(new URL("probe.ts", import.meta.url));
const EVERY_MS = 10_000;
const CHAOS = 0.05;
/** How long a silent model server is waited for: hung generations must not hold every slot. */
const SILENCE_S = 3;
const STEADY_MS = [40, 120] as const;
/** A third of the run, as far as that is enough. People hurry meanwhile, so that what is kept of ended tasks is full. */
const WARM_UP_SHARE = 1 / 3;
/** The store keeps the heads of so many tasks: until then its heap grows, and should. */
const CACHED_TASKS = 4_096;
/** A run that is shorter is for trying it out, and fills nothing. */
const SHORT_MINUTES = 5;
const LONGEST_WARM_UP_MS = 300_000;
const MIB = 1024 ** 2;

interface Full extends Sample {
  readonly databaseBytes: number;
  readonly tasks: number;
  readonly living: number;
}

interface Quantity {
  readonly name: string;
  readonly of: (sample: Full) => number;
  /** More than this an hour is growth; `null` where it is only told. */
  readonly limit: number | null;
}

/** Issue figure: 1 MB an hour. The others may move with the load, and not by it. */
const QUANTITIES: readonly Quantity[] = [
  { name: "RSS, MiB", of: ({ rssBytes }) => rssBytes / MIB, limit: 1 },
  { name: "heap, MiB", of: ({ heapBytes }) => heapBytes / MIB, limit: 1 },
  { name: "buffers, MiB", of: ({ externalBytes }) => externalBytes / MIB, limit: 1 },
  { name: "open files", of: ({ files }) => files, limit: 20 },
  { name: "timers", of: ({ timers }) => timers, limit: 20 },
  { name: "other handles", of: ({ handles }) => handles, limit: 20 },
  { name: "listeners of the process", of: ({ listeners }) => listeners, limit: 0 },
  { name: "abort signals", of: ({ signals }) => signals, limit: 200 },
  { name: "event emitters", of: ({ emitters }) => emitters, limit: 200 },
  { name: "promises", of: ({ promises }) => promises, limit: 2_000 },
  { name: "living tasks", of: ({ living }) => living, limit: null },
  { name: "tasks (the load)", of: ({ tasks }) => tasks, limit: null },
  { name: "database, MiB", of: ({ databaseBytes }) => databaseBytes / MIB, limit: null },
  {
    name: "database, KiB a task",
    of: (each) => each.databaseBytes / 1024 / Math.max(1, each.tasks),
    limit: 1,
  },
];

const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Options {
  readonly minutes: number;
  readonly seed: number;
  /** Tasks that end before it begins. */
  readonly filling: number;
}

async function soak({ minutes, seed, filling }: Options): Promise<number> {
  const chaos = new Dice(streamOf(seed, 0x27d4eb2f));
  let share = 0;
  const models = await startModelServer({ faultOf: () => faultFrom(chaos, share) });
  const home = await makeHome({ modelUrl: models.url, durability: "full", silenceS: SILENCE_S });
  const server = new ServerProcess({ home, life: 1, port: 0, probe: PROBE });
  const complaints = new Set<string>();
  const ledger = new Ledger();
  const stop = new AbortController();
  const follower = new Follower(ledger, (what) => complaints.add(what));
  try {
    const client = await server.client(home);
    if (filling > 0) say(`${filling} small tasks first, which fill the caches…`);
    await fill(client, filling);
    share = CHAOS;
    follower.follow(client);
    let serial = 0;
    const warmAt = performance.now() + warmUpMs(minutes * 60_000);
    const dice = new Dice(streamOf(seed, 0x165667b1));
    const people = new People({
      ledger,
      dice,
      client,
      life: 1,
      house: "soak",
      serial: () => serial++,
      complain: (what) => complaints.add(what),
      pauseMs: () => (performance.now() < warmAt ? HURRIED_MS : STEADY_MS),
    });
    void people.live(stop.signal);
    void keepVisiting(await server.ready, home, { dice: chaos, signal: stop.signal });
    const points = await watch(server, { home, ledger, minutes });
    stop.abort();
    const errors = server.output.split("\n").filter((line) => line.startsWith("error: "));
    return conclude(points, [...complaints, ...errors]);
  } finally {
    stop.abort();
    await follower.leave();
    await server.kill();
    await models.close();
    await home.remove();
  }
}

async function keepVisiting(
  url: string,
  home: Home,
  { dice, signal }: { readonly dice: Dice; readonly signal: AbortSignal },
): Promise<void> {
  const token = (await loadToken({ path: join(home.home, "token") })) ?? "";
  while (!signal.aborted) {
    void visit(url, token, dice);
    await pause(dice.between(100, 1_000));
  }
}

interface Watch {
  readonly home: Home;
  readonly ledger: Ledger;
  readonly minutes: number;
}

async function watch(server: ServerProcess, { home, ledger, minutes }: Watch) {
  const begunAt = performance.now();
  const points: { readonly hours: number; readonly sample: Full }[] = [];
  while (performance.now() - begunAt < minutes * 60_000) {
    await pause(EVERY_MS);
    const held = (await server.probe()) as Sample;
    const sample: Full = {
      ...held,
      databaseBytes: sizeOf(home.database),
      tasks: ledger.shown.size,
      living: ledger.living.size,
    };
    const seconds = (performance.now() - begunAt) / 1000;
    points.push({ hours: seconds / 3600, sample });
    const figures = QUANTITIES.map(({ name, of }) => `${name.split(",")[0]} ${round(of(sample))}`);
    say(`${Math.round(seconds)} s: ${figures.join(", ")}`);
  }
  return points;
}

function warmUpMs(ms: number): number {
  return Math.min(ms * WARM_UP_SHARE, LONGEST_WARM_UP_MS);
}

function sizeOf(database: string): number {
  const size = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return size(database) + size(`${database}-wal`);
}

function conclude(
  points: readonly { readonly hours: number; readonly sample: Full }[],
  problems: readonly string[],
): number {
  const from = warmUpMs((points.at(-1)?.hours ?? 0) * 3_600_000) / 3_600_000;
  const warm = points.filter(({ hours }) => hours >= from);
  const known = warm[0]?.sample.tasks ?? 0;
  if (known < CACHED_TASKS)
    say(
      `After ${known} tasks the store's cache of ${CACHED_TASKS} heads still fills: a longer run shows the heap better.`,
    );
  say(`Slopes an hour, from ${Math.round(from * 3600)} s on, ${warm.length} samples (± is 95 %):`);
  let [passed, failed, unknown] = [0, problems.length, 0];
  for (const { name, of, limit } of QUANTITIES) {
    const line: readonly Point[] = warm.map(({ hours, sample }) => ({ hours, value: of(sample) }));
    const slope = slopeOf(line);
    const verdict = limit === null ? "told" : verdictOf(slope, limit);
    if (verdict === "flat") passed++;
    if (verdict === "grows") failed++;
    if (verdict === "unknown") unknown++;
    const bound = limit === null ? "" : `, at most ${limit}`;
    say(
      `${verdict.padEnd(8)}${name}: ${round(slope.perHour)} ± ${round(slope.margin)}${bound} (mean ${round(slope.mean)})`,
    );
  }
  if (unknown > 0)
    say(`${unknown} cannot be told from so short a run: they scatter more than they may grow.`);
  for (const problem of problems) say(`FAIL     ${problem}`);
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

function round(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(2);
}

const args = process.argv.slice(2);
const numberOf = (flag: string, otherwise: number): number => {
  const at = args.indexOf(flag);
  return at < 0 ? otherwise : Number(args[at + 1]);
};
const [minutes, seed] = [numberOf("--minutes", 3), numberOf("--seed", 1)];
const filling = numberOf("--fill", minutes < SHORT_MINUTES ? 0 : CACHED_TASKS + 100);
if (minutes > 0 && Number.isSafeInteger(seed) && filling >= 0) {
  process.exitCode = await soak({ minutes, seed, filling });
} else {
  process.stderr.write("Usage: npm run soak -- [--minutes N] [--seed N] [--fill TASKS]\n");
  process.exitCode = 2;
}
