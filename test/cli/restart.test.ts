// Real servers that end in every way, and their tasks, which do not. The model server stands behind a gate, so that a
// task is under way for exactly as long as a test wants.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { serve as listenTo, type Listening } from "../../src/base/listen.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { HttpClient } from "../../src/http/client.ts";
import { loadToken } from "../../src/http/token.ts";
import { DEFAULT_MODELS } from "../../src/simulator/config.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";
import { newHome, type Home } from "./home.ts";
import { pressUntilEnded, start, type Running } from "./real-program.ts";

const simulator = createSimulator({
  clock: systemClock,
  random: seededRandom(1),
  config: {
    models: DEFAULT_MODELS.map((model) => ({ ...model, loadMs: 1 })),
    unloadMs: 1,
    prefillTokensPerS: 200_000,
    decodeTokensPerS: 20_000,
  },
});
let gate: Listening;
let closed: Promise<void> = Promise.resolve();
let open = (): void => {};
/** How many generations have been asked for, and those that wait at the gate. */
let asked = 0;
let watchers: (() => void)[] = [];

beforeAll(async () => {
  gate = await listenTo(
    async (request) => {
      if (new URL(request.url).pathname === "/api/chat" && (await generates(request))) {
        asked += 1;
        for (const look of watchers) look();
        await closed;
      }
      return simulator.app.fetch(request);
    },
    { hostname: "127.0.0.1", port: 0 },
  );
});
afterAll(async () => {
  open();
  await gate.close();
  simulator.close();
});
beforeEach(() => {
  asked = 0;
  watchers = [];
  closed = new Promise((resolve) => (open = resolve));
});

/** A chat without messages only loads a model, and passes the gate. */
async function generates(request: Request): Promise<boolean> {
  const { messages } = (await request.clone().json()) as { readonly messages: readonly unknown[] };
  return messages.length > 0;
}

/** Resolves once so many generations have been asked for. */
const generations = (count: number): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (asked >= count) resolve();
    };
    watchers.push(look);
    look();
  });

interface Server extends Running {
  readonly client: HttpClient;
}

async function serverIn({ home, cwd, env }: Home, ...args: string[]): Promise<Server> {
  const running = start(["serve", "--port", "0", ...args], { ...env, OLLAMA_HOST: gate.url }, cwd);
  const baseUrl = await running.until(/serves at (\S+);/);
  const token = (await loadToken({ path: join(home, "token") })) ?? "";
  return Object.assign(running, { client: new HttpClient({ baseUrl, token, fetch, clock: systemClock }) });
}

async function houseWithNotes(config = ""): Promise<Home> {
  const house = await newHome(config);
  await writeFile(join(house.cwd, "notes.txt"), "one line\n");
  return house;
}

// Starting a program takes seconds on a busy machine.
describe("tasks", { timeout: 60_000 }, () => {
  test("survive kill -9: what was acknowledged goes on, and each result is there once", async () => {
    const house = await houseWithNotes("providers: {ollama: {type: ollama, slots: 2}}\n");
    const first = await serverIn(house);
    const handles = await Promise.all(
      Array.from({ length: 5 }, () => first.client.delegate({ goal: "Read notes.txt", toolsets: ["file"] })),
    );
    await generations(2);
    first.child.kill("SIGKILL");
    expect(await first.ended).toBe("SIGKILL");
    open();
    const second = await serverIn(house);
    const store = join(house.home, "troupe.db");
    expect(second.err).toContain(`store: ${store} (full: survives a power loss); `);
    expect(second.err).toMatch(/\d tasks? (?:go|goes) on|\d tasks? waits? in the queue/);
    for (const { taskId } of handles) {
      const result = await second.client.collect(taskId, { timeoutMs: 30_000 });
      expect(result).toMatchObject({ finished: true, state: "done" });
      expect(result.result).toContain("notes.txt: 1 line");
    }
    expect((await second.client.status()).tasks).toMatchObject({ done: 5, failed: 0 });
    second.child.kill("SIGTERM");
    expect(await second.ended).toBe(0);
    expect(second.err).toMatch(/Stopping\.\nStopped\.\n$/);
  });

  test("wait for the next start after Ctrl-C, which lets no turn begin and refuses new tasks meanwhile", async () => {
    const house = await houseWithNotes("server: {shutdown_grace_s: 600}\n");
    const first = await serverIn(house);
    const { taskId } = await first.client.delegate({ goal: "Read notes.txt", toolsets: ["file"] });
    await generations(1);
    first.child.kill("SIGTERM");
    await first.until(/Stopping with 1 living task: new ones are refused/);
    await expect(first.client.delegate({ goal: "another" })).rejects.toMatchObject({
      kind: "store",
      code: "draining",
    });
    await expect(first.client.createSession()).rejects.toMatchObject({ code: "draining" });
    expect(await first.client.check(taskId)).toMatchObject({ state: "running" });
    await first.client.steer(taskId, { message: "and be brief" });
    // The turn under way ends, and the task with its next turn waits.
    open();
    expect(await first.ended).toBe(0);
    expect(first.err).toMatch(/1 task goes on at the next start\.\nStopped\.\n$/);
    const second = await serverIn(house);
    expect(second.err).toContain("1 task goes on");
    expect(await second.client.collect(taskId, { timeoutMs: 30_000 })).toMatchObject({ state: "done" });
    expect((await second.client.check(taskId)).steers).toMatchObject([{ state: "delivered" }]);
    second.child.kill("SIGKILL");
    await second.ended;
  });

  test("survive a second Ctrl-C, which ends the server at once with 130", async () => {
    const house = await houseWithNotes("server: {shutdown_grace_s: 600}\n");
    const first = await serverIn(house);
    const { taskId } = await first.client.delegate({ goal: "Read notes.txt", toolsets: ["file"] });
    await generations(1);
    first.child.kill("SIGINT");
    await first.until(/Stopping with 1 living task/);
    expect(await pressUntilEnded(first)).toBe(130);
    open();
    const second = await serverIn(house);
    expect(await second.client.collect(taskId, { timeoutMs: 30_000 })).toMatchObject({ state: "done" });
    second.child.kill("SIGKILL");
    await second.ended;
  });

  test("of one server stay its own: a second one on the same store is refused with 3", async () => {
    const house = await houseWithNotes();
    const first = await serverIn(house);
    const second = start(["serve", "--port", "0"], { ...house.env, OLLAMA_HOST: gate.url }, house.cwd);
    expect(await second.ended).toBe(3);
    expect(second.err).toContain(join(house.home, "troupe.db"));
    expect((await first.client.status()).durability).toBe("full");
    first.child.kill("SIGTERM");
    expect(await first.ended).toBe(0);
  });
});
