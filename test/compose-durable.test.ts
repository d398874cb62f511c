// A Troupe that is put together twice over one home: what the first one left, the second one has.

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { runtimeFetch } from "../src/base/fetch.ts";
import { seededRandom, systemRandom } from "../src/base/ids.ts";
import { serve, type Listening } from "../src/base/listen.ts";
import { compose, type ComposeOptions, type Troupe } from "../src/compose.ts";
import { configSchema } from "../src/core/config-schema.ts";
import { DEFAULT_MODELS } from "../src/simulator/config.ts";
import { createSimulator } from "../src/simulator/simulator.ts";
import { MemoryStore } from "../src/store/memory.ts";

const simulator = createSimulator({
  clock: systemClock,
  random: seededRandom(1),
  config: {
    models: DEFAULT_MODELS.map((model) => ({ ...model, loadMs: 1 })),
    prefillTokensPerS: 200_000,
    decodeTokensPerS: 20_000,
    unloadMs: 1,
  },
});
let server: Listening;
let folder: string;
let home: string;
let log: string[];
let open: Troupe[];

beforeAll(async () => {
  server = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server.close();
  simulator.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "troupe-durable-"));
  home = join(folder, "home");
  await writeFile(join(folder, "notes.md"), "# Notes\n");
  log = [];
  open = [];
});
afterEach(async () => {
  for (const troupe of open) await troupe.close();
  await rm(folder, { recursive: true, force: true });
});

async function troupe(store: Record<string, unknown> = {}, rest: Partial<ComposeOptions> = {}) {
  const made = await compose({
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch: runtimeFetch(),
      env: { TROUPE_HOME: home },
      cwd: folder,
      writeLog: (line) => log.push(line),
    },
    config: configSchema.parse({
      model: "sim-orchestrator",
      delegation: { model: "sim-worker" },
      providers: { box: { type: "ollama", base_url: server.url } },
      store,
    }),
    ...rest,
  });
  open.push(made);
  return made;
}

const lineOf = ({ why }: Troupe): string => why.find((line) => line.startsWith("store: ")) ?? "";

describe("by default", () => {
  test("tasks lie in Troupe's home and are there again, with the same box around them", async () => {
    const first = await troupe();
    const { taskId } = await first.api.delegate({ goal: "Summarise notes.md", toolsets: ["file"] });
    const earned = await first.api.collect(taskId);
    await first.close();
    const second = await troupe();
    expect(lineOf(second)).toBe(`store: ${join(home, "troupe.db")} (full: survives a power loss)`);
    expect(await second.api.collect(taskId)).toEqual(earned);
    expect(second.settings.boxId).toBe(first.settings.boxId);
    expect(await second.api.status()).toMatchObject({ durability: "full", tasks: { done: 1 } });
  });

  test("what was paused waits in the queue of the next one, and is counted", async () => {
    const first = await troupe();
    await first.api.pause(true);
    const { taskId } = await first.api.delegate({ goal: "Summarise notes.md", toolsets: ["file"] });
    expect(await first.drain(0)).toEqual({ parked: 1 });
    await first.close();
    const second = await troupe({ durability: "normal" });
    expect(lineOf(second)).toMatch(/\(normal: .*\); 1 task waits in the queue$/);
    expect(await second.api.collect(taskId)).toMatchObject({ state: "done" });
  });

  test("no tool reads the store, wherever it lies", async () => {
    const first = await troupe({ path: join(folder, "here.txt") });
    const { taskId } = await first.api.delegate({ goal: "Read here.txt", toolsets: ["file"] });
    await first.api.collect(taskId);
    const { items } = await first.api.transcript(taskId);
    expect(JSON.stringify(items)).toContain("it belongs to Troupe itself");
    expect(await readdir(home)).toEqual(["box-id"]);
  });

  test("trees that are over and read go with their time, at the next start", async () => {
    const first = await troupe({ keep_days: 0 });
    const [read, unread] = await first.api.delegateBatch([{ goal: "Look" }, { goal: "Look again" }]);
    await first.api.collect(read?.taskId ?? "");
    while ((await first.api.status()).tasks.done < 2)
      await first.api.collect(read?.taskId ?? "", { timeoutMs: 1 });
    await first.close();
    const second = await troupe({ keep_days: 0 });
    await second.close();
    expect(log.join("\n")).toContain("removed what had ended and was read tasks=1");
    const third = await troupe();
    expect((await third.api.list()).items.map(({ taskId }) => taskId)).toEqual([unread?.taskId]);
  });
});

describe("in memory", () => {
  test("nothing is written anywhere, and no home is needed", async () => {
    const made = await troupe({ durability: "none" });
    expect(lineOf(made)).toBe("store: in memory: lost when the server stops");
    await expect(readdir(home)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("a store that the program brings goes before the config's, and is closed with the rest", async () => {
    const store = new MemoryStore({ clock: systemClock, random: systemRandom });
    const made = await troupe({}, { store });
    await expect(readdir(home)).rejects.toMatchObject({ code: "ENOENT" });
    await made.close();
    await expect(store.counts()).rejects.toMatchObject({ code: "closed" });
  });
});

describe("what a person must mend first", () => {
  test("is said of a second server, and the first one goes on", async () => {
    const first = await troupe();
    await expect(troupe()).rejects.toMatchObject({ kind: "config", code: "database_owned" });
    expect((await first.api.status()).durability).toBe("full");
  });

  test("is said of a damaged id, with which no store is opened", async () => {
    await (await troupe()).close();
    await writeFile(join(home, "box-id"), "box_of_mine\n");
    await expect(troupe()).rejects.toMatchObject({ kind: "config", code: "box_id_malformed" });
  });

  test("is said of a program that names no home", async () => {
    const world = { clock: systemClock, random: systemRandom, fetch: runtimeFetch(), env: {}, cwd: folder };
    await expect(troupe({}, { world: { ...world, writeLog: () => {} } })).rejects.toMatchObject({
      kind: "config",
      code: "no_home",
      message: expect.stringContaining("store.durability: none") as string,
    });
  });
});
