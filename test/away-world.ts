// A world whose model server is a simulated box that can be away: nothing listens then. On a virtual clock.

import { SimulatedClock } from "../src/base/clock.ts";
import { seededRandom } from "../src/base/ids.ts";
import type { World } from "../src/compose.ts";
import { DEFAULT_MODELS, type SimulatedModel } from "../src/simulator/config.ts";
import { createSimulator } from "../src/simulator/simulator.ts";

export const BOX_URL = "http://127.0.0.1:7";

export interface AwayWorld {
  readonly world: World;
  readonly clock: SimulatedClock;
  readonly log: readonly string[];
  /** Moves the clock until the promise settles, and gives what it came to. */
  until<T>(promise: Promise<T>): Promise<T>;
  /** Moves the clock until something can be seen. */
  untilSeen(look: () => boolean): Promise<void>;
  comes(): void;
  goes(): void;
}

export function awayWorld(models: readonly SimulatedModel[] = DEFAULT_MODELS): AwayWorld {
  const clock = new SimulatedClock();
  const simulator = createSimulator({ clock, random: seededRandom(1), config: { models } });
  const log: string[] = [];
  let isAway = true;
  const ask = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (isAway) throw new TypeError("fetch failed", { cause: { code: "ECONNREFUSED" } });
    return simulator.app.fetch(new Request(input, init));
  };
  return {
    clock,
    log,
    world: {
      clock,
      random: seededRandom(2),
      fetch: ask as typeof fetch,
      env: {},
      cwd: "/tmp",
      writeLog: (line) => log.push(line),
    },
    until: async (promise) => {
      let isOver = false;
      const over = (): void => void (isOver = true);
      promise.then(over, over);
      while (!isOver) await clock.advance(50);
      return promise;
    },
    untilSeen: async (look) => {
      while (!look()) await clock.advance(50);
    },
    comes: () => {
      isAway = false;
    },
    goes: () => {
      isAway = true;
    },
  };
}
