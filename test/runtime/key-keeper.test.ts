import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import type { Logger } from "../../src/base/log.ts";
import { planProviders } from "../../src/config/plan.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { KeyDesk } from "../../src/runtime/key-desk.ts";
import { KeyKeeper } from "../../src/runtime/key-keeper.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";

const ENV = { A: "sk-live-AAAA1111bbbb2222", B: "sk-live-CCCC3333dddd4444" };

function made(store: Pick<Store, "boxState" | "saveBoxState">, clock = new SimulatedClock()) {
  const provider = { type: "openai", base_url: "https://cloud.example/v1", api_keys: ["env:A", "env:B"] };
  const { plans } = planProviders(configSchema.parse({ providers: { cloud: provider } }), ENV);
  const credentials = new Credentials({ env: ENV, sources: plans });
  const desk = new KeyDesk({ plans, credentials, clock, random: { next: () => 0 } });
  const log: string[] = [];
  const note = (text: string): number => log.push(text);
  const logger = { debug: note, info: note, warn: note, error: note } as unknown as Logger;
  const keeper = new KeyKeeper({ desk, store, logger });
  const refuse = (kind: "auth" | "quota", code: string): void => {
    const ask = { need: { model: "m", tokens: 1 }, conversation: code, protocol: "openai", wake: () => true };
    const answer = desk.windowOf("cloud")!.pool.take(ask);
    if (answer.type !== "lease") throw new Error(`expected a lease, got ${answer.type}`);
    answer.lease.failed(new ProviderError({ kind, code }, "no"));
    answer.lease.end();
  };
  const states = (): readonly string[] => desk.shown("cloud").map(({ state }) => state);
  return { clock, desk, keeper, log, refuse, states };
}

const memory = (): MemoryStore => new MemoryStore({ clock: new SimulatedClock(), random: seededRandom(1) });

describe("what became of keys", () => {
  test("survives a restart, by fingerprint and without a secret", async () => {
    const store = memory();
    const before = made(store);
    await before.keeper.start();
    before.refuse("auth", "key_revoked");
    before.refuse("quota", "quota");
    expect(before.states()).toEqual(["dead", "exhausted"]);
    await before.keeper.settle();
    expect(JSON.stringify(await store.boxState("keys"))).not.toMatch(/sk-live|AAAA|CCCC/);
    const after = made(store);
    await after.keeper.start();
    // Nobody knows whether it was paid for meanwhile, so it is asked once.
    expect(after.states()).toEqual(["dead", "probing"]);
  });

  test("is forgotten once a person switched the key on again, and nothing is kept of keys that are well", async () => {
    const store = memory();
    const { keeper, desk, refuse } = made(store);
    await keeper.start();
    await keeper.settle();
    expect(await store.boxState("keys")).toBeNull();
    refuse("auth", "key_revoked");
    await keeper.settle();
    expect(await store.boxState("keys")).toHaveLength(1);
    desk.switchKey(desk.shown("cloud")[0]?.fingerprint as string, false);
    await keeper.settle();
    expect(await store.boxState("keys")).toBeNull();
  });

  test("keeps a key switched off", async () => {
    const store = memory();
    const before = made(store);
    await before.keeper.start();
    before.desk.switchKey(before.desk.shown("cloud")[1]?.fingerprint as string, true);
    await before.keeper.settle();
    const after = made(store);
    await after.keeper.start();
    expect(after.states()).toEqual(["ready", "disabled"]);
  });

  test("changes of one step are one write, and those of a write under way one more", async () => {
    const writes: unknown[] = [];
    const store = {
      boxState: async () => null,
      saveBoxState: async (_name: string, value: unknown) => void writes.push(value),
    };
    const { keeper, refuse } = made(store);
    await keeper.start();
    refuse("auth", "key_revoked");
    refuse("quota", "quota");
    await keeper.settle();
    expect(writes).toHaveLength(1);
    expect(writes[0]).toHaveLength(2);
  });

  test("a write that fails is told, and made up for by the next change", async () => {
    let isFull = true;
    const inner = memory();
    const store = {
      boxState: (name: string) => inner.boxState(name),
      saveBoxState: async (name: string, value: unknown) => {
        if (isFull) throw new Error("the disk is full");
        await inner.saveBoxState(name, value);
      },
    };
    const { keeper, refuse, log } = made(store);
    await keeper.start();
    refuse("auth", "key_revoked");
    await keeper.settle();
    expect(log).toEqual(["the states of API keys could not be kept"]);
    isFull = false;
    refuse("quota", "quota");
    await keeper.settle();
    expect(await inner.boxState("keys")).toHaveLength(2);
  });

  test("what somebody else wrote there stops nothing", async () => {
    const store = memory();
    await store.saveBoxState("keys", { not: "a list" });
    const { keeper, states } = made(store);
    await keeper.start();
    expect(states()).toEqual(["ready", "ready"]);
  });
});
