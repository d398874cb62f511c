// The adapter to a person's own Ollama, with Troupe's real provider over the simulated server's HTTP, on a virtual clock.

import { afterEach, describe, expect, it } from "vitest";
import { probeServer, RealServer, wordsOf } from "../../../bench/scheduler/real-server.ts";
import type { GenerationCall } from "../../../bench/scheduler/model-server.ts";
import { untilOver } from "../../../bench/scheduler/virtual-time.ts";
import { ollama } from "../../../providers/ollama.ts";
import { seededRandom } from "../../../src/base/ids.ts";
import { createSimulator, type Simulator } from "../../../src/simulator/simulator.ts";
import type { SimulatorConfig } from "../../../src/simulator/config.ts";
import { WorldClock } from "../../sim/clock.ts";

const NEVER = new AbortController().signal;
const MODELS = ["sim-worker", "sim-orchestrator"];
const GIB = 1_024 ** 3;
const open: Simulator[] = [];

afterEach(() => {
  for (const simulator of open.splice(0)) simulator.close();
});

function stage(config: Partial<SimulatorConfig> = {}) {
  const clock = new WorldClock();
  const simulator = createSimulator({ clock, random: seededRandom(1), config });
  open.push(simulator);
  const fetch = ((input: RequestInfo | URL, init?: RequestInit) =>
    simulator.app.request(input as string, init)) as typeof globalThis.fetch;
  const provider = ollama({ baseUrl: "http://simulated", fetch, clock });
  /** Moves the clock until it is there. */
  const played = async <T>(work: Promise<T>): Promise<T> => {
    await untilOver(
      work.then(() => {}),
      { clock, limitMs: 3_600_000 },
    );
    return work;
  };
  const probing = { models: MODELS, np: 2, contextTokens: 4_096, coldPrefillTokensPerS: 2_500 };
  const server = async () =>
    new RealServer({ provider, clock, probe: await played(probeServer(provider, probing)) });
  return { clock, simulator, server, played };
}

const call = (changes: Partial<GenerationCall> = {}): GenerationCall => ({
  model: "sim-worker",
  conversation: "task-1",
  promptTokens: 300,
  sharedTokens: 0,
  outputTokens: 12,
  onFirstToken: () => {},
  ...changes,
});

describe("probeServer", () => {
  it("finds how large models are, and that both fit", async () => {
    const { server } = stage();
    const { facts } = await server();
    expect(facts.models.map(({ name, np }) => [name, np])).toEqual(MODELS.map((name) => [name, 2]));
    const taken = facts.models.reduce((sum, model) => sum + model.bytes, 0);
    expect(facts.vramBytes).toBe(2 * taken);
  });

  it("finds that they do not fit together, by who is gone", async () => {
    const { server } = stage({ gpus: [{ id: "gpu0", vramBytes: 5 * GIB }] });
    const { facts } = await server();
    expect(facts.vramBytes).toBe(facts.models[1]?.bytes);
  });
});

describe("a real server", () => {
  it("R1 begins with nothing loaded, and counts what comes", async () => {
    const { server, played } = stage();
    const real = await server();
    await played(real.warmUp());
    expect(await played(real.loaded())).toEqual([]);
    await played(real.load("sim-worker"));
    await played(real.generate(call(), NEVER));
    expect((await played(real.loaded())).map(({ model }) => model)).toEqual(["sim-worker"]);
    expect(real.stats()).toMatchObject({ loads: 1, refused: 0, inFlight: 0, busyMs: null });
    await played(real.unload("sim-worker"));
    expect(await played(real.loaded())).toEqual([]);
    real.close();
  });

  it("asks for about as many tokens as are planned, and tells the first one and the server's figures", async () => {
    const { server, played } = stage();
    const real = await server();
    let first = 0;
    const figures = await played(real.generate(call({ onFirstToken: () => (first += 1) }), NEVER));
    expect(first).toBe(1);
    expect(figures.promptTokens).toBeGreaterThan(240);
    expect(figures.promptTokens).toBeLessThan(330);
    expect(figures.outputTokens).toBeLessThanOrEqual(12);
    expect(figures.cachedTokens).toBeNull();
    expect(figures.totalMs).toBeGreaterThanOrEqual(figures.promptMs + figures.outputMs);
  });

  it("says busy for a 503, and gives an abort its own reason", async () => {
    const { server, played } = stage({ maxQueue: 1, gpus: [{ id: "gpu0", vramBytes: 5 * GIB }] });
    const real = await server();
    const models = ["sim-worker", "sim-orchestrator", "sim-worker", "sim-orchestrator"];
    const asked = models.map((model, at) =>
      real.generate(call({ model, conversation: `task-${at}` }), NEVER).then(
        () => "ok",
        (error: { code?: string }) => error.code,
      ),
    );
    expect(await played(Promise.all(asked))).toContain("busy");
    expect(real.stats().refused).toBeGreaterThan(0);
    const gone = new AbortController();
    const aborted = real.generate(call(), gone.signal);
    gone.abort(new Error("cancelled"));
    await expect(played(aborted)).rejects.toThrow("cancelled");
  });
});

describe("wordsOf", () => {
  it("continues the same text for the same conversation", () => {
    const [short, long] = [wordsOf("task-1", 50), wordsOf("task-1", 80)];
    expect(long.startsWith(`${short} `)).toBe(true);
    expect(wordsOf("task-2", 50)).not.toBe(short);
  });
});
