// A durable spawn until it is acknowledged: the whole `delegate` of the runtime, the store's `submit` alone, and the same
// rows by node:sqlite with a group commit of ten lines. The box is paused: tasks are taken, hosted and queued, none
// begins.

import { systemClock } from "../../src/base/clock.ts";
import { newId, systemRandom } from "../../src/base/ids.ts";
import type { NewEvent } from "../../src/core/event.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { hang } from "../../providers/script.ts";
import { compare } from "../harness.ts";
import { benchRig, type BenchRig } from "../rig.ts";
import { medianRatio, percentile } from "../statistics.ts";
import { SYNC_MODES, look, numberOf, openStore, withDatabase, type SyncMode } from "./files.ts";
import { atMost, exact, type Part } from "./part.ts";
import { RawDatabase, templateOf, type Template } from "./raw.ts";

const GOAL =
  "Read the three newest reports of the station, and say in five lines what has changed since spring.";
const NAMES = ["delegate", "store.submit", "raw group commit"] as const;
type Name = (typeof NAMES)[number];

interface Load {
  readonly mode: SyncMode;
  readonly writers: number;
  /** Acknowledged spawns of one run. */
  readonly spawns: number;
}

/** Each writer asks again when it has its answer. Returns the milliseconds of every answer. */
async function latencies(load: Load, spawn: (nth: number) => Promise<unknown>): Promise<readonly number[]> {
  const all: number[] = [];
  let nth = 0;
  const writer = async (): Promise<void> => {
    while (nth < load.spawns) {
      const start = systemClock.monotonic();
      await spawn(nth++);
      all.push(systemClock.monotonic() - start);
    }
  };
  await Promise.all(Array.from({ length: load.writers }, writer));
  return all;
}

interface Outcome {
  readonly samples: readonly number[];
  readonly problems: readonly string[];
}

/** Everything that was acknowledged is in the file, once, when another opens it. */
function problemsOf(path: string, load: Load, ids: ReadonlySet<string>): readonly string[] {
  const { spawns } = load;
  const problems: string[] = [];
  look(path, (db) => {
    const found = db
      .prepare("SELECT id FROM tasks")
      .all()
      .map(({ id }) => String(id));
    const kept = found.filter((id) => ids.has(id)).length;
    if (found.length !== spawns || ids.size !== spawns || kept !== spawns)
      problems.push(
        `${kept} of ${ids.size} acknowledged ids among ${found.length} rows, for ${spawns} spawns`,
      );
    const events = numberOf(db, "SELECT count(*) FROM events");
    if (events < spawns) problems.push(`${events} events for ${spawns} spawns`);
  });
  return problems;
}

async function pausedRig(path: string, mode: SyncMode): Promise<BenchRig> {
  const rig = benchRig({ reply: () => [hang()], slots: 1, store: openStore(path, mode) });
  await rig.api.pause(true);
  return rig;
}

function byDelegate(load: Load): Promise<Outcome> {
  return withDatabase(async (path) => {
    const rig = await pausedRig(path, load.mode);
    const ids = new Set<string>();
    const samples = await latencies(load, async (nth) => {
      const { taskId } = await rig.api.delegate({ goal: `${nth}: ${GOAL}` });
      ids.add(taskId);
    });
    await rig.close();
    return { samples, problems: problemsOf(path, load, ids) };
  });
}

/** What the runtime would submit: a spec of its own making, with a new id. */
function submission(model: TaskSpec, nth: number): { readonly spec: TaskSpec; readonly event: NewEvent } {
  const id = newId("task", systemRandom);
  const goal = `${nth}: ${GOAL}`;
  const data = { goal, agent: model.agent.name, model: "gpu/child", depth: model.depth };
  return { spec: { ...model, id, rootId: id, goal }, event: { type: "task.spawned", data } };
}

function bySubmit(load: Load, model: TaskSpec): Promise<Outcome> {
  return withDatabase(async (path) => {
    const store = openStore(path, load.mode);
    const ids = new Set<string>();
    const samples = await latencies(load, async (nth) => {
      const { spec, event } = submission(model, nth);
      await store.submit(spec, event);
      ids.add(spec.id);
    });
    await store.close();
    return { samples, problems: problemsOf(path, load, ids) };
  });
}

function byRaw(load: Load, template: Template): Promise<Outcome> {
  return withDatabase(async (path) => {
    const raw = new RawDatabase(path, template, load.mode);
    const ids = new Set<string>();
    const idAt = template.columns["tasks"]?.indexOf("id") ?? -1;
    const samples = await latencies(load, async (nth) => {
      const rows = template.tasks[nth] ?? [];
      await raw.add(rows);
      const id = rows.find(({ table }) => table === "tasks")?.values[idAt];
      if (typeof id === "string") ids.add(id);
    });
    raw.close();
    return { samples, problems: problemsOf(path, load, ids) };
  });
}

interface Ground {
  readonly model: TaskSpec;
  readonly template: Template;
}

