// A whole Troupe, as a person starts it: config, a model server over a real socket, the runtime, HTTP and its client.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../src/base/clock.ts";
import { runtimeFetch } from "../src/base/fetch.ts";
import { seededRandom, systemRandom } from "../src/base/ids.ts";
import { serve, type Listening } from "../src/base/listen.ts";
import { compose, type World } from "../src/compose.ts";
import { listen } from "../src/listen.ts";
import { configSchema } from "../src/core/config-schema.ts";
import { HttpClient } from "../src/http/client.ts";
import { createSimulator, type Simulator } from "../src/simulator/simulator.ts";

let simulator: Simulator;
let server: Listening;
let folder: string;
const log: string[] = [];

beforeAll(async () => {
  simulator = createSimulator({
    clock: systemClock,
    random: seededRandom(1),
    config: { prefillTokensPerS: 200_000, decodeTokensPerS: 5_000, unloadMs: 1 },
  });
  server = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  folder = await mkdtemp(join(tmpdir(), "troupe-compose-"));
  await writeFile(join(folder, "notes.md"), "# Notes\n\nFirst line.\n");
});

afterAll(async () => {
  await server.close();
  simulator.close();
  await rm(folder, { recursive: true });
});

function world(env: Record<string, string> = {}): World {
  return {
    clock: systemClock,
    random: systemRandom,
    fetch: runtimeFetch(),
    env,
    cwd: folder,
    writeLog: (line) => log.push(line),
  };
}

function configFor(url: string) {
  return configSchema.parse({
    model: "sim-orchestrator",
    delegation: { model: "sim-worker" },
    store: { durability: "none" },
    providers: { box: { type: "ollama", base_url: url } },
  });
}

describe("compose", () => {
  test("a child reads a real file and its result comes back over HTTP", async () => {
    const token = "0".repeat(64);
    const served = await listen({
      host: "127.0.0.1",
      port: 0,
      token,
      world: world(),
      allowedHosts: [],
      allowedOrigins: [],
      insecureAllowRemote: false,
    });
    const early = await fetch(`${served.listening.url}/v1/status`);
    expect([early.status, early.headers.get("content-type"), early.headers.get("retry-after")]).toEqual([
      503,
      "application/problem+json",
      "1",
    ]);
    const client = new HttpClient({ baseUrl: served.listening.url, token, fetch, clock: systemClock });
    await expect(client.status()).rejects.toMatchObject({ kind: "store", code: "starting" });
    const troupe = await compose({
      world: world(),
      config: configFor(server.url),
      link: served.listening.url,
    });
    served.open(troupe);
    try {
      expect(troupe.settings.simulated).toBe(true);
      const handle = await client.delegate({ goal: "Summarise notes.md", toolsets: ["file"] });
      expect(handle.link).toBe(`${served.listening.url}/#/task/${handle.taskId}`);
      const result = await client.collect(handle.taskId, { timeoutMs: 10_000 });
      expect(result).toMatchObject({ finished: true, state: "done" });
      expect(result.result).toContain("notes.md");
      expect((await client.status()).tasks.done).toBe(1);
    } finally {
      await served.close();
      await troupe.close();
    }
  });

  test("nothing that answers, where no model is named, is an error that says what to type", async () => {
    const { model: _, ...unnamed } = configFor("http://127.0.0.1:9");
    await expect(compose({ world: world(), config: unnamed })).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("http://127.0.0.1:9") as string,
    });
  });

  test("a key that is missing is found at the spawn, and no task is made", async () => {
    const config = configSchema.parse({
      model: "box/sim-orchestrator",
      delegation: { model: "cloud/big" },
      store: { durability: "none" },
      providers: {
        box: { type: "ollama", base_url: server.url },
        cloud: { type: "openai", base_url: "https://cloud.invalid/v1", api_key: "env:CLOUD_KEY" },
      },
    });
    const troupe = await compose({ world: world(), config });
    try {
      await expect(troupe.api.delegate({ goal: "dig" })).rejects.toMatchObject({
        code: "credential_missing",
      });
      expect((await troupe.api.list()).items).toEqual([]);
    } finally {
      await troupe.close();
    }
  });

  test("no secret reaches the log", async () => {
    const secret = "sk-very-secret-0123456789";
    const config = configSchema.parse({
      model: "box/sim-orchestrator",
      store: { durability: "none" },
      log: { level: "debug" },
      providers: {
        box: { type: "ollama", base_url: server.url },
        cloud: { type: "openai", base_url: "https://cloud.invalid/v1", api_key: "env:CLOUD_KEY" },
      },
    });
    const troupe = await compose({ world: world({ CLOUD_KEY: secret }), config });
    try {
      troupe.logger.warn(`the key is ${secret}`);
      expect(log.join("\n")).not.toContain(secret);
      expect(log.at(-1)).toContain("[redacted]");
      expect(troupe.why.join("\n")).not.toContain(secret);
    } finally {
      await troupe.close();
    }
  });
});
