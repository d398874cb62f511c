import { expect, test } from "vitest";
import { lineLogger } from "../src/base/log.ts";
import type { DiscoveredProvider, Discovery } from "../src/config/discovery.ts";
import { parseConfig } from "../src/config/load.ts";
import { planProviders } from "../src/config/plan.ts";
import { Credentials } from "../src/credentials/credentials.ts";
import { ProviderPool } from "../src/runtime/provider-pool.ts";
import { ServerFacts } from "../src/server-facts.ts";
import { MemoryStore } from "../src/store/memory.ts";
import { awayWorld, BOX_URL } from "./away-world.ts";

function rig(type: "ollama" | "auto" = "ollama", names: readonly string[] = ["box"]) {
  const away = awayWorld();
  const { clock, world } = away;
  const path = type === "auto" ? "/v1" : "";
  const servers = names.map((name) => `${name}: {type: ${type}, base_url: '${BOX_URL}${path}'}`);
  const config = parseConfig(`providers: {${servers.join(", ")}}`, "config.yaml");
  const { plans } = planProviders(config, {});
  const credentials = new Credentials({ env: {}, sources: plans });
  const store = new MemoryStore({ clock, random: world.random });
  const logger = lineLogger(world.writeLog, "info");
  const factsOf = () => {
    const pool = new ProviderPool({ plans, credentials, fetch: world.fetch, clock });
    return { pool, facts: new ServerFacts({ plans, pool, store, clock, logger }) };
  };
  return { away, clock, factsOf };
}

const box = (found: Discovery["providers"]): DiscoveredProvider => found["box"] as DiscoveredProvider;

test("a server that comes is told once, soon, and asked no more", async () => {
  const { away, clock, factsOf } = rig();
  const { facts } = factsOf();
  expect(box(await away.until(facts.start()))).toMatchObject({ reachable: false, models: [] });
  const told: Discovery["providers"][] = [];
  facts.watch(async (found) => void told.push(found));
  await clock.advance(60_000);
  expect(told).toEqual([]);
  away.comes();
  await away.untilSeen(() => told.length > 0);
  expect(told).toHaveLength(1);
  expect(box(told[0] ?? {}).models.length).toBeGreaterThan(1);
  expect(clock.pending).toBe(0);
  await facts.close();
});

test("what nobody could make use of is told again, and said once", async () => {
  const { away, clock, factsOf } = rig();
  const { facts } = factsOf();
  await away.until(facts.start());
  let times = 0;
  facts.watch(async () => {
    times += 1;
    if (times < 4) throw new Error("the model is not installed");
  });
  away.comes();
  await away.untilSeen(() => times === 4);
  await clock.advance(60_000);
  expect(times).toBe(4);
  expect(away.log.filter((line) => line.includes("the model is not installed"))).toHaveLength(1);
});

test("one that cannot be made use of keeps no other one out", async () => {
  const { away, factsOf } = rig("ollama", ["early", "later"]);
  const { facts } = factsOf();
  await away.until(facts.start());
  const told: string[][] = [];
  facts.watch(async (found) => {
    const there = Object.keys(found).filter((name) => found[name]?.reachable === true);
    if (there.includes("early")) throw new Error("the model is not installed");
    told.push(there);
  });
  away.comes();
  await away.untilSeen(() => told.length > 0);
  await away.clock.advance(60_000);
  expect(told).toEqual([["later"]]);
  await facts.close();
});

test("what a server had is known at the next start, and how it is spoken to", async () => {
  const { away, factsOf } = rig("auto");
  away.comes();
  const seen = box(await away.until(factsOf().facts.start()));
  expect(seen).toMatchObject({ type: "ollama", reachable: true });
  away.goes();
  const { facts, pool } = factsOf();
  const known = box(await away.until(facts.start()));
  expect(known).toMatchObject({ type: "ollama", reachable: false, models: seen.models });
  expect([pool.of("box").type, pool.of("box").baseUrl]).toEqual(["ollama", BOX_URL]);
});

test("after close nobody is asked or told", async () => {
  const { away, clock, factsOf } = rig();
  const { facts } = factsOf();
  await away.until(facts.start());
  let times = 0;
  facts.watch(async () => void (times += 1));
  away.comes();
  await facts.close();
  await clock.advance(60_000);
  expect([times, clock.pending]).toEqual([0, 0]);
});
