// What a crash may do: the process is killed at any moment, and the log on the disk is cut or has a bit turned. The
// number of rounds of the second kind is TROUPE_WAL_ROUNDS, for a long run by hand.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { TroupeError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { checkSqlite } from "../../src/store/sqlite-maintenance.ts";
import type { SqliteStore } from "../../src/store/sqlite.ts";
import { databaseFolder, opened, openedWithConnection } from "./sqlite-files.ts";
import { claimed, end, GOAL, STARTED, submitted } from "./specimens.ts";

const pathFor = databaseFolder();
const WRITER = fileURLToPath(new URL("sqlite-writer.ts", import.meta.url));

/** Runs the writer until it has told so many facts, kills it, and returns all it told. */
async function killedAfter(path: string, durability: string, facts: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WRITER, path, durability, String(facts)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  // Its output ends before its files are let go of, and its last words may be cut in the middle of a line.
  const gone = once(child, "exit");
  const told: string[] = [];
  let begun = "";
  for await (const chunk of child.stdout.setEncoding("utf8")) {
    const lines = (begun + String(chunk)).split("\n");
    begun = lines.pop() ?? "";
    told.push(...lines);
    if (told.length >= facts) child.kill("SIGKILL");
  }
  await gone;
  return told;
}

async function lost(store: SqliteStore, told: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const line of told) {
    const [what = "", id = "", seq, step] = line.split(" ");
    if (what === "opened") continue;
    const record = await store.get(id);
    const events = await store.events({ after: 0, taskId: id });
    const rows = await store.transcript(id, {});
    const held =
      record !== null &&
      events.length === record.seq &&
      (what !== "committed" || (record.seq >= Number(seq) && rows.length >= Number(step))) &&
      (what !== "ended" || record.end?.result === id);
    if (!held) missing.push(line);
  }
  return missing;
}

describe("a process that is killed", () => {
  it("Q1 has lost nothing that it acknowledged, over several rounds on one file, and left the file free", async () => {
    const path = pathFor();
    for (const [durability, facts] of [
      ["normal", 3],
      ["full", 150],
      ["normal", 900],
      ["normal", 2_500],
    ] as const) {
      const told = await killedAfter(path, durability, facts);
      expect(told.length).toBeGreaterThanOrEqual(facts);
      const store = opened(path);
      expect(await lost(store, told)).toEqual([]);
      await store.close();
      expect(checkSqlite(path)).toMatchObject({ ok: true, findings: [], pages: [] });
    }
  }, 60_000);

  it("Q2 holds its file for as long as it lives, also when it does nothing", async () => {
    const path = pathFor();
    const child = spawn(process.execPath, [WRITER, path, "normal", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: child.stdout });
    await new Promise((resolve) => lines.once("line", resolve));
    child.kill("SIGSTOP");
    const refusal = expect.objectContaining({
      code: "database_owned",
      message: expect.stringContaining(`pid ${child.pid} since `) as string,
    });
    expect(() => opened(path)).toThrow(refusal);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    const store = opened(path);
    await store.close();
  }, 30_000);
});

const ROUNDS = Number(process.env["TROUPE_WAL_ROUNDS"] ?? 60);
const TASKS = 12;

/** A database and its log as a crash leaves them, with everything that was acknowledged, in order. */
async function crashed(
  checkpoint: boolean,
): Promise<{ path: string; log: readonly string[]; readonly close: () => Promise<void> }> {
  const path = pathFor();
  const { store, connection } = openedWithConnection(path);
  for (let at = 0; at < TASKS; at += 1) {
    const claim = await claimed(store, `t${at}`);
    for (let step = 0; step < 4; step += 1) {
      const text = { ...GOAL, parts: [{ type: "text", text: `${at} ${step} ${"x".repeat(900)}` }] } as const;
      await store.commit(claim, 1 + step, { events: [STARTED], messages: [text], snapshot: { step } });
    }
    if (at % 3 === 0) await end(store, { ...claim, seq: 5 });
    // Written back, and not begun anew: the log still has all of it.
    if (checkpoint && at === TASKS / 2) connection.pragma("wal_checkpoint(PASSIVE)");
  }
  const log = (await store.events({ after: 0 })).map(({ cursor, taskId, seq, type }) =>
    [cursor, taskId, seq, type].join(" "),
  );
  return { path, log, close: () => store.close() };
}

type Outcome = "whole" | "prefix" | "database_corrupt" | "database_foreign";

/** The store of a damaged file, or the code of the refusal to open it. */
function openedOrRefused(path: string): SqliteStore | string {
  try {
    return opened(path);
  } catch (thrown) {
    if (thrown instanceof TroupeError) return thrown.code;
    throw thrown;
  }
}

/** Opens a copy whose log was damaged: a refusal, or a beginning of what was acknowledged that holds together. */
async function openDamaged(path: string, log: readonly string[]): Promise<Outcome> {
  const store = openedOrRefused(path);
  if (typeof store === "string") return store as Outcome;
  const events = await store.events({ after: 0 });
  const seen = events.map(({ cursor, taskId, seq, type }) => [cursor, taskId, seq, type].join(" "));
  expect(seen).toEqual(log.slice(0, seen.length));
  for (const { spec, seq } of (await store.list({})).items) {
    expect(events.filter((event) => event.taskId === spec.id)).toHaveLength(seq);
    const rows = await store.transcript(spec.id, {});
    expect(rows.map((row) => row.index)).toEqual(rows.map((_, at) => at + 1));
  }
  await submitted(store, "after");
  await store.close();
  expect(checkSqlite(path).findings.filter(({ rule }) => !rule.includes("one event that says so"))).toEqual(
    [],
  );
  expect(checkSqlite(path).pages).toEqual([]);
  return seen.length === log.length ? "whole" : "prefix";
}

describe("a log that was damaged", () => {
  it.each([
    ["never written back", false],
    ["partly written back", true],
  ])(
    "%s: a prefix of what was acknowledged or a refusal, never a silent hole",
    async (_, checkpoint) => {
      const random = seededRandom(checkpoint ? 11 : 7);
      const { path, log, close } = await crashed(checkpoint);
      // Copies of bytes: another handle on the file would drop the locks that this process has on it.
      const database = readFileSync(path);
      const wal = readFileSync(`${path}-wal`);
      await close();
      expect(statSync(path).size).toBeGreaterThan(0);
      const outcomes = new Map<Outcome, number>();
      for (let round = 0; round < ROUNDS; round += 1) {
        const damaged = pathFor();
        writeFileSync(damaged, database);
        const at = Math.floor(random.next() * wal.length);
        const copy = Buffer.from(wal);
        if (round % 2 === 0) writeFileSync(`${damaged}-wal`, copy.subarray(0, at));
        else {
          copy[at] = (copy[at] as number) ^ (1 << Math.floor(random.next() * 8));
          writeFileSync(`${damaged}-wal`, copy);
        }
        const outcome = await openDamaged(damaged, log);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      const known = ["whole", "prefix", "database_corrupt", "database_foreign"];
      expect(known).toEqual(expect.arrayContaining([...outcomes.keys()]));
      expect(outcomes.get("prefix") ?? 0).toBeGreaterThan(0);
      if (ROUNDS > 1_000) process.stdout.write(`${JSON.stringify([...outcomes])}\n`);
    },
    600_000,
  );
});
