// Models loaded and unloaded by plan on a real Ollama that keeps one at a time: two models that take turns, a server
// that is killed in the middle, a model that is removed under us, another program on the same server. Run by
// `npm run test:ollama`, with servers of its own; skipped with the reason printed where Ollama's program is not.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import type { ResidencyView } from "../../src/core/box-api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { ollama } from "../../providers/ollama.ts";
import type { Provider } from "../../providers/provider.ts";
import { never } from "../providers/collect.ts";
import { findOllama, startOllama, type RealOllama } from "./setup.ts";
import { copyModel, deleteModel, PLAIN_MODEL, TOOLS_MODEL } from "./tiny-models.ts";
import { eventsUntil, firstText, troupeOn, type RealTroupe, type RealTroupeOptions } from "./troupe.ts";

const program = process.env["TROUPE_TEST_OLLAMA"] === "1" ? await findOllama() : null;
if (program === null) {
  process.stderr.write(
    "models by plan on a real Ollama: skipped, npm run test:ollama runs it where the program is\n",
  );
}

const MIXED = ["writer", "chatter", "writer", "chatter", "writer", "chatter"] as const;

describe.skipIf(program === null)("models by plan on a real Ollama", { timeout: 90_000 }, () => {
  let server: RealOllama;
  let provider: Provider;
  const open: RealTroupe[] = [];

  async function opened(options: Partial<RealTroupeOptions> = {}): Promise<RealTroupe> {
    const real = await troupeOn({ baseUrl: server.baseUrl, ...options });
    open.push(real);
    return real;
  }

  /** Room for one of the two tiny models by the scheduler's own figures, which are those of the disk without a GPU. */
  async function roomForOne(): Promise<number> {
    const sizes = (await provider.models(never())).map(({ sizeBytes }) => sizeBytes ?? 0);
    return Math.round(Math.max(...sizes) * 1.5);
  }

  const loadsOf = ({ chats }: RealTroupe) =>
    chats.filter(({ messages, keep_alive }) => messages.length === 0 && keep_alive !== 0);
  const namesInMemory = async (): Promise<readonly string[]> =>
    (await provider.loaded(never())).map(({ name }) => name);

  async function runMixed(real: RealTroupe): Promise<readonly StoredEvent[]> {
    const handles = await real.api.delegateBatch(MIXED.map((agent) => ({ goal: "Write.", agent })));
    const results = await Promise.all(handles.map(({ taskId }) => real.api.collect(taskId)));
    expect(results.map(({ state }) => state)).toEqual(MIXED.map(() => "done"));
    const ends = new Set<string>();
    return eventsUntil(real.api, {}, ({ type, taskId }) => {
      if (type === "task.done") ends.add(taskId);
      return ends.size === MIXED.length;
    });
  }

  beforeAll(async () => {
    server = await startOllama(program as string, {
      OLLAMA_NUM_PARALLEL: "1",
      OLLAMA_MAX_LOADED_MODELS: "1",
      OLLAMA_MAX_QUEUE: "1",
    });
    provider = ollama({ baseUrl: server.baseUrl, fetch: runtimeFetch(), clock: systemClock });
  }, 60_000);
  afterEach(async () => {
    for (const { troupe } of open.splice(0)) await troupe.close();
    for (const name of await namesInMemory()) await provider.unload(name, { signal: never() });
  });
  afterAll(async () => {
    await server?.stop();
  });

  it("two models take turns: each is loaded once, nothing is ever refused for room", async () => {
    const real = await opened();
    const events = await runMixed(real);
    expect(events.filter(({ type }) => type === "generation.retried")).toEqual([]);
    expect(loadsOf(real).map(({ model }) => model)).toHaveLength(2);
    expect(await namesInMemory()).toHaveLength(1);
  });

  it("a model that does not fit beside the other is let go by command before the other is loaded", async () => {
    const real = await opened({ vramBytes: await roomForOne() });
    await runMixed(real);
    const moves = real.chats
      .filter(({ messages }) => messages.length === 0)
      .map(({ model, keep_alive }) => `${keep_alive === 0 ? "unload" : "load"} ${model.split(":")[0]}`);
    const [first, second] =
      moves[0] === `load ${PLAIN_MODEL}` ? [PLAIN_MODEL, TOOLS_MODEL] : [TOOLS_MODEL, PLAIN_MODEL];
    expect(moves).toEqual([`load ${first}`, `unload ${first}`, `load ${second}`]);
    expect(await namesInMemory()).toEqual([`${second}:latest`]);
  });

  it("G15 the server never loads a model anew for what we send: every turn finds it as it was loaded", async () => {
    const real = await opened();
    const { taskId: sessionId } = await real.api.createSession({ agent: "talker" });
    for (const text of ["One.", "Two."]) {
      await real.api.sendMessage(sessionId, { text });
      await eventsUntil(real.api, { taskId: sessionId }, ({ type }) => type === "answer.finished");
    }
    const child = await real.api.delegate({ goal: "Write.", agent: "writer" });
    await real.api.collect(child.taskId);
    const turns = real.chats.filter(({ messages }) => messages.length > 0);
    expect(turns.length).toBeGreaterThan(2);
    expect(turns.filter((turn) => "keep_alive" in turn)).toEqual([]);
    const [load] = loadsOf(real);
    expect(new Set(turns.map(({ shift, options }) => JSON.stringify([shift, options?.["num_ctx"]])))).toEqual(
      new Set([JSON.stringify([load?.shift, load?.options?.["num_ctx"]])]),
    );
    expect(loadsOf(real)).toHaveLength(1);
  });

  it("a server that is killed and started again is noticed: its model is loaded again, the task ends well", async () => {
    const real = await opened();
    const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
    await firstText(real.api, taskId);
    await server.kill();
    await eventsUntil(real.api, { taskId }, ({ type }) => type === "generation.retried");
    await server.restart();
    expect(await real.api.collect(taskId)).toMatchObject({ state: "done", failure: null });
    // The watch looks at once when a turn has ended well on a server that was away.
    let ours: ResidencyView | undefined;
    for (let looks = 0; looks < 1_000 && ours?.state !== "resident"; looks++) {
      const [gpu] = await real.api.gpus();
      ours = gpu?.residency.find(({ model }) => model === `${PLAIN_MODEL}:latest`);
    }
    expect(ours).toMatchObject({ state: "resident", problem: null });
    expect(real.logged.join("\n")).toContain("the model server does not answer");
  });

  it("a model that is removed under us fails the tasks that wait for it, and they alone", async () => {
    await copyModel(server.baseUrl, PLAIN_MODEL, "troupe-gone");
    const real = await opened();
    const gone = { goal: "Write.", agent: "writer", model: "troupe-gone" };
    const [first, second, other] = await Promise.all([
      real.api.delegate({ ...gone, goal: "Write a novel.", agent: "novelist" }),
      real.api.delegate(gone),
      real.api.delegate({ goal: "Write.", agent: "chatter" }),
    ]);
    await firstText(real.api, first.taskId);
    await deleteModel(server.baseUrl, "troupe-gone");
    const results = await Promise.all([first, second, other].map(({ taskId }) => real.api.collect(taskId)));
    expect(results.map(({ state, failure }) => [state, failure?.code])).toEqual([
      ["done", undefined],
      ["failed", "model_not_found"],
      ["done", undefined],
    ]);
    expect(results[1]?.failure?.message).toContain("ollama pull");
  });

  it("another program's model is shown as such, and ours is loaded again when it is asked for", async () => {
    const real = await opened();
    const write = async (): Promise<string> => {
      const { taskId } = await real.api.delegate({ goal: "Write.", agent: "writer" });
      return (await real.api.collect(taskId)).state;
    };
    expect(await write()).toBe("done");
    // With one model at a time this puts ours out.
    await copyModel(server.baseUrl, TOOLS_MODEL, "somebody-elses");
    await provider.preload("somebody-elses", { contextTokens: 256, signal: never() });
    const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
    await eventsUntil(real.api, { taskId }, ({ type }) => type === "task.done");
    expect(await namesInMemory()).toEqual([`${PLAIN_MODEL}:latest`]);
  });
});
