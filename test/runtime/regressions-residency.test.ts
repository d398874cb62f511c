// A load that nobody wants any more is asked for no more, also in the moment in which its server comes back.

import { expect, test } from "vitest";
import type { Provider } from "../../providers/provider.ts";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { loadModel } from "../../src/runtime/residency-moves.ts";
import { FakeOllama } from "./fake-ollama.ts";

test("a load that is called off while it looks at a restarted server is not asked for again", async () => {
  const clock = new SimulatedClock();
  const server = new FakeOllama({ clock, models: ["a"], loadMs: 1_000 });
  const abort = new AbortController();
  let asked = 0;
  const provider: Provider = Object.assign(Object.create(server.provider) as Provider, {
    preload: async () => {
      asked += 1;
      throw new ProviderError({ kind: "network", code: "connection_lost" }, "The connection broke off.");
    },
    loaded: async (signal: AbortSignal) => {
      const models = await server.provider.loaded(signal);
      abort.abort("no longer wanted");
      return models;
    },
  });
  const ended = loadModel({
    provider,
    clock,
    signal: abort.signal,
    profile: { backend: "ollama", model: "a:latest", runner: { contextTokens: 512 } },
    digest: null,
    shownContext: null,
    sizeBytes: null,
    failures: 0,
    onShown: () => {},
  }).catch((reason: unknown) => reason);
  await clock.advance(1_000);
  expect(await ended).toBe("no longer wanted");
  expect([asked, server.loads]).toEqual([1, 0]);
});
