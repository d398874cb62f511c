// The real runtime under the conformance suite, in process and over sockets: its model answers a goal when the test
// says how, and until then it writes nothing.

import { fail, say, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import type { SimulatedClock } from "../../src/base/clock.ts";
import { serve } from "../../src/base/listen.ts";
import { silentLogger } from "../../src/base/log.ts";
import { textOf } from "../../src/core/message.ts";
import { HttpClient } from "../../src/http/client.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { rig, type Rig } from "../runtime/rig.ts";
import type { ApiHarness } from "./conformance.ts";

const TOKEN = "ab".repeat(32);
/** Time moves so far at once over sockets; what it caused then travels before it moves on. */
const STEP_MS = 500;

/** What became of each goal, once the test has said it. */
class Verdicts {
  readonly #byGoal = new Map<string, PromiseWithResolvers<Step>>();

  speak(goal: string, step: Step): void {
    this.#of(goal).resolve(step);
  }

  async *reply(request: GenerateRequest): AsyncGenerator<Step> {
    const [, first] = request.messages;
    yield await this.#of(first ? (textOf(first).split("\n\nContext:\n")[0] as string) : "").promise;
  }

  #of(goal: string): PromiseWithResolvers<Step> {
    const known = this.#byGoal.get(goal) ?? Promise.withResolvers<Step>();
    this.#byGoal.set(goal, known);
    return known;
  }
}

function verdictRig(): { readonly box: Rig; readonly hands: Pick<ApiHarness, "finishTask" | "failTask"> } {
  const verdicts = new Verdicts();
  const box = rig({
    reply: (request) => verdicts.reply(request),
    settings: {
      backends: [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 8, maxChildren: 8, local: true }],
    },
  });
  const end = async (taskId: string, step: Step): Promise<void> => {
    verdicts.speak((await box.api.check(taskId)).goal, step);
    await box.api.collect(taskId);
  };
  return {
    box,
    hands: {
      finishTask: (taskId, result) => end(taskId, say(result)),
      failTask: (taskId, { code, message }) => end(taskId, fail("refused", code, message)),
    },
  };
}

/** The runtime as it is. */
export async function runtimeHarness(): Promise<ApiHarness> {
  const { box, hands } = verdictRig();
  return {
    api: box.api,
    ...hands,
    advance: (ms) => box.clock.advance(ms),
    close: () => box.runtime.close(),
  };
}

/** HttpClient → server → runtime, on a loopback socket. */
export async function httpHarness(): Promise<ApiHarness> {
  const { box, hands } = verdictRig();
  const { clock, runtime } = box;
  let port = 0;
  const app = createHttpApp({
    api: (caller) => runtime.as(caller),
    gate: { tokens: [{ token: TOKEN, caller: OPERATOR }], port: () => port },
    clock,
    logger: silentLogger,
    version: "0.0.0-test",
  });
  const server = await serve(app.fetch, { hostname: "127.0.0.1", port: 0 });
  ({ port } = server);
  return {
    api: new HttpClient({ baseUrl: server.url, token: TOKEN, fetch, clock }),
    ...hands,
    advance: (ms) => advanceOverSocket(server.url, clock, ms),
    close: async () => {
      await runtime.close();
      await server.close();
    },
  };
}

/** A round trip after each step, so that what the timers caused on the wire arrives before the next ones fire. */
async function advanceOverSocket(url: string, clock: SimulatedClock, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    await clock.advance(Math.min(left, STEP_MS));
    for (let turn = 0; turn < 2; turn += 1) await (await fetch(`${url}/healthz`)).text();
  }
}
