// A whole Troupe as `npm start` puts it together, on a database and behind its port; its model answers at once, without
// a socket, so that nothing but Troupe is in the process.

import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { compose, type Troupe } from "../../src/compose.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { listen } from "../../src/listen.ts";
import { createSimulator } from "../../src/simulator/simulator.ts";

const MODEL = "sim-orchestrator";

/** One answer in Ollama's form, whole in one line. */
function answered(text: string): Response {
  const line = {
    model: MODEL,
    created_at: "2026-01-01T00:00:00Z",
    message: { role: "assistant", content: text },
    done: true,
    done_reason: "stop",
    prompt_eval_count: 100,
    eval_count: 100,
  };
  return new Response(`${JSON.stringify(line)}\n`, { headers: { "content-type": "application/x-ndjson" } });
}

/** An Ollama whose every word is `text`; everything but a generation is the simulator's own answer. */
function instantModel(text: string): typeof fetch {
  const { app } = createSimulator({ clock: systemClock, random: systemRandom });
  return async (input, init) => {
    const request = new Request(input, init);
    const isChat = new URL(request.url).pathname === "/api/chat";
    const body = isChat ? ((await request.clone().json()) as { messages: readonly unknown[] }) : null;
    return body !== null && body.messages.length > 0 ? answered(text) : app.request(request);
  };
}

export interface WholeServerOptions {
  readonly path: string;
  readonly slots: number;
  /** What its model says to everything. */
  readonly answer: string;
}

/** Serves from a free port of the loopback; the process ends with it. */
export async function wholeServer({ path, slots, answer }: WholeServerOptions): Promise<Troupe> {
  const model = `box/${MODEL}`;
  const world = {
    clock: systemClock,
    random: systemRandom,
    fetch: instantModel(answer),
    env: {},
    cwd: "/tmp",
    writeLog: (line: string) => void process.stderr.write(`${line}\n`),
  };
  const doors = { host: "127.0.0.1", port: 0, token: "t".repeat(43), allowedHosts: [], allowedOrigins: [] };
  const served = await listen({ ...doors, world, insecureAllowRemote: false });
  const config = configSchema.parse({
    model,
    toolsets: [],
    delegation: { model, default_toolsets: [], max_concurrent_children: 300 },
    providers: {
      box: {
        type: "ollama",
        base_url: "http://model.invalid",
        slots,
        max_children: slots + 1,
        num_ctx: 8_192,
      },
    },
    store: { path, durability: "normal" },
    log: { level: "error" },
  });
  const troupe = await compose({ world, config, boxId: "testbox" });
  served.open(troupe);
  return troupe;
}
