// A secret of the config that lies in a file, too: a whole Troupe over real sockets, whose child reads that file.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { runtimeFetch } from "../../src/base/fetch.ts";
import { seededRandom, systemRandom } from "../../src/base/ids.ts";
import { serve, type Listening } from "../../src/base/listen.ts";
import { compose, type Troupe } from "../../src/compose.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { Message } from "../../src/core/message.ts";
import { createSimulator, type Simulator } from "../../src/simulator/simulator.ts";

const SECRET = "sk-very-secret-0123456789";

let simulator: Simulator;
let server: Listening;
let folder: string;
let troupe: Troupe;

beforeAll(async () => {
  simulator = createSimulator({
    clock: systemClock,
    random: seededRandom(1),
    config: { prefillTokensPerS: 200_000, decodeTokensPerS: 5_000, unloadMs: 1 },
  });
  server = await serve((request) => simulator.app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  folder = await mkdtemp(join(tmpdir(), "troupe-secrets-"));
  await writeFile(join(folder, "notes.md"), `# Notes\n\nThe key is ${SECRET}, says Ann.\n`);
  troupe = await compose({
    world: {
      clock: systemClock,
      random: systemRandom,
      fetch: runtimeFetch(),
      env: { CLOUD_KEY: SECRET },
      cwd: folder,
      writeLog: () => {},
    },
    config: configSchema.parse({
      model: "box/sim-orchestrator",
      delegation: { model: "box/sim-worker" },
      store: { durability: "none" },
      providers: {
        box: { type: "ollama", base_url: server.url },
        cloud: { type: "openai", base_url: "https://cloud.invalid/v1", api_key: "env:CLOUD_KEY" },
      },
    }),
  });
});

afterAll(async () => {
  await troupe.close();
  await server.close();
  simulator.close();
  await rm(folder, { recursive: true });
});

const resultsOf = ({ parts }: Message): string[] =>
  parts.flatMap((part) => (part.type === "tool_result" ? [part.text] : []));

test("a tool result that holds a known secret is in the transcript without it", async () => {
  const { api } = troupe;
  const { taskId } = await api.delegate({ goal: "Summarise notes.md", toolsets: ["file"] });
  expect(await api.collect(taskId, { timeoutMs: 10_000 })).toMatchObject({ state: "done" });
  const { items } = await api.transcript(taskId);
  const read = items.flatMap(({ message }) => resultsOf(message)).find((text) => text.includes("The key is"));
  expect(read).toContain("The key is [redacted], says Ann.");
  expect(JSON.stringify([items, await api.check(taskId)])).not.toContain(SECRET);
});
