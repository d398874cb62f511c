import { describe, expect, test } from "vitest";
import type { ModelSettings, Settings } from "../../src/core/settings.ts";
import type { ModelRef, Reroute } from "../../src/core/task.ts";
import { equalPlaces, failuresOf, namesOf, withMove } from "../../src/runtime/equal-places.ts";
import { modelAt, testSettings } from "./rig.ts";

const at = (backend: string, model = "m"): ModelRef => ({ provider: "ollama", model, backend });
const WHEN = { time: 5, costMicros: 0 };

function settings(facts: Readonly<Record<string, Partial<ModelSettings>>> = {}): Settings {
  const names = ["a", "b", "c", "cloud"];
  return testSettings({
    backends: names.map((name) => ({
      name,
      provider: "ollama",
      gpu: null,
      slots: 1,
      maxChildren: 1,
      local: name !== "cloud",
    })),
    models: [...names.map((name) => modelAt(at(name), facts[name])), modelAt(at("a", "other"))],
  });
}

function places(
  { facts = {}, reroutes = [] as readonly Reroute[], kind = "task" as "task" | "session" },
  candidates = [at("a"), at("b"), at("c"), at("cloud"), at("a", "other")],
): readonly string[] {
  const route = { candidates, skipped: [], escalate: false };
  return equalPlaces(
    { kind, route },
    { model: reroutes.at(-1)?.to ?? at("a"), reroutes },
    settings(facts),
  ).map(({ backend }) => backend);
}

describe("the equals of a place", () => {
  test("are the other local servers with the same model, in the order of the route", () => {
    expect(places({})).toEqual(["b", "c"]);
    expect(places({}, [at("c"), at("a"), at("b")])).toEqual(["c", "b"]);
  });

  test("are none for a session, nor for what has no route", () => {
    expect(places({ kind: "session" })).toEqual([]);
    expect(equalPlaces({ kind: "task" }, { model: at("a"), reroutes: [] }, settings())).toEqual([]);
  });

  test.each([{ contextTokens: 512 }, { tools: false }, { thinking: true }, { vision: true }])(
    "have the same abilities: not one with %o",
    (fact) => {
      expect(places({ facts: { b: fact } })).toEqual(["c"]);
    },
  );

  test("are none of those that the config has no more, and none from a cloud", () => {
    expect(places({}, [at("a"), at("gone")])).toEqual([]);
    expect(
      places({ reroutes: [{ from: at("a"), to: at("cloud"), code: "network", reason: "", ...WHEN }] }),
    ).toEqual([]);
  });

  test("Q1 hold what it left for a freer one, and not what failed it", () => {
    const failed = { from: at("a"), to: at("b"), code: "network", reason: "", ...WHEN };
    expect(places({ reroutes: [failed] })).toEqual(["c"]);
    const { reroutes } = withMove({ model: at("a"), reroutes: [] }, { to: at("b"), ...WHEN });
    expect(places({ reroutes })).toEqual(["a", "c"]);
    expect(places({ reroutes: [{ ...failed, code: "server_away" }] })).toEqual(["a", "c"]);
  });
});

describe("a move to an equal", () => {
  test("Q2 is no failure, and of several in a row the last one stands, or none when it is back", () => {
    const first = withMove({ model: at("a"), reroutes: [] }, { to: at("b"), ...WHEN });
    expect(first.made).toMatchObject({ code: "freer_backend", reason: "It waited on a, and b has room." });
    expect(failuresOf(first.reroutes)).toEqual([]);
    const second = withMove({ model: at("b"), reroutes: first.reroutes }, { to: at("c"), ...WHEN });
    expect(second.reroutes).toMatchObject([{ from: at("a"), to: at("c") }]);
    expect(second.made).toMatchObject({ from: at("b"), to: at("c") });
    expect(
      withMove({ model: at("c"), reroutes: second.reroutes }, { to: at("a"), ...WHEN }).reroutes,
    ).toEqual([]);
  });

  test("keeps the failures before it", () => {
    const failed = { from: at("c"), to: at("a"), code: "network", reason: "", ...WHEN };
    const { reroutes } = withMove({ model: at("a"), reroutes: [failed] }, { to: at("b"), ...WHEN });
    expect(reroutes).toMatchObject([failed, { from: at("a"), to: at("b") }]);
    expect(failuresOf(reroutes)).toEqual([failed]);
  });
});

describe("the names of a change", () => {
  test("say the backend where nothing else differs", () => {
    expect(namesOf({ from: at("a"), to: at("b") })).toEqual({ from: "ollama/m on a", to: "ollama/m on b" });
    expect(namesOf({ from: at("a"), to: at("b", "other") })).toEqual({
      from: "ollama/m",
      to: "ollama/other",
    });
  });
});
