// A whole Troupe tells a real HTTP server how its tasks end, over a restart.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve, type Listening } from "../src/base/listen.ts";
import { systemClock } from "../src/base/clock.ts";
import { systemRandom } from "../src/base/ids.ts";
import { runtimeFetch } from "../src/base/fetch.ts";
import { compose, type Troupe } from "../src/compose.ts";
import { parseConfig } from "../src/config/load.ts";
import { startSimulatedBox, type RunningBox } from "../src/cli/simulated-box.ts";

interface Heard {
  readonly authorization: string | null;
  readonly key: string | null;
  readonly body: { readonly event: { readonly type: string; readonly task_id: string } };
}

const heard: Heard[] = [];
let hook: Listening;
let box: RunningBox;
let home: string;
let bell: (() => void) | null = null;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "troupe-callbacks-"));
  hook = await serve(
    async (request) => {
      const { headers } = request;
      const body = (await request.json()) as Heard["body"];
      heard.push({ authorization: headers.get("authorization"), key: headers.get("idempotency-key"), body });
      bell?.();
      return new Response(null, { status: 204 });
    },
    { hostname: "127.0.0.1", port: 0 },
  );
  box = await startSimulatedBox(systemClock);
});

afterAll(async () => {
  await Promise.all([hook.close(), box.close()]);
  await rm(home, { recursive: true, force: true });
});

function start(): Promise<Troupe> {
  const text = `
workspace: ${home}
providers: { box: { type: ollama, base_url: ${box.url} } }
callbacks: { ci: { url: ${hook.url}/hook, token: env:CI_TOKEN } }
`;
  return compose({
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch: runtimeFetch(),
      env: { TROUPE_HOME: home, CI_TOKEN: "s3cret-s3cret" },
      cwd: home,
      writeLog: () => {},
    },
    config: parseConfig(text, "config.yaml"),
  });
}

async function heardOf(taskId: string): Promise<Heard> {
  for (;;) {
    const found = heard.find(({ body }) => body.event.task_id === taskId);
    if (found) return found;
    await new Promise<void>((resolve) => (bell = resolve));
  }
}

test("a program hears of each end, with its key, also of ends after a restart", async () => {
  const first = await start();
  const one = await first.api.delegate({ goal: "Say hello." });
  const told = await heardOf(one.taskId);
  expect(told).toMatchObject({
    authorization: "Bearer s3cret-s3cret",
    body: { event: { type: "task.done" } },
  });
  await first.close();
  const second = await start();
  const two = await second.api.delegate({ goal: "Say hello again." });
  await heardOf(two.taskId);
  await second.close();
  // What was taken while the server stopped may come again, by the same key.
  const once = new Map(heard.map(({ key, body }) => [key, body.event.task_id]));
  expect([...once.values()]).toEqual([one.taskId, two.taskId]);
}, 30_000);
