import { describe, expect, test } from "vitest";
import { ConfigError, LimitError } from "../../src/base/errors.ts";
import type { Fallback } from "../../src/core/routing.ts";
import type { ModelSettings } from "../../src/core/settings.ts";
import {
  candidatesOf,
  chooseRoute,
  crossing,
  inability,
  NO_ROUTE_FACTS,
  routeNote,
  targetKey,
  type Candidate,
  type RouteAnswer,
  type RouteQuestion,
} from "../../src/runtime/routing.ts";
import { modelAt, testSettings } from "./rig.ts";

function served(name: string, rest: Partial<ModelSettings> = {}): Candidate {
  const [backend = "", model = ""] = name.split("/");
  const provider = backend.replace(/@.*/, "");
  const settings = modelAt({ provider, model, backend }, rest);
  return { model: settings, local: !backend.startsWith("cloud") };
}

function choose(
  candidates: readonly Candidate[],
  rest: Partial<RouteQuestion> = {},
): RouteAnswer | LimitError {
  return chooseRoute({
    candidates,
    demand: { needs: new Set(), tokens: 100 },
    routing: { fallback: "none", maxWaitMs: null },
    escalate: false,
    facts: NO_ROUTE_FACTS,
    ...rest,
  });
}

const keys = (answer: RouteAnswer | LimitError): readonly string[] =>
  answer instanceof LimitError
    ? [answer.code]
    : (answer.route?.candidates ?? [answer.model.ref]).map(targetKey);

describe("what a model cannot do", () => {
  test.each([
    ["tools", { tools: false }, "it cannot call tools"],
    ["thinking", { thinking: false }, "it does not think"],
    ["vision", {}, "it takes no images"],
    ["tools", { tools: true }, null],
    ["thinking", { thinking: true }, null],
    ["vision", { vision: true }, null],
  ] as const)("needing %s, %j says %s", (need, rest, reason) => {
    expect(inability(served("gpu/m", rest), { needs: new Set([need]), tokens: 1 })).toBe(reason);
  });

  test.each([
    [1_000, 1_000, null],
    [1_000, 1_001, "goal and context take about 1001 tokens, and its context is 1000"],
    [null, 1_000_000, null],
  ])("with a context of %s, %i tokens say %s", (contextTokens, tokens, reason) => {
    expect(inability(served("gpu/m", { contextTokens }), { needs: new Set(), tokens })).toBe(reason);
  });
});

describe("between this box and a cloud (R1)", () => {
  const local = served("gpu/m");
  const cloud = served("cloud/m");
  const allowed = (from: Candidate, to: Candidate) =>
    (["none", "cloud_to_local", "local_to_cloud", "both"] as const).filter(
      (fallback: Fallback) => crossing(from, to, fallback) === null,
    );

  test("the way out and the way back are allowed apart", () => {
    expect(allowed(local, cloud)).toEqual(["local_to_cloud", "both"]);
    expect(allowed(cloud, local)).toEqual(["cloud_to_local", "both"]);
  });

  test("on one side a task may always go on", () => {
    expect(allowed(local, served("gpu1/m"))).toHaveLength(4);
    expect(allowed(cloud, served("cloud2/m"))).toHaveLength(4);
  });
});

