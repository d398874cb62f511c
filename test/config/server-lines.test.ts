import { expect, it } from "vitest";
import { serverLines, startAdvice } from "../../src/config/server-lines.ts";
import { parseConfig } from "../../src/config/load.ts";
import { planProviders } from "../../src/config/plan.ts";
import { model, provider } from "./discovery-fixture.ts";

const CONFIG = parseConfig(
  "providers: {box: {type: ollama, base_url: 'http://box:1'}, cloud: {type: openai, api_keys: [env:A, env:B]}}",
  "config.yaml",
);
const { plans } = planProviders(CONFIG, {});

it("tells what answered where, with how many models and which keys", () => {
  const providers = {
    box: provider([model("a", 1)], { simulated: true }),
    cloud: provider([], { type: "openai", version: null }),
  };
  expect(serverLines(plans, { providers, vramBytes: null })).toEqual([
    "box: ollama 0.33.0, simulated at http://box:1, 1 models",
    "cloud: openai at https://api.openai.com/v1, 0 models, with the keys in env:A, env:B",
  ]);
});

it("tells what does not answer, what to do, and what it had when it did", () => {
  const had = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => model(name, 1));
  const away = { reachable: false, problem: "Start it.", seenAt: Date.UTC(2026, 0, 2, 3, 4) };
  const [box, cloud] = serverLines(plans, { providers: { box: provider(had, away) }, vramBytes: null });
  expect(box).toBe(
    "warning: box cannot be used yet. Start it. Troupe starts without it, and takes it up when it answers. " +
      "Until then it counts as having what it had on 2026-01-02 03:04 UTC: a, b, c, d, e, f and 2 more.",
  );
  expect(cloud).toMatch(
    /^warning: cloud cannot be used yet. Nothing answers at https:\/\/api.openai.com\/v1. /,
  );
});

it("advises to start what does not run, once", () => {
  const [plan] = plans as readonly [(typeof plans)[number]];
  expect(startAdvice(plan, null)).toBe(
    "Expected a model server at http://box:1, got no answer. Type: ollama serve.",
  );
  expect(startAdvice(plan, "Type `ollama serve` there.")).toBe("Type `ollama serve` there.");
});

it("names the keys that were not taken, by their fingerprints, where there are others", () => {
  const refusedKeys = [{ fingerprint: "0123456789ab", source: "env:A", reason: "Expected a key, got 401." }];
  const [, cloud] = plans as readonly [unknown, (typeof plans)[number]];
  const lines = (more: object, plan = cloud): readonly string[] =>
    serverLines([plan], { providers: { cloud: provider([], { refusedKeys, ...more }) }, vramBytes: null });
  expect(lines({})[1]).toBe(
    "warning: cloud did not take the key 0123456789ab (env:A): Expected a key, got 401.",
  );
  expect(lines({ reachable: false })).toHaveLength(2);
  // Of a single key the server's own line says it all.
  expect(lines({ reachable: false }, { ...cloud, moreKeys: cloud.moreKeys.slice(0, 1) })).toHaveLength(1);
});