/** A spec of the runtime's own making, and the rows of as many submits as the longest run has. */
function prepare(spawns: number): Promise<Ground> {
  return withDatabase(async (path) => {
    const rig = await pausedRig(path, "normal");
    const { taskId } = await rig.api.delegate({ goal: GOAL });
    const model = (await rig.store.get(taskId))?.spec as TaskSpec;
    await rig.close();
    const template = await withDatabase(async (other) => {
      const store = openStore(other, "normal");
      for (let nth = 0; nth < spawns; nth += 1) {
        const { spec, event } = submission(model, nth);
        await store.submit(spec, event);
      }
      await store.close();
      return templateOf(other);
    });
    return { model, template };
  });
}

interface Compared {
  readonly load: Load;
  readonly samples: Readonly<Record<Name, readonly number[]>>;
  /** The p99 of each round. */
  readonly p99s: Readonly<Record<Name, readonly number[]>>;
  readonly problems: readonly string[];
}

async function compareAt(load: Load, ground: Ground, rounds: number): Promise<Compared> {
  const outcomes = new Map<Name, Outcome[]>(NAMES.map((name) => [name, []]));
  const runs: Readonly<Record<Name, () => Promise<Outcome>>> = {
    delegate: () => byDelegate(load),
    "store.submit": () => bySubmit(load, ground.model),
    "raw group commit": () => byRaw(load, ground.template),
  };
  const contenders = NAMES.map((name) => ({
    name,
    run: async () => {
      const outcome = await runs[name]();
      outcomes.get(name)?.push(outcome);
      return percentile(outcome.samples, 0.99);
    },
  }));
  await compare(contenders, { rounds });
  // The harness has dropped the first round, its warm-up.
  const kept = (name: Name): readonly Outcome[] => (outcomes.get(name) ?? []).slice(-rounds);
  const each = <T>(figure: (name: Name) => T): Readonly<Record<Name, T>> => ({
    delegate: figure("delegate"),
    "store.submit": figure("store.submit"),
    "raw group commit": figure("raw group commit"),
  });
  return {
    load,
    samples: each((name) => kept(name).flatMap(({ samples }) => samples)),
    p99s: each((name) => kept(name).map(({ samples }) => percentile(samples, 0.99))),
    problems: NAMES.flatMap((name) => kept(name).flatMap(({ problems }) => problems)),
  };
}

function line({ load, samples }: Compared, name: Name): string {
  const own = samples[name];
  const ms = (share: number): string => percentile(own, share).toFixed(3);
  const who = load.writers === 1 ? "one caller" : `${load.writers} writers`;
  return `${`${load.mode}, ${who}`.padEnd(18)} ${name.padEnd(16)} p50 ${ms(0.5)} ms, p99 ${ms(0.99)} ms`;
}

/** Spawns acknowledged by a durable store. */
export async function spawnPart(quick: boolean): Promise<Part> {
  const rounds = quick ? 3 : 10;
  const loads = SYNC_MODES.flatMap((mode): readonly Load[] => [
    { mode, writers: 1, spawns: quick ? 300 : 1_000 },
    { mode, writers: 50, spawns: quick ? 1_000 : 3_000 },
  ]);
  const ground = await prepare(Math.max(...loads.map(({ spawns }) => spawns)));
  const all: Compared[] = [];
  for (const load of loads) all.push(await compareAt(load, ground, rounds));
  const at = (mode: SyncMode, writers: number): Compared =>
    all.find(({ load }) => load.mode === mode && load.writers === writers) as Compared;
  const one = at("normal", 1).samples.delegate;
  const many = at("full", 50);
  return {
    claims: [
      atMost("durable spawn, normal, one caller: p50 ms", percentile(one, 0.5), 0.3),
      atMost("durable spawn, normal, one caller: p99 ms", percentile(one, 0.99), 2),
      atMost("durable spawn, full, 50 writers: p50 ms", percentile(many.samples.delegate, 0.5), 1.5),
      atMost(
        "durable spawn, full, 50 writers: p99 over the p99 of the raw group commit, median of rounds",
        medianRatio(many.p99s.delegate, many.p99s["raw group commit"]),
        1.5,
      ),
    ],
    checks: [
      exact(
        "every acknowledged spawn is in the file once, under its id",
        all.flatMap(({ problems }) => problems),
      ),
    ],
    lines: all.flatMap((compared) => NAMES.map((name) => line(compared, name))),
    figures: {
      spawn: all.map(({ load, samples, p99s }) => ({
        ...load,
        ms: Object.fromEntries(
          NAMES.map((name) => [
            name,
            { p50: percentile(samples[name], 0.5), p99: percentile(samples[name], 0.99) },
          ]),
        ),
        p99_of_rounds: p99s,
      })),
    },
    notMeasured: [
      "spawns: the wire (HTTP, JSON), and tasks that begin meanwhile: the box is paused",
      "the raw group commit writes the rows of `store.submit`, read back from a file of the store; it makes no id, checks nothing, hosts nothing",
    ],
  };
}