describe("the choice at spawn", () => {
  test("is the first that can serve, with all others that can behind it", () => {
    const answer = choose(
      [
        served("gpu/a", { tools: false }),
        served("gpu/b"),
        served("gpu/c", { contextTokens: 10 }),
        served("gpu/d"),
      ],
      { demand: { needs: new Set(["tools"]), tokens: 100 } },
    );
    expect(keys(answer)).toEqual(["gpu:gpu/b", "gpu:gpu/d"]);
    expect(answer).toMatchObject({
      route: {
        skipped: [
          { model: "gpu/a", reason: "it cannot call tools" },
          { model: "gpu/c", reason: expect.stringContaining("its context is 10") as string },
        ],
      },
    });
  });

  test("of a single model makes no route", () => {
    expect(choose([served("gpu/a")])).not.toHaveProperty("route");
  });

  test("never begins in a cloud for a route that begins here, unless that is allowed", () => {
    const route = [served("gpu/a", { tools: false }), served("cloud/b")];
    const demand = { needs: new Set(["tools"] as const), tokens: 1 };
    for (const fallback of ["none", "cloud_to_local"] as const) {
      const refused = choose(route, { demand, routing: { fallback, maxWaitMs: null } });
      expect(refused).toMatchObject({ code: "no_candidate" });
      expect((refused as LimitError).message).toMatch(
        /gpu\/a: it cannot call tools; cloud\/b: it is a cloud's/,
      );
    }
    expect(keys(choose(route, { demand, routing: { fallback: "local_to_cloud", maxWaitMs: null } }))).toEqual(
      ["cloud:cloud/b"],
    );
  });

  test("passes a place over that has no key, and says why", () => {
    const facts = {
      ...NO_ROUTE_FACTS,
      refusalOf: ({ backend }: { readonly backend: string }) =>
        backend === "cloud" ? new ConfigError("key_missing", "Set GROQ.") : null,
    };
    const answer = choose([served("cloud/a"), served("cloud2/b")], { facts });
    expect(keys(answer)).toEqual(["cloud2:cloud2/b"]);
    expect(answer).toMatchObject({ route: { skipped: [{ model: "cloud/a", reason: "Set GROQ." }] } });
    expect(() => choose([served("cloud/a")], { facts })).toThrow(
      expect.objectContaining({ code: "key_missing" }) as Error,
    );
  });

  test("leaves what is sick or busy for too long, and says so, unless all are", () => {
    const route = [served("gpu0/a"), served("gpu1/b"), served("cloud/c")];
    const waits: Record<string, number> = { gpu0: 90_000, gpu1: 60_000, cloud: 999_000 };
    const facts = { ...NO_ROUTE_FACTS, waitMs: (backend: string) => waits[backend] ?? 0 };
    const routing = { fallback: "both", maxWaitMs: 60_000 } as const;
    const answer = choose(route, { facts, routing });
    expect(answer).toMatchObject({
      model: { ref: { model: "b" } },
      route: {
        skipped: [{ model: "gpu0/a", reason: "its turn would come in about 90 s (routing.max_wait_s)" }],
      },
    });
    expect(keys(choose(route, { facts, routing: { ...routing, maxWaitMs: 1_000 } }))[0]).toBe(
      "cloud:cloud/c",
    );
    expect(keys(choose(route, { facts, routing: { ...routing, maxWaitMs: null } }))[0]).toBe("gpu0:gpu0/a");
    const none = { ...routing, fallback: "none", maxWaitMs: 1_000 } as const;
    expect(keys(choose(route, { facts, routing: none }))[0]).toBe("gpu0:gpu0/a");
    const sick = { ...NO_ROUTE_FACTS, isSick: () => true };
    expect(choose(route, { facts: sick })).toMatchObject({
      model: { ref: { model: "a" } },
      route: { skipped: [] },
    });
  });

  test("of several servers with one local model is the least busy, of equals the first", () => {
    const load: Record<string, number> = { gpu0: 2, gpu1: 1, gpu2: 1 };
    const facts = { ...NO_ROUTE_FACTS, loadOf: (backend: string) => load[backend] ?? 0 };
    const same = [served("gpu0/m"), served("gpu1/m"), served("gpu2/m")];
    expect(keys(choose(same, { facts }))).toEqual(["gpu1:gpu1/m", "gpu0:gpu0/m", "gpu2:gpu2/m"]);
    const others = [served("gpu0/m"), served("gpu1/other"), served("cloud/m")];
    expect(keys(choose(others, { facts }))[0]).toBe("gpu0:gpu0/m");
  });
});

describe("names at spawn", () => {
  const settings = testSettings({
    backends: ["gpu0", "gpu1", "cloud"].map((name) => ({
      name,
      provider: name,
      gpu: null,
      slots: 1,
      maxChildren: 4,
      local: name !== "cloud",
    })),
    models: [served("gpu0/m"), served("gpu1/m"), served("cloud/m"), served("cloud/big")].map(
      ({ model }) => model,
    ),
    routing: { ...testSettings().routing, aliases: { work: ["gpu1/m", "cloud/big"] } },
  });
  const found = (...names: string[]) =>
    candidatesOf(names, settings).map(
      ({ model, local }) => `${targetKey(model.ref)} ${local ? "here" : "away"}`,
    );

  test.each([
    ["gpu1/m", ["gpu1:gpu1/m here"]],
    ["m", ["gpu0:gpu0/m here", "gpu1:gpu1/m here"]],
    ["big", ["cloud:cloud/big away"]],
    ["work", ["gpu1:gpu1/m here", "cloud:cloud/big away"]],
  ])("%s stands for %j", (name, expected) => {
    expect(found(name)).toEqual(expected);
  });

  test("stand once, however often they are named", () => {
    expect(found("work", "m", "gpu1/m")).toEqual([
      "gpu1:gpu1/m here",
      "cloud:cloud/big away",
      "gpu0:gpu0/m here",
    ]);
  });

  test("that nobody has are told with those that there are", () => {
    expect(() => found("gpu0/m", "gpt-9")).toThrow(
      /No provider has a model "gpt-9"\. Known: gpu0\/m, gpu1\/m/,
    );
  });
});

test("a note says what was passed over, and nothing when nothing was", () => {
  const ref = { provider: "gpu", model: "b", backend: "gpu" };
  const route = { candidates: [ref], skipped: [], escalate: false };
  expect(routeNote(ref, undefined)).toBeNull();
  expect(routeNote(ref, route)).toBeNull();
  expect(routeNote(ref, { ...route, skipped: [{ model: "gpu/a", reason: "it does not think" }] })).toBe(
    "It runs on gpu/b. Passed over: gpu/a: it does not think.",
  );
});
