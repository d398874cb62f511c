// A whole Troupe on a real Ollama: delegation through the API, children that generate, and a server that dies. Its
// model's words are noise; what is tried is the plumbing. Run by `npm run test:ollama`, with servers of its own,
// so it needs Ollama's program; skipped with the reason printed where there is none.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { settle, systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import { ollama } from "../../providers/ollama.ts";
import { findOllama, startOllama, type RealOllama } from "./setup.ts";
import { collect, never, requestFor } from "../providers/collect.ts";
import { copyModel, deleteModel, PLAIN_MODEL } from "./tiny-models.ts";
import { eventsUntil, firstText, troupeOn, type RealTroupe, type RealTroupeOptions } from "./troupe.ts";

const program = process.env["TROUPE_TEST_OLLAMA"] === "1" ? await findOllama() : null;
if (program === null) {
  process.stderr.write(
    "Troupe on a real Ollama: skipped, npm run test:ollama runs it where the program is\n",
  );
}

const isRetry = ({ type }: StoredEvent): boolean => type === "generation.retried";

describe.skipIf(program === null)("a Troupe on a real Ollama", { timeout: 90_000 }, () => {
  let server: RealOllama;
  const open: RealTroupe[] = [];

  async function opened(options: Partial<RealTroupeOptions> = {}): Promise<RealTroupe> {
    const real = await troupeOn({ baseUrl: server.baseUrl, ...options });
    open.push(real);
    return real;
  }

  /** Nothing is left running on our side: no task, no lease, no request. */
  async function expectIdle({ api, inFlight }: RealTroupe): Promise<void> {
    const { tasks } = await api.status();
    expect(tasks).toMatchObject({ spawned: 0, running: 0, steering: 0 });
    const lanes = (await api.gpus()).flatMap((gpu) => gpu.backends);
    expect(lanes.flatMap(({ leases, waiting }) => [...leases, ...waiting])).toEqual([]);
    expect(inFlight()).toBe(0);
  }

  beforeAll(async () => {
    server = await startOllama(program as string, { OLLAMA_NUM_PARALLEL: "1" });
  }, 60_000);
  afterEach(async () => {
    for (const { troupe } of open.splice(0)) await troupe.close();
  });
  afterAll(async () => {
    await server?.stop();
  });

  it("S1 three children on a one-slot server all write, one at a time", async () => {
    const real = await opened();
    const handles = await real.api.delegateBatch(
      ["one", "two", "three"].map((goal) => ({ goal: `Write ${goal}.`, agent: "writer" })),
    );
    const results = await Promise.all(handles.map(({ taskId }) => real.api.collect(taskId)));
    expect(results.map(({ state }) => state)).toEqual(["done", "done", "done"]);
    for (const { result, usage } of results) {
      expect(result).not.toBe("");
      expect(usage).toMatchObject({ outputTokens: 32, generations: 1 });
    }
    expect(real.peak()).toBe(1);
    await expectIdle(real);
  });

  it("an interrupting steer is delivered in the next turn, which goes on", async () => {
    const real = await opened();
    const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
    await firstText(real.api, taskId);
    await real.api.steer(taskId, { message: "Write something else.", interrupt: true, steerId: "s1" });
    await eventsUntil(real.api, { taskId }, ({ type }) => type === "steer.delivered");
    expect((await real.api.check(taskId)).steers).toMatchObject([
      { steerId: "s1", state: "delivered", turn: 2 },
    ]);
    expect(await real.api.collect(taskId)).toMatchObject({ state: "done", failure: null });
    await expectIdle(real);
  });

  it("a cancel closes the socket, and the server's only slot is free at once", async () => {
    const real = await opened();
    const novel = { goal: "Write a novel.", agent: "novelist" };
    const whole = await real.api.collect((await real.api.delegate(novel)).taskId);
    const { taskId } = await real.api.delegate(novel);
    await firstText(real.api, taskId);
    await real.api.cancel(taskId);
    expect(await real.api.collect(taskId)).toMatchObject({ state: "cancelled", failure: null });
    await expectIdle(real);
    // Its own count of the time has the wait for the slot in it, which would be most of a novel.
    const next = requestFor(PLAIN_MODEL, { contextTokens: 2048, maxOutputTokens: 1 });
    const provider = ollama({ baseUrl: server.baseUrl, fetch: runtimeFetch(), clock: systemClock });
    const { events } = await collect(provider.generate(next, { signal: never() }));
    const last = events.at(-1);
    expect(last?.type === "finished" && last.usage.totalMs).toBeLessThan(whole.usage.gpuMs / 2);
  });

  it("a person waits for the patience and the model's own time, and no longer", async () => {
    const patienceMs = 300;
    const real = await opened({ patienceMs });
    const { taskId: sessionId } = await real.api.createSession({ agent: "talker" });
    const ownMs = await ttft(real, sessionId);
    await eventsUntil(real.api, { taskId: sessionId }, ({ type }) => type === "answer.finished");
    const waits: number[] = [];
    for (let round = 0; round < 3; round++) {
      const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
      await firstText(real.api, taskId);
      waits.push(await ttft(real, sessionId));
      await eventsUntil(real.api, { taskId }, ({ type }) => type === "generation.preempted");
      await real.api.cancel(taskId);
      await real.api.collect(taskId);
    }
    const [, median = Infinity] = waits.toSorted((a, b) => a - b);
    expect(median).toBeLessThanOrEqual(patienceMs + ownMs + 100);
    expect(real.peak()).toBe(1);
  });

  it("a conversation that has filled the context is compacted by the server's word, and goes on", async () => {
    const real = await opened({ sessionModel: PLAIN_MODEL });
    const { taskId } = await real.api.createSession();
    const isAnswer = ({ type }: StoredEvent): boolean => type === "answer.finished";
    await real.api.sendMessage(taskId, { text: "Hello." });
    const first = (await eventsUntil(real.api, { taskId }, isAnswer)).at(-1);
    // Random characters are a token each, which no estimate from English expects.
    await real.api.sendMessage(taskId, { text: "And now?" });
    await eventsUntil(real.api, { taskId, after: first?.cursor ?? 0 }, isAnswer);
    const events = await eventsUntil(real.api, { taskId }, ({ type }) => type === "transcript.compacted");
    expect(events.some(({ type }) => type === "run.failed")).toBe(false);
    await real.api.closeSession(taskId);
    await expectIdle(real);
  });

  it("a model that is not there is refused with the command that gets it", async () => {
    await expect(opened({ model: "nope" })).rejects.toMatchObject({
      code: "model_missing",
      message: expect.stringContaining("ollama pull nope") as string,
    });
    const real = await opened();
    await expect(real.api.delegate({ goal: "Write.", model: "nope:7b" })).rejects.toMatchObject({
      code: "model_not_found",
      message: expect.stringContaining("ollama pull nope:7b") as string,
    });
  });

  it("a model that goes after the start fails the task at once, with the command that gets it", async () => {
    await copyModel(server.baseUrl, PLAIN_MODEL, "troupe-gone");
    const real = await opened({ model: "troupe-gone" });
    await deleteModel(server.baseUrl, "troupe-gone");
    const { taskId } = await real.api.delegate({ goal: "Write.", agent: "writer" });
    const { state, failure } = await real.api.collect(taskId);
    expect({ state, code: failure?.code }).toEqual({ state: "failed", code: "model_not_found" });
    expect(failure?.message).toContain("ollama pull");
    await expectIdle(real);
  });

  it("a model without tools runs without them, and is refused what was asked for", async () => {
    const real = await opened();
    const { taskId } = await real.api.delegate({ goal: "Write.", maxTurns: 1 });
    expect((await real.api.check(taskId)).toolsets).toEqual([]);
    await real.api.cancel(taskId);
    await expect(real.api.delegate({ goal: "Write.", toolsets: ["file"] })).rejects.toMatchObject({
      code: "model_without_tools",
    });
  });

  it("a server that dies in mid-stream costs no try: the tasks wait for it, and go on when it is back", async () => {
    const real = await opened();
    const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
    const others = await real.api.delegateBatch(
      ["one", "two", "three"].map((goal) => ({ goal: `Write ${goal}.`, agent: "writer" })),
    );
    const ids = [taskId, ...others.map((other) => other.taskId)];
    await firstText(real.api, taskId);
    await server.kill();
    for (const id of ids) {
      const retried = (await eventsUntil(real.api, { taskId: id }, isRetry)).at(-1);
      expect(retried).toMatchObject({ phase: "backing_off", data: { code: "server_away", attempt: 0 } });
      expect((await real.api.check(id)).waitsFor).toContain(`${server.baseUrl} has not answered since`);
    }
    expect(real.inFlight()).toBe(0);
    await server.restart();
    const results = await Promise.all(ids.map((id) => real.api.collect(id)));
    expect(results.map(({ state }) => state)).toEqual(ids.map(() => "done"));
    await expectIdle(real);
  });

  it("a server that stays away for longer than it may fails the task with a clear code, and the next one works", async () => {
    const real = await opened({ maxOutageS: 1 });
    const { taskId } = await real.api.delegate({ goal: "Write a novel.", agent: "novelist" });
    await firstText(real.api, taskId);
    await server.kill();
    try {
      const { state, failure } = await real.api.collect(taskId);
      expect({ state, code: failure?.code }).toEqual({ state: "failed", code: "unreachable" });
      expect(failure?.message).toContain("ollama serve");
      await expectIdle(real);
      const codes = (await eventsUntil(real.api, { taskId }, ({ type }) => type === "task.failed"))
        .filter(isRetry)
        .map(({ data }) => (data as { readonly code: string }).code);
      expect(codes).toEqual(["server_away", ...Array.from({ length: 4 }, () => "unreachable")]);
      expect((await real.api.providers())[0]).toMatchObject({ reachable: false });
    } finally {
      await server.restart();
    }
    const next = await real.api.delegate({ goal: "Write.", agent: "writer" });
    expect(await real.api.collect(next.taskId)).toMatchObject({ state: "done" });
  });

  it("a server without room answers 503, which is waited out", async () => {
    const narrow = await startOllama(program as string, {
      OLLAMA_NUM_PARALLEL: "1",
      OLLAMA_MAX_LOADED_MODELS: "1",
      OLLAMA_MAX_QUEUE: "1",
    });
    try {
      // Left to the server: what Troupe loads by plan never waits in that queue.
      const real = await opened({ baseUrl: narrow.baseUrl, slots: 8, manageModels: false });
      const agents = ["writer", "chatter", "writer", "chatter", "writer", "chatter", "writer", "chatter"];
      const handles = await real.api.delegateBatch(agents.map((agent) => ({ goal: "Write.", agent })));
      const results = await Promise.all(handles.map(({ taskId }) => real.api.collect(taskId)));
      expect(results.map(({ state }) => state)).toEqual(agents.map(() => "done"));
      const ends = new Set<string>();
      const events = await eventsUntil(real.api, {}, ({ type, taskId }) => {
        if (type === "task.done") ends.add(taskId);
        return ends.size === agents.length;
      });
      const retries = events.filter(isRetry).map(({ data }) => (data as { readonly code: string }).code);
      expect(new Set(retries)).toEqual(new Set(["overloaded"]));
      await expectIdle(real);
    } finally {
      for (const { troupe } of open.splice(0)) await troupe.close();
      await narrow.stop();
    }
  });

  /** Milliseconds from a person's message to the first word of its answer. */
  async function ttft({ api }: RealTroupe, sessionId: string): Promise<number> {
    const first = firstText(api, sessionId);
    await settle();
    const sentAt = systemClock.monotonic();
    await api.sendMessage(sessionId, { text: "Hello." });
    await first;
    return systemClock.monotonic() - sentAt;
  }
});
