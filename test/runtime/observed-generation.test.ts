import { describe, expect, test } from "vitest";
import { delay, SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { figuresOf, observed, outcomeOf } from "../../src/runtime/observed-generation.ts";
import type { GenerationSample } from "../../src/scheduler/scheduler.ts";
import type { GenerationUsage, ProviderEvent } from "../../providers/provider.ts";
import { collect, never, requestFor } from "../providers/collect.ts";

const USAGE: GenerationUsage = {
  promptTokens: 10,
  outputTokens: 5,
  loadMs: 100,
  promptMs: 20,
  outputMs: 30,
  totalMs: 200,
};
const MODEL = { provider: "gpu", model: "m", backend: "gpu" };

/** A model that says one word after 70 ms, and whatever it is told to end with 30 ms later. */
function stage(end: () => ProviderEvent = () => ({ type: "finished", reason: "stop", usage: USAGE })) {
  const clock = new SimulatedClock();
  const samples: GenerationSample[] = [];
  const ends: unknown[][] = [];
  const profile = { backend: "gpu", model: "m:latest", runner: { contextTokens: 512 } };
  const provider = observed(
    {
      async *generate(_request, { signal }) {
        yield { type: "started" } as const;
        await delay(clock, 70, signal);
        yield { type: "text", text: "word" } as const;
        await delay(clock, 30, signal);
        yield end();
      },
    },
    { id: "t1", parentId: "p1", model: MODEL, inFlight: 2 },
    {
      clock,
      residency: {
        profileOf: () => profile,
        enter: () => ({ end: (...thrown: unknown[]) => void ends.push(thrown) }),
      },
      scheduler: { observe: (sample) => void samples.push(sample) },
    },
  );
  const generate = (signal = never()) => provider.generate(requestFor("m"), { signal });
  return { clock, samples, ends, generate };
}

describe("a generation that is accompanied", () => {
  test("gives the events as they are, and tells what it cost once it is over", async () => {
    const { clock, samples, ends, generate } = stage();
    const work = collect(generate());
    await clock.advance(99);
    expect([samples, ends]).toEqual([[], []]);
    await clock.advance(1);
    expect((await work).events.map(({ type }) => type)).toEqual(["started", "text", "finished"]);
    expect(ends).toEqual([[undefined]]);
    expect(samples).toEqual([
      {
        backend: "gpu",
        profile: "m:latest@512",
        taskId: "t1",
        parentId: "p1",
        outcome: "ok",
        waitMs: 50,
        loadMs: 100,
        promptMs: 20,
        outputMs: 30,
        promptTokens: 10,
        outputTokens: 5,
        totalMs: 200,
        firstTokenMs: 70,
        inFlight: 2,
      },
    ]);
  });

  test("throws what the model threw, and tells it to who counts the uses", async () => {
    const refusal = new ProviderError({ kind: "overloaded", code: "overloaded" }, "Busy.");
    const { clock, samples, ends, generate } = stage(() => {
      throw refusal;
    });
    const work = collect(generate());
    await clock.advance(100);
    expect((await work).error).toBe(refusal);
    expect(ends).toEqual([[refusal]]);
    expect(samples).toMatchObject([{ outcome: "busy", totalMs: 100, firstTokenMs: 70, waitMs: 0 }]);
  });

  test("that was aborted, or whose reader left, was called off", async () => {
    const { clock, samples, generate } = stage();
    const control = new AbortController();
    const work = collect(generate(control.signal));
    await clock.advance(80);
    control.abort(new Error("steered"));
    expect((await work).error).toEqual(new Error("steered"));
    const reader = (async () => {
      for await (const event of generate()) if (event.type === "started") break;
    })();
    await reader;
    expect(samples).toMatchObject([
      { outcome: "aborted", totalMs: 80, outputTokens: 0 },
      { outcome: "aborted", firstTokenMs: null },
    ]);
  });
});

test("what was held up before anything was sent teaches nothing of the server", () => {
  const details = { held_up: true };
  const failure = new ProviderError({ kind: "rate_limited", code: "keys_busy" }, "No key.", { details });
  expect(outcomeOf({ usage: null, failure, aborted: false })).toBe("aborted");
});

test.each([
  { what: "out of memory", kind: "network", message: "CUDA error: out of memory", outcome: "oom" },
  {
    what: "memory at load",
    kind: "network",
    message: "model requires more system memory (9 GiB) than is available",
    outcome: "oom",
  },
  { what: "a full queue", kind: "overloaded", message: "Busy.", outcome: "busy" },
  { what: "a limit", kind: "rate_limited", message: "Slow down.", outcome: "busy" },
  { what: "silence", kind: "timeout", message: "No byte.", outcome: "timeout" },
  { what: "a broken line", kind: "network", message: "Reset.", outcome: "error" },
] as const)("$what of kind $kind is told as $outcome", ({ kind, message, outcome }) => {
  const failure = new ProviderError({ kind, code: kind }, message);
  expect(outcomeOf({ usage: null, failure, aborted: false })).toBe(outcome);
  expect(outcomeOf({ usage: null, failure: new Error(message), aborted: false })).toBe("error");
});

test("a server that tells no figures is measured by our clock alone", () => {
  const none = { waitMs: 0, loadMs: 0, promptMs: 0, outputMs: 0, promptTokens: 0, outputTokens: 0 };
  expect(figuresOf(null, 90)).toEqual({ ...none, totalMs: 90 });
  const silent = { ...USAGE, loadMs: 0, promptMs: 0, outputMs: 0, totalMs: 0 };
  expect(figuresOf(silent, 90)).toEqual({ ...none, promptTokens: 10, outputTokens: 5, totalMs: 90 });
  expect(figuresOf({ ...USAGE, totalMs: 120 }, 90)).toMatchObject({ waitMs: 0, totalMs: 120 });
});
