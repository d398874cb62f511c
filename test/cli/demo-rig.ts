// A model server for the demo's `--ollama`: one slot, and fast enough for a test.

import { systemClock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import { DEFAULT_MODELS, type SimulatedModel } from "../../src/simulator/config.ts";
import { workerPolicy } from "../../src/simulator/policies/worker.ts";
import { say, type Policy } from "../../src/simulator/policy.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

export interface ModelServer {
  readonly url: string;
  close(): Promise<void>;
}

/** With file tools and still able to talk, as a model is: answers a sum at once, and works on anything else. */
const allRounder: Policy = (request) =>
  request.messages.findLast((message) => message.role === "user")?.content.includes("17 * 23")
    ? say("It is 391.")
    : workerPolicy(request);

export const ALL_ROUNDER = "sim-all-rounder";
const SPEED = 10;

export async function modelServer(): Promise<ModelServer> {
  const models = [
    ...DEFAULT_MODELS,
    { ...(DEFAULT_MODELS[1] as SimulatedModel), name: ALL_ROUNDER, policy: allRounder },
  ];
  const fast = models.map((model) => ({
    ...model,
    loadMs: 10,
    prefillTokensPerS: 3_000 * SPEED,
    decodeTokensPerS: 60 * SPEED,
  }));
  const simulator = createSimulator({
    clock: systemClock,
    random: seededRandom(1),
    config: { models: fast, slots: 1 },
  });
  const listening = await serve((request) => simulator.app.fetch(request), {
    hostname: "127.0.0.1",
    port: 0,
  });
  return {
    url: listening.url,
    close: async () => {
      await listening.close();
      simulator.close();
    },
  };
}

/** What was written, without the sequences that colour it and move it. */
export function plain(text: string): string {
  const escape = String.fromCharCode(27);
  return text.replaceAll(new RegExp(`${escape}\\[[0-9;?]*[A-Za-z]`, "g"), "");
}
