// A model server that knows nothing of loading models, whose process a test ends and starts again.

import type { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { fail, say, wait } from "../../providers/script.ts";
import type { Provider } from "../../providers/provider.ts";
import { scripted } from "../../providers/scripted.ts";

/** It answers after three seconds; `isKilled` lets each generation end it for two. */
export function plainServer(clock: SimulatedClock) {
  const state = { isDown: false, isKilled: false, generations: 0, questions: 0 };
  const answers = scripted({
    clock,
    reply: () => {
      state.generations++;
      if (state.isKilled) {
        state.isDown = true;
        clock.after(2_000, () => (state.isDown = false));
      }
      return state.isDown ? [fail("network")] : [wait(3_000), say("Gold.")];
    },
  });
  const provider: Provider = {
    type: "openai",
    baseUrl: "http://127.0.0.1:8080",
    generate: (request, rest) => answers.generate(request, rest),
    models: (signal) => answers.models(signal),
    describe: (model, signal) => answers.describe(model, signal),
    loaded: (signal) => answers.loaded(signal),
    preload: (model, rest) => answers.preload(model, rest),
    unload: (model, rest) => answers.unload(model, rest),
    server: (signal) => {
      state.questions++;
      const refused = new ProviderError({ kind: "network", code: "unreachable" }, "Nobody listens.");
      return state.isDown ? Promise.reject(refused) : answers.server(signal);
    },
  };
  return { state, provider };
}
