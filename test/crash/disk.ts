// Faults of disks under the real server: one that is full, and a file that another process writes to. What cannot be
// written is refused in words and acknowledged to nobody, the server stays, and goes on when it can.

import { spawnSync } from "node:child_process";
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, TroupeError } from "../../src/base/errors.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { HttpClient } from "../../src/http/client.ts";
import { isTerminal } from "../../src/core/lifecycle.ts";
import { Ledger, type Spawn } from "./ledger.ts";
import { readAll, readViews } from "./look.ts";
import type { ModelServer } from "./model-server.ts";
import { asTask, type Plan } from "./plan.ts";
import { untilAllEnded, untilTrue, wrongFile } from "./rest.ts";
import { makeHome, pause, ServerProcess, type Home, type StoredAs } from "./server-process.ts";
import { wrongAtTheEnd } from "./verify-end.ts";

const DISK_BYTES = 6 * 1024 * 1024;
const BLOCK = Buffer.alloc(4096, 1);
/** Longer than a connection waits for another process, so that waiting alone does not help. */
const HELD_MS = 3_000;
/** A server that is merely without its disk says so within this time. */
const ANSWER_MS = 5_000;
/** More tasks than any WAL has room for. */
const MOST_TRIES = 600;
/** Makes each task take room. */
const CONTEXT = "what it must know ".repeat(300);

export interface DiskReport {
  readonly passed: readonly string[];
  readonly failed: readonly string[];
  /** What could not be tried here, and why. */
  readonly skipped: readonly string[];
}

interface Refusal {
  readonly code: string;
  readonly spawn: Spawn;
}

/** Contract: leaves no process and no mount behind. */
export async function tryDisks(models: ModelServer, durability: StoredAs): Promise<DiskReport> {
  const trial = new Trial(models, durability);
  const mount = await mkdtemp(join(tmpdir(), "troupe-disk-"));
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", mount]);
  try {
    if (mounted.status === 0) await trial.onFullDisk(mount);
    else trial.skip(`a full disk: mounting a tmpfs needs root (${String(mounted.stderr ?? "").trim()})`);
  } finally {
    if (mounted.status === 0) spawnSync("umount", ["-l", mount]);
    await rm(mount, { recursive: true, force: true });
  }
  await trial.onBusyFile();
  return trial;
}

class Trial implements DiskReport {
  readonly passed: string[] = [];
  readonly failed: string[] = [];
  readonly skipped: string[] = [];
  readonly #models: ModelServer;
  readonly #durability: StoredAs;
  #ledger = new Ledger();
  #serial = 0;

  constructor(models: ModelServer, durability: StoredAs) {
    this.#models = models;
    this.#durability = durability;
  }

  skip(what: string): void {
    this.skipped.push(what);
  }

