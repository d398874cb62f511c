import { expect, it } from "vitest";
import { keepServers, keptServersOf, withKept } from "../../src/config/kept-discovery.ts";
import { parseConfig } from "../../src/config/load.ts";
import { planProviders } from "../../src/config/plan.ts";
import { model, provider } from "./discovery-fixture.ts";

const plansAt = (a: string) => {
  const yaml = `providers: {a: {type: auto, base_url: '${a}'}, b: {type: ollama, base_url: 'http://b:1'}}`;
  return planProviders(parseConfig(yaml, "config.yaml"), {}).plans;
};
const plans = plansAt("http://a:1/v1");
const away = provider([], { type: "openai", reachable: false, problem: "refused", version: null });
const models = [model("big:8b", 5, { vision: true }), model("small:1b", 1)];
const kept = keepServers(plans, { a: provider(models), b: provider([]) }, { kept: [], now: 7 });

it("what answered is kept, and stands in for it when it is away", () => {
  const again = keptServersOf(JSON.parse(JSON.stringify(kept)));
  expect(withKept(plans, { a: away, b: away }, again)).toEqual({
    a: { ...away, type: "ollama", models, seenAt: 7 },
    b: { ...away, type: "ollama", models: [], seenAt: 7 },
  });
});

it("what answers now goes before it", () => {
  const now = provider([model("new:1b", 1)]);
  expect(withKept(plans, { a: now, b: away }, kept)["a"]).toBe(now);
});

it("what was away keeps what it had, and what the config has no more is forgotten", () => {
  const later = keepServers(plans, { a: away, b: provider([]) }, { kept, now: 9 });
  expect(later.map(({ provider: name, seenAt }) => [name, seenAt])).toEqual([
    ["a", 7],
    ["b", 9],
  ]);
  expect(keepServers(plans.slice(1), { b: away }, { kept, now: 9 })).toEqual(kept.slice(1));
});

it("another address is another server", () => {
  expect(withKept(plansAt("http://elsewhere:1/v1"), { a: away }, kept)["a"]).toBe(away);
});

it.each([null, "text", [1], [{ schema: 2 }], [{ ...kept[0], models: "none" }]])(
  "what nobody of ours kept is left out: %j",
  (value) => {
    expect(keptServersOf(value)).toEqual([]);
  },
);
