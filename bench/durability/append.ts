// Events appended through the store, one commit of one event at a time for each of many tasks at once, beside node:sqlite
// that inserts the same rows in batches. The second rival writes the task's row with each event, as a commit must: it
// tells what of the distance is the row, and what is the store.

import { systemClock } from "../../src/base/clock.ts";
import { newId, systemRandom } from "../../src/base/ids.ts";
import type { NewEvent } from "../../src/core/event.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { hang } from "../../providers/script.ts";
import { compare } from "../harness.ts";
import { benchRig } from "../rig.ts";
import { median } from "../statistics.ts";
import { SYNC_MODES, look, numberOf, openStore, withDatabase, type SyncMode } from "./files.ts";
import { atLeast, exact, type Part } from "./part.ts";
import { RawDatabase, templateOf, type RawRow, type Template } from "./raw.ts";

/** Tasks that write at once: as many as share one transaction of the store. */
const TASKS = 256;
const NAMES = ["store", "raw batches", "raw batches with the task's row"] as const;
type Name = (typeof NAMES)[number];

const EVENTS = {
  "0.4 kB": {
    type: "task.progressed",
    data: { percent: 40, note: "The station's third report differs. ".repeat(11), partial: null },
  },
  "0.1 kB": {
    type: "turn.finished",
    data: { reason: "stop", toolCalls: 1, promptTokens: 2_048, outputTokens: 256 },
  },
} as const satisfies Readonly<Record<string, NewEvent>>;
type Size = keyof typeof EVENTS;

interface Load {
  readonly mode: SyncMode;
  readonly size: Size;
  /** Commits of each task. */
  readonly each: number;
}

interface Outcome {
  readonly perSecond: number;
  readonly problems: readonly string[];
}

/** Every event is in the file, gapless for each task. */
function problemsOf(path: string, { each }: Load): readonly string[] {
  return look(path, (db) => {
    // Beside the one that each task was spawned with.
    const wrong = numberOf(
      db,
      `SELECT count(*) FROM (SELECT count(*) AS n, max(seq) AS last FROM events GROUP BY task)
       WHERE n <> ${each + 1} OR last <> ${each + 1}`,
    );
    const tasks = numberOf(db, "SELECT count(DISTINCT task) FROM events");
    return wrong === 0 && tasks === TASKS
      ? []
      : [`${wrong} of ${tasks} tasks do not have ${each + 1} events`];
  });
}

/** Fills a new file with tasks and their events; returns the milliseconds that the events took. */
async function fill(path: string, load: Load, model: TaskSpec): Promise<number> {
  const store = openStore(path, load.mode);
  const tasks = Array.from({ length: TASKS }, (_, at) => {
    const id = newId("task", systemRandom);
    const data = { goal: `${at}`, agent: "child", model: "gpu/child", depth: 0 };
    return { spec: { ...model, id, rootId: id }, event: { type: "task.spawned", data } as const };
  });
  await store.submitAll(tasks);
  const options = { owner: "bench", boxId: "testbox", ttlMs: 600_000, max: TASKS };
  const claims = await store.claim(options);
  const start = systemClock.monotonic();
  await Promise.all(
    claims.map(async (claim) => {
      let { seq } = claim;
      for (let nth = 0; nth < load.each; nth += 1)
        seq = (await store.commit(claim, seq, { events: [EVENTS[load.size]] })).seq;
    }),
  );
  const tookMs = systemClock.monotonic() - start;
  await store.close();
  return tookMs;
}

/** The rows that were there before the events, the events, and the task's row that each event leaves. */
interface Rows {
  readonly before: readonly RawRow[];
  readonly events: readonly RawRow[];
}

function rowsOf(template: Template): Rows {
  const all = template.tasks.flat();
  const seqAt = template.columns["events"]?.indexOf("seq") ?? -1;
  const cursorAt = template.columns["events"]?.indexOf("cursor") ?? -1;
  const isAppended = ({ table, values }: RawRow): boolean => table === "events" && Number(values[seqAt]) > 1;
  const byCursor = (a: RawRow, b: RawRow): number => Number(a.values[cursorAt]) - Number(b.values[cursorAt]);
  return { before: all.filter((row) => !isAppended(row)), events: all.filter(isAppended).toSorted(byCursor) };
}

