// Both providers against the simulated box, over sockets: the suite over all providers, played by a policy, a clock
// that stands still, a queue that is full and a server that goes away. What the box cannot be made to say is skipped
// with its reason; raw servers say that in the providers' own tests.

import { settle, SimulatedClock, systemClock, type Clock } from "../../src/base/clock.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { serve } from "../../src/base/listen.ts";
import { pieces } from "../../src/simulator/prompt.ts";
import { createSimulator, type Simulator } from "../../src/simulator/simulator.ts";
import type { ProviderOptions } from "../../providers/provider.ts";
import { model, SMALL } from "../simulator/fixtures.ts";
import { never, requestFor } from "./collect.ts";
import { providerConformance, type Scene, type Stage, type Subject } from "./conformance.ts";
import { OLLAMA, OPENAI, providerAt, type Dialect } from "./dialect.ts";

/** On a clock that is moved by hand, so slow that each token is a decision of the test. */
const TOKEN_MS = 1_000_000;
const FAST = { prefillTokensPerS: 1e9, decodeTokensPerS: 1e6, loadJitter: 0 };

/** What the model says, and whether it thinks; a cut answer has more to say than it may. */
function modelFor(scene: Scene) {
  const text =
    scene.does === "answers" ? scene.text.join("") : "text" in scene ? `${scene.text} and more` : "…";
  const {
    thinking = "",
    calls = [],
    reason,
  } = scene.does === "answers" ? scene : { reason: "stop" as const };
  const said = reason === "length" ? `${text} and more` : text;
  const answer = {
    text: said,
    thinking,
    calls: calls.map(({ name, arguments: args }) => ({ name, arguments: args })),
  };
  const isShort = scene.does === "refuses" && scene.kind === "context_length";
  return model("m", {
    loadMs: 0,
    contextTokens: isShort ? 4 : 4_096,
    thinking: thinking !== "",
    policy: () => answer,
  });
}

interface Scenery {
  readonly simulator: Simulator;
  readonly url: string;
  readonly closeServer: () => Promise<void>;
  /** Settles once this many chats wait or run on the box. */
  readonly busyWith: (count: number) => Promise<void>;
}

async function scenery(scene: Scene, clock: Clock, dialect: Dialect): Promise<Scenery> {
  const isSlow = scene.does !== "answers";
  const isFull = scene.does === "refuses" && scene.kind === "overloaded";
  const simulator = createSimulator({
    clock,
    random: seededRandom(7),
    config: {
      ...SMALL,
      ...FAST,
      models: [modelFor(scene), model("other")],
      slots: 2,
      keepAliveMs: -1,
      maxQueue: isFull ? 0 : 8,
      ...(isSlow && { decodeTokensPerS: 1000 / TOKEN_MS }),
    },
  });
  // While another model loads, a queue without room refuses everybody.
  if (isFull) void enter(simulator, "other", dialect).catch(() => {});
  else await loaded(simulator, clock, dialect);
  const server = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  return {
    simulator,
    url: server.url,
    closeServer: () => server.close(),
    busyWith: async (count) => {
      while (simulator.stats().generating < count) await settle();
    },
  };
}

/** Loads as the dialect's requests do, which would load the model anew if it stood there with other options. */
function enter({ box }: Simulator, name: string, dialect: Dialect) {
  const found = box.model(name);
  if (found === null) throw new Error(`The box has no model ${name}.`);
  const runnerOptions = dialect === OLLAMA ? { shift: false } : {};
  return box.enter({ model: found, contextTokens: null, runnerOptions, keepAliveMs: null, signal: never() });
}

/** Loads the model, which takes no time but a turn of the clock. */
async function loaded(simulator: Simulator, clock: Clock, dialect: Dialect): Promise<void> {
  const use = enter(simulator, "m", dialect);
  if (clock instanceof SimulatedClock) await clock.advance(0);
  (await use).leave();
}

/** Lets the text out and nothing of what follows; a box that breaks off closes then. */
async function play(scene: Scene, { busyWith, simulator }: Scenery, clock: SimulatedClock): Promise<void> {
  if (scene.does !== "stalls" && scene.does !== "breaks_off") return;
  for (let arrived = 1; arrived <= 2; arrived++) {
    await busyWith(arrived);
    for (const _ of pieces(scene.text)) await clock.advance(TOKEN_MS + 1);
    if (scene.does === "breaks_off") return simulator.close();
  }
}

function subject(dialect: Dialect): Subject {
  const silent = "the box has no keys, accounts or limits, so that it never says so";
  return {
    name: `${dialect.name} on the simulated box`,
    skipsKinds: {
      auth: silent,
      rate_limited: silent,
      quota: silent,
      malformed: "the box writes sound JSON only",
      ...(dialect === OPENAI && {
        context_length: "Ollama's /v1 cuts a long prompt silently, and so does the box",
      }),
    },
    async stage(scene): Promise<Stage> {
      const clock = scene.does === "answers" ? systemClock : new SimulatedClock();
      const scenes = await scenery(scene, clock, dialect);
      const { simulator, url, closeServer, busyWith } = scenes;
      const kind = scene.does === "refuses" ? scene.kind : null;
      if (kind === "network") await closeServer();
      if (clock instanceof SimulatedClock) void play(scene, scenes, clock);
      const options: Partial<ProviderOptions> =
        kind === "timeout" ? { clock: systemClock, deadlines: { firstByteMs: 20 } } : {};
      const limit =
        scene.does === "answers" && scene.reason === "length" ? pieces(scene.text.join("")).length : 64;
      return {
        provider: providerAt(dialect, url, options).provider,
        exact: true,
        ownFigures: true,
        request: () =>
          requestFor(kind === "refused" ? "nobody" : "m", {
            maxOutputTokens: limit,
          }),
        arrived: busyWith,
        inFlight: () => simulator.stats().generating,
        close: async () => {
          await closeServer();
          simulator.close();
        },
      };
    },
  };
}

providerConformance(subject(OLLAMA));
providerConformance(subject(OPENAI));
