// A whole Troupe whose model does what an attacker tells it: an OpenAI-compatible server of this machine that makes the
// calls it is handed, one a turn, and then says "done".

import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../src/base/clock.ts";
import { systemRandom } from "../../src/base/ids.ts";
import { serve, type Listening } from "../../src/base/listen.ts";
import { compose, type Troupe, type World } from "../../src/compose.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { textOf } from "../../src/core/message.ts";

export interface Call {
  readonly tool: string;
  readonly args: object;
}

const chunk = (delta: object, reason: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`;

function streamed(delta: object, reason: string): Response {
  const body = [chunk(delta), chunk({}, reason), "data: [DONE]\n\n"].join("");
  return new Response(body, { headers: { "content-type": "text/event-stream" } });
}

/** What the model does next; "done" when nothing is left. */
function answer(next: Call | string | undefined): Response {
  if (next === undefined) return streamed({ content: "done" }, "stop");
  if (typeof next === "string") return streamed({ content: next }, "stop");
  const named = { name: next.tool, arguments: JSON.stringify(next.args) };
  return streamed(
    { tool_calls: [{ index: 0, id: "call_1", type: "function", function: named }] },
    "tool_calls",
  );
}

export interface Puppet {
  readonly troupe: Troupe;
  readonly folder: string;
  readonly modelUrl: string;
  /** A task whose model makes these calls, or says this; gives all that came of them, and what it ended with. */
  play(steps: readonly (Call | string)[], toolsets: readonly string[], more?: object): Promise<Played>;
  close(): Promise<void>;
}

export interface Played {
  readonly taskId: string;
  readonly result: string;
  /** What tools answered. */
  readonly told: readonly string[];
}

export interface PuppetOptions {
  readonly config?: object;
  readonly world?: Partial<World>;
  /** The tasks' workspace; a folder of their own when absent. */
  readonly workspace?: string;
}

export async function puppet({ config = {}, world = {}, workspace }: PuppetOptions = {}): Promise<Puppet> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "troupe-puppet-")));
  const next: (Call | string)[] = [];
  const model: Listening = await serve(
    (request) =>
      request.url.endsWith("/models") ? Response.json({ data: [{ id: "m" }] }) : answer(next.shift()),
    { hostname: "127.0.0.1", port: 0 },
  );
  const troupe = await compose({
    config: configSchema.parse({
      model: "c/m",
      workspace: workspace ?? folder,
      store: { durability: "none" },
      providers: { c: { type: "openai", base_url: `${model.url}/v1`, api_key: "local-key" } },
      ...config,
    }),
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch,
      env: { TROUPE_HOME: join(folder, "home") },
      cwd: folder,
      writeLog: () => {},
      ...world,
    },
  });
  return {
    troupe,
    folder,
    modelUrl: model.url,
    async play(steps, toolsets, more = {}) {
      next.splice(0, next.length, ...steps);
      const { taskId } = await troupe.api.delegate({ goal: "do it", toolsets, retryLimit: 0, ...more });
      const { result, failure } = await troupe.api.collect(taskId, { timeoutMs: 60_000 });
      const { items } = await troupe.api.transcript(taskId);
      const told = items.flatMap(({ message }) =>
        message.parts.flatMap((part) => (part.type === "tool_result" ? [part.text] : [])),
      );
      const last = items.at(-1);
      return { taskId, told, result: result ?? failure?.message ?? (last ? textOf(last.message) : "") };
    },
    close: async () => {
      await troupe.close();
      await model.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