function byRaw(load: Load, template: Template, withHead: boolean): Promise<Outcome> {
  return withDatabase(async (path) => {
    const raw = new RawDatabase(path, template, load.mode);
    const { before, events } = rowsOf(template);
    raw.transaction(() => raw.insert(before));
    const heads = template.columns["heads"] ?? [];
    const places = heads.map(() => "?").join(", ");
    const update = raw.prepare(`UPDATE heads SET (${heads.join(", ")}) = (${places}) WHERE num = ?`);
    const taskAt = template.columns["events"]?.indexOf("task") ?? -1;
    const headOf = new Map(
      before
        .filter(({ table }) => table === "heads")
        .map(({ values }) => [values[heads.indexOf("num")], values]),
    );
    const start = systemClock.monotonic();
    for (let from = 0; from < events.length; from += TASKS) {
      raw.transaction(() => {
        for (const event of events.slice(from, from + TASKS)) {
          raw.insert([event]);
          const task = event.values[taskAt] ?? null;
          if (withHead) update.run(...(headOf.get(task) ?? []), task);
        }
      });
    }
    const tookMs = systemClock.monotonic() - start;
    raw.close();
    return { perSecond: (events.length * 1_000) / tookMs, problems: problemsOf(path, load) };
  });
}

function byStore(load: Load, model: TaskSpec): Promise<Outcome> {
  return withDatabase(async (path) => {
    const tookMs = await fill(path, load, model);
    return { perSecond: (TASKS * load.each * 1_000) / tookMs, problems: problemsOf(path, load) };
  });
}

/** A spec of the runtime's own making. */
async function modelSpec(): Promise<TaskSpec> {
  const rig = benchRig({ reply: () => [hang()], slots: 1 });
  await rig.api.pause(true);
  const { taskId } = await rig.api.delegate({ goal: "append" });
  const spec = (await rig.store.get(taskId))?.spec as TaskSpec;
  await rig.close();
  return spec;
}

interface Compared {
  readonly load: Load;
  readonly perSecond: Readonly<Record<Name, number>>;
  /** The store over the raw batches, median of rounds. */
  readonly share: number;
  readonly problems: readonly string[];
}

async function compareAt(load: Load, model: TaskSpec, rounds: number): Promise<Compared> {
  const template = await withDatabase(async (path) => {
    await fill(path, load, model);
    return templateOf(path);
  });
  const problems: string[] = [];
  const runs: Readonly<Record<Name, () => Promise<Outcome>>> = {
    "raw batches": () => byRaw(load, template, false),
    store: () => byStore(load, model),
    "raw batches with the task's row": () => byRaw(load, template, true),
  };
  // The raw batches come first: ratios are to the first contender.
  const contenders = (["raw batches", "store", "raw batches with the task's row"] as const).map((name) => ({
    name,
    run: async () => {
      const outcome = await runs[name]();
      problems.push(...outcome.problems);
      return outcome.perSecond;
    },
  }));
  const [raw, store, withHead] = await compare(contenders, { rounds });
  const perSecond = {
    store: store?.median ?? Number.NaN,
    "raw batches": raw?.median ?? Number.NaN,
    "raw batches with the task's row": withHead?.median ?? Number.NaN,
  };
  return { load, perSecond, share: store?.ratio ?? Number.NaN, problems };
}

function line({ load, perSecond, share }: Compared): string {
  const rates = NAMES.map((name) => `${name} ${Math.round(perSecond[name])}/s`);
  return `${`${load.mode}, ${load.size}`.padEnd(15)} ${rates.join(", ")}: ${(share * 100).toFixed(0)} %`;
}

/** Events appended by a durable store. */
export async function appendPart(quick: boolean): Promise<Part> {
  const model = await modelSpec();
  const loads = SYNC_MODES.flatMap((mode) =>
    (Object.keys(EVENTS) as Size[]).map((size): Load => ({ mode, size, each: quick ? 20 : 60 })),
  );
  const all: Compared[] = [];
  for (const load of loads) all.push(await compareAt(load, model, quick ? 3 : 10));
  const shareOf = (mode: SyncMode): number =>
    median(all.filter(({ load }) => load.mode === mode && load.size === "0.4 kB").map(({ share }) => share));
  return {
    claims: SYNC_MODES.map((mode) =>
      atLeast(`event append, ${mode}: events a second over raw batched inserts`, shareOf(mode), 0.6),
    ),
    checks: [
      exact(
        "every appended event is in the file, gapless for its task",
        all.flatMap(({ problems }) => problems),
      ),
    ],
    lines: all.map(line),
    figures: { append: all },
    notMeasured: [
      `appends: the raw batches of ${TASKS} rows answer nobody; a commit of the store checks epoch and sequence, writes the task's row and answers its caller`,
    ],
  };
}