  async onFullDisk(mount: string): Promise<void> {
    const home = await makeHome({
      modelUrl: this.#models.url,
      durability: this.#durability,
      database: join(mount, "troupe.db"),
    });
    const ballast = join(mount, "ballast");
    let server = new ServerProcess({ home, life: 1, port: 0 });
    this.#ledger = new Ledger();
    try {
      const client = await server.client(home);
      for (let count = 0; count < 5; count++) await this.#delegate(client, 20);
      fill(ballast);
      const refusal = await this.#untilRefused(client);
      this.#check(
        "a full disk refuses new tasks in words",
        refusal?.code === "full",
        refusal?.code ?? "it took all",
      );
      this.#check("a server on a full disk answers", await answers(client));
      rmSync(ballast);
      await this.#goesOn(client, "when a full disk has room again", refusal);
      fill(ballast);
      await this.#untilRefused(client);
      await server.kill();
      // On a full disk it starts, or says why not; it damages nothing.
      server = new ServerProcess({ home, life: 2, port: 0 });
      const begun = await Promise.race([
        server.client(home).then(
          () => true,
          () => true,
        ),
        pause(ANSWER_MS),
      ]);
      const isHonest = begun === true || /warn: .*full/.test(server.output);
      this.#check(
        "a start on a full disk succeeds or says what is wrong",
        isHonest,
        server.output.slice(-300),
      );
      rmSync(ballast);
      if (server.isOver) server = new ServerProcess({ home, life: 3, port: 0 });
      await this.#endsWell(server, home, "after a kill on a full disk");
    } catch (thrown) {
      this.#check(
        "the full disk is tried to the end",
        false,
        `${messageOf(thrown)}; ${server.output.slice(-600)}`,
      );
    } finally {
      await server.kill();
      await home.remove();
    }
  }

  async onBusyFile(): Promise<void> {
    const home = await makeHome({ modelUrl: this.#models.url, durability: this.#durability });
    const server = new ServerProcess({ home, life: 1, port: 0 });
    this.#ledger = new Ledger();
    try {
      const client = await server.client(home);
      for (let count = 0; count < 5; count++) await this.#delegate(client, 20);
      const other = new DatabaseSync(home.database);
      other.exec("PRAGMA busy_timeout = 10000");
      other.exec("BEGIN IMMEDIATE");
      const begunAt = performance.now();
      const refusal = await this.#tryOnce(client);
      const isHonest = refusal === null ? performance.now() - begunAt >= HELD_MS : refusal.code === "busy";
      this.#check(
        "a file that another process writes to makes calls wait or fail",
        isHonest,
        refusal?.code ?? "an answer at once",
      );
      this.#check("a server whose file is busy answers", await answers(client));
      await pause(Math.max(0, HELD_MS - (performance.now() - begunAt)));
      other.exec("COMMIT");
      other.close();
      await this.#goesOn(client, "when the other process lets go of the file", refusal);
      await this.#endsWell(server, home, "after its file was busy");
    } catch (thrown) {
      this.#check(
        "the busy file is tried to the end",
        false,
        `${messageOf(thrown)}; ${server.output.slice(-600)}`,
      );
    } finally {
      await server.kill();
      await home.remove();
    }
  }

  /** New tasks are taken again, and what was refused can be asked for again with its key. */
  async #goesOn(client: HttpClient, when: string, refusal: Refusal | null): Promise<void> {
    let last: unknown = "nothing";
    await untilTrue(async () => {
      last = await this.#delegate(client, 1).catch((thrown: unknown) => thrown);
      return last === undefined;
    }, ANSWER_MS);
    this.#check(
      `a server takes new tasks ${when}`,
      last === undefined,
      last instanceof Error ? last.message : "",
    );
    if (!refusal) return;
    const known = new Set((await readViews(client)).keys());
    const before = this.#ledger.tasks.size;
    await this.#spawn(client, refusal.spawn);
    const fresh = [...this.#ledger.tasks.keys()].slice(before);
    this.#check(
      `what was refused had not been kept, ${when}`,
      fresh.length === 1 && !known.has(fresh[0] ?? ""),
    );
  }

  async #endsWell(server: ServerProcess, home: Home, when: string): Promise<void> {
    const client = await server.client(home);
    await untilAllEnded(client);
    const look = await readAll(client);
    const wrong = wrongAtTheEnd(look, this.#withAllShown(look.events));
    const living = [...look.views.values()].filter(({ state }) => !isTerminal(state)).length;
    this.#check(
      `everything acknowledged is there and ends, ${when}`,
      living === 0 && wrong.length === 0,
      wrong.join("; "),
    );
    server.signal("SIGTERM");
    const how = await Promise.race([server.ended, pause(ANSWER_MS * 2).then(() => "nothing")]);
    this.#check(`a server stops in order ${when}`, how === 0, String(how));
    await server.kill();
    const damage = [...wrongFile(home.database)];
    this.#check(`the database is whole ${when}`, damage.length === 0, damage.join("; "));
  }

  /** Nobody followed the stream here: what was read at the end counts as shown. */
  #withAllShown(events: readonly StoredEvent[]): Ledger {
    for (const event of events) this.#ledger.show(event);
    return this.#ledger;
  }

  async #untilRefused(client: HttpClient): Promise<Refusal | null> {
    for (let count = 0; count < MOST_TRIES; count++) {
      const refusal = await this.#tryOnce(client);
      if (refusal) return refusal;
    }
    return null;
  }

  async #tryOnce(client: HttpClient): Promise<Refusal | null> {
    const spawn = this.#task(0);
    try {
      await this.#spawn(client, spawn);
      return null;
    } catch (thrown) {
      return { code: thrown instanceof TroupeError ? thrown.code : messageOf(thrown), spawn };
    }
  }

  async #delegate(client: HttpClient, ms: number): Promise<void> {
    await this.#spawn(client, this.#task(ms));
  }

  async #spawn(client: HttpClient, spawn: Spawn): Promise<void> {
    if (spawn.kind !== "task") return;
    const { taskId } = await client.delegate(spawn.request);
    for (const wrong of this.#ledger.acknowledge(spawn, [taskId], 1)) this.#check(wrong, false);
  }

  #task(ms: number): Spawn {
    const child: Plan = { name: `disk.${this.#serial}.0`, manner: "async", ms, reports: false, children: [] };
    const name = `disk.${this.#serial++}`;
    const plan: Plan = { name, manner: "async", ms, reports: true, children: ms > 0 ? [child] : [] };
    const request = { ...asTask(plan), context: CONTEXT, idempotencyKey: `${name}.key` };
    return { kind: "task", request, plan };
  }

  #check(name: string, holds: boolean, got = ""): void {
    if (holds) this.passed.push(name);
    else this.failed.push(`${name}: got ${got || "something else"}`);
  }
}

/** Takes all room that a disk has. */
function fill(path: string): void {
  const file = openSync(path, "w");
  try {
    for (;;) writeSync(file, BLOCK);
  } catch {
    // Full is what was wanted.
  } finally {
    try {
      fsyncSync(file);
    } catch {
      // It knows.
    }
    closeSync(file);
  }
}

async function answers(client: HttpClient): Promise<boolean> {
  const status = client.status().then(
    () => true,
    () => false,
  );
  return Promise.race([status, pause(ANSWER_MS).then(() => false)]);
}
