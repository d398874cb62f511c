// A whole Troupe over a model server behind a socket, put together as `npm start` does it, from a config.

import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { compose, type Troupe } from "../../src/compose.ts";
import { configSchema } from "../../src/core/config-schema.ts";

export interface BoxTroupeOptions {
  readonly url: string;
  /** The model of the session and of its children. */
  readonly model: string;
  readonly slots: number;
  readonly maxChildren: number;
  readonly patienceS?: number;
}

export async function troupeOn(options: BoxTroupeOptions): Promise<Troupe> {
  const { url, model, slots, maxChildren, patienceS = 5 } = options;
  const config = configSchema.parse({
    model: `box/${model}`,
    toolsets: [],
    delegation: {
      model: `box/${model}`,
      default_toolsets: [],
      max_concurrent_children: maxChildren,
      max_spawn_depth: 3,
    },
    providers: { box: { type: "ollama", base_url: url, slots, max_children: maxChildren, num_ctx: 2_048 } },
    scheduler: { interactive_patience_s: patienceS },
    store: { durability: "none" },
    log: { level: "error" },
  });
  return compose({
    config,
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch: runtimeFetch(),
      env: {},
      cwd: "/tmp",
      writeLog: (line) => process.stderr.write(`${line}\n`),
    },
  });
}
