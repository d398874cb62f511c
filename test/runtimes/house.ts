// A whole Troupe for the smoke program: a simulated box, the runtime on it, its HTTP server and a client of that, all
// over sockets of this runtime. It runs on the machine's clock, at rates that make every answer a matter of
// milliseconds, but for one model that writes for minutes and so is always there to be steered or cancelled.

import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { seededRandom, systemRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import { compose, type World } from "../../src/compose.ts";
import { listen } from "../../src/listen.ts";
import { configSchema, type Config } from "../../src/core/config-schema.ts";
import { parseSteer } from "../../src/core/transcript-marks.ts";
import { HttpClient } from "../../src/http/client.ts";
import type { BoxStats } from "../../src/simulator/box.ts";
import { DEFAULT_MODELS, type SimulatedModel } from "../../src/simulator/config.ts";
import { say, type Policy } from "../../src/simulator/policy.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

const TOKEN = "5c".repeat(32);
const FAST = { prefillTokensPerS: 1_000_000, decodeTokensPerS: 50_000, loadMs: 5 };
/** At 50 tokens a second it would take three minutes, unless somebody steers it. */
const NOVEL = "and so on ".repeat(3_000);

/** Writes a novel until it is steered; then it says what it was told and ends. */
const novelist: Policy = ({ messages }) => {
  const steers = messages.flatMap((message) =>
    message.role === "user" ? [parseSteer(message.content)] : [],
  );
  const steer = steers.findLast((text) => text !== null);
  return say(steer === undefined ? NOVEL : `I was told: ${steer}`);
};

const MODELS: readonly SimulatedModel[] = [
  ...DEFAULT_MODELS.map((model) => ({ ...model, ...FAST })),
  {
    ...(DEFAULT_MODELS[3] as SimulatedModel),
    ...FAST,
    name: "sim-novelist",
    policy: novelist,
    decodeTokensPerS: 50,
  },
];

function configAt(url: string, workspace: string): Config {
  return configSchema.parse({
    workspace,
    model: "sim-orchestrator",
    delegation: { model: "sim-worker" },
    agents: { novelist: { model: "sim-novelist", toolsets: [] } },
    // Asked by its OpenAI address: an Ollama found there is driven natively.
    providers: { box: { type: "auto", base_url: `${url}/v1`, slots: 2 } },
    store: { durability: "none" },
    log: { level: "error" },
  });
}

export interface House {
  readonly client: HttpClient;
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly stats: () => BoxStats;
  /** What was logged: nothing, if all goes well. */
  readonly logged: readonly string[];
  /** A client like the first, with another token. */
  clientWith(token: string): HttpClient;
  close(): Promise<void>;
}

export async function openHouse(workspace: string): Promise<House> {
  const clock = systemClock;
  const simulator = createSimulator({ clock, random: seededRandom(1), config: { models: MODELS, slots: 2 } });
  const box = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  const logged: string[] = [];
  const fetch = runtimeFetch();
  const world: World = {
    clock,
    random: systemRandom,
    fetch,
    env: {},
    cwd: workspace,
    writeLog: (line) => logged.push(line),
  };
  const served = await listen({
    host: "127.0.0.1",
    port: 0,
    token: TOKEN,
    world,
    allowedHosts: [],
    allowedOrigins: [],
    insecureAllowRemote: false,
  });
  const troupe = await compose({ world, config: configAt(box.url, workspace), link: served.listening.url });
  served.open(troupe);
  const { url, port } = served.listening;
  const clientWith = (token: string): HttpClient => new HttpClient({ baseUrl: url, token, fetch, clock });
  return {
    client: clientWith(TOKEN),
    url,
    port,
    token: TOKEN,
    stats: () => simulator.stats(),
    logged,
    clientWith,
    close: async () => {
      await served.close();
      await troupe.close();
      await box.close();
      simulator.close();
    },
  };
}
