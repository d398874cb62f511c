// A Troupe that starts while its model server is away, as after a power cut that both come back from in their own time.

import { expect, test } from "vitest";
import { compose, type Troupe } from "../src/compose.ts";
import { configSchema } from "../src/core/config-schema.ts";
import { MemoryStore } from "../src/store/memory.ts";
import { awayWorld, BOX_URL, type AwayWorld } from "./away-world.ts";

const NAMED = { model: "sim-orchestrator", delegation: { model: "sim-worker" } };

async function started(
  away: AwayWorld,
  written: Record<string, unknown>,
  store?: MemoryStore,
): Promise<Troupe> {
  const config = configSchema.parse({
    providers: { box: { type: "ollama", base_url: BOX_URL } },
    store: { durability: "none" },
    workspace: "/tmp",
    ...written,
  });
  return away.until(compose({ world: away.world, config, ...(store && { store }) }));
}

test("who watches the machines goes on seeing them when the server has come, each once", async () => {
  const away = awayWorld();
  const troupe = await started(away, NAMED);
  const { inspection } = troupe.runtime;
  const seen = new Set<string>();
  const stop = inspection.watch((frame) => seen.add(frame.actorId));
  away.comes();
  await away.untilSeen(() => troupe.settings.models.length > 2);
  const { taskId } = await troupe.api.delegate({ goal: "Say something", toolsets: [] });
  await away.until(troupe.api.collect(taskId));
  expect(seen).toContain(taskId);
  const actors = inspection.actors().map(({ actorId }) => actorId);
  expect(actors.filter((id) => id.startsWith("box/")).length).toBeGreaterThan(0);
  expect(actors).toEqual([...new Set(actors)]);
  stop();
  await away.until(troupe.close());
  expect(inspection.actors()).toEqual([]);
});

/** Stands for a file: what is in it is there again. */
class LastingStore extends MemoryStore {
  override close(): Promise<void> {
    return Promise.resolve();
  }
}

test("it starts, says what is missing, and serves when the server has come", async () => {
  const away = awayWorld();
  const troupe = await started(away, NAMED);
  expect(troupe.why[0]).toMatch(
    /^warning: box cannot be used yet\..*ollama serve.*takes it up when it answers\.$/,
  );
  await away.until(troupe.api.pause(true));
  const { taskId } = await troupe.api.delegate({ goal: "Say something", toolsets: [] });
  expect(troupe.settings.models).toHaveLength(2);
  away.comes();
  // What it really has is known now, and what was held is held.
  await away.untilSeen(() => troupe.settings.models.length > 2);
  expect(await troupe.api.status()).toMatchObject({ paused: true, simulated: true });
  await troupe.api.pause(false);
  expect(await away.until(troupe.api.collect(taskId))).toMatchObject({ state: "done" });
  await away.until(troupe.close());
});

test("models that nobody named are those of the last time", async () => {
  const away = awayWorld();
  const store = new LastingStore(away.world);
  away.comes();
  const first = await started(away, {}, store);
  const { parentModel, childModel, models } = first.settings;
  await away.until(first.close());
  away.goes();
  const second = await started(away, {}, store);
  expect(second.settings).toMatchObject({ parentModel, childModel, models });
  expect(second.why[0]).toMatch(/Until then it counts as having what it had on .*: sim-/);
  const before = second.runtime;
  away.comes();
  await away.untilSeen(() => away.log.join("\n").includes("box: ollama"));
  // Nothing of it is new: who works goes on.
  expect(second.runtime).toBe(before);
  await away.until(second.close());
});

test("where no model is named and none was ever seen, it says what to type and does not start", async () => {
  const away = awayWorld();
  const refused = started(away, {});
  await expect(refused).rejects.toMatchObject({ code: "provider_unreachable" });
  await expect(refused).rejects.toThrow(
    /ollama serve.*ollama pull qwen3:8b.*model: box\/qwen3:8b.*waits for it/,
  );
});

test("a model that the server turns out not to have is said, and what runs goes on", async () => {
  const away = awayWorld();
  const troupe = await started(away, { model: "qwen9:1b" });
  away.comes();
  await away.untilSeen(() => away.log.some((line) => /not used yet.*ollama pull qwen9:1b/.test(line)));
  await away.clock.advance(20_000);
  expect(away.log.filter((line) => /not used yet.*ollama pull qwen9:1b/.test(line))).toHaveLength(1);
  expect(await troupe.api.status()).toMatchObject({ simulated: false });
  await away.until(troupe.close());
});
