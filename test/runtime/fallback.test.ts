import { describe, expect, test } from "vitest";
import {
  ConfigError,
  InternalError,
  LimitError,
  NotFoundError,
  ProviderError,
  type ProviderErrorKind,
} from "../../src/base/errors.ts";
import type { ModelRef, Reroute } from "../../src/core/task.ts";
import type { ModelSettings } from "../../src/core/settings.ts";
import {
  cloudCost,
  costReached,
  nextCandidate,
  refusalText,
  setbackOf,
  type FallbackQuestion,
} from "../../src/runtime/fallback.ts";
import type { Candidate } from "../../src/runtime/routing.ts";
import { modelAt } from "./rig.ts";

/** `gpu0/m`, `cloud/m`: a place whose backend has the name of its provider. */
function ref(name: string): ModelRef {
  const [provider = "", model = ""] = name.split("/");
  return { provider, model, backend: provider };
}

const PRICED = { promptPriceMicros: 2, outputPriceMicros: 2, priced: true };

interface Case extends Partial<Omit<FallbackQuestion, "began">> {
  readonly names: readonly string[];
  readonly went?: readonly string[];
  readonly models?: Readonly<Record<string, Partial<ModelSettings>>>;
  readonly gone?: readonly string[];
}

function question({ names, went = [], models = {}, gone = [], ...rest }: Case): FallbackQuestion {
  const stops = [names[0] as string, ...went];
  const candidateAt = (at: ModelRef): Candidate | null => {
    const name = `${at.provider}/${at.model}`;
    if (gone.includes(name)) return null;
    return { model: modelAt(at, models[name]), local: !at.backend.startsWith("cloud") };
  };
  return {
    route: { candidates: names.map(ref), skipped: [], escalate: false },
    began: ref(stops[0] as string),
    reroutes: went.map((to, at) => reroute(stops[at] as string, to, (at + 1) * 10)),
    setback: "away",
    routing: { fallback: "both", maxCostMicros: null },
    costMicros: 0,
    candidateAt,
    isAway: () => false,
    ...rest,
  };
}

function reroute(from: string, to: string, costMicros: number): Reroute {
  return { from: ref(from), to: ref(to), code: "network", reason: "down", time: 0, costMicros };
}

function next(given: Case): string {
  const answer = nextCandidate(question(given));
  if ("to" in answer) return `${answer.to.provider}/${answer.to.model}`;
  return answer.refused.map(({ model, reason }) => `${model}: ${reason}`).join("; ");
}

describe("what another model would mend", () => {
  const provider = (kind: ProviderErrorKind, code: string = kind) => new ProviderError({ kind, code }, "x");
  test.each([
    [provider("network"), "away"],
    [provider("timeout"), "away"],
    [provider("timeout", "stalled"), "away"],
    [provider("overloaded"), "away"],
    [provider("rate_limited"), "away"],
    [provider("quota"), "away"],
    [provider("auth"), "away"],
    [provider("refused", "model_not_found"), "away"],
    [provider("refused", "tools_unsupported"), "away"],
    [provider("context_length"), "long"],
    [provider("malformed", "bad_json"), "away"],
    [provider("malformed", "empty_answer"), "poor"],
    [provider("refused", "content_filter"), null],
    [new LimitError("budget", "x"), "spent"],
    [costReached(5, 9), "spent"],
    [new LimitError("price_unknown", "x"), "spent"],
    [new LimitError("max_turns", "x"), null],
    [new ConfigError("key_missing", "x"), "away"],
    [new NotFoundError("model_not_found", "x"), "away"],
    [new NotFoundError("task_not_found", "x"), null],
    [new InternalError("bug", "x"), null],
    ["a text", null],
  ])("%s is %s", (thrown, setback) => {
    expect(setbackOf(thrown)).toBe(setback);
  });
});

describe("the next candidate", () => {
  test("is the first of the route that was not tried (B1)", () => {
    const names = ["gpu0/m", "gpu1/m", "gpu2/m"];
    expect(next({ names })).toBe("gpu1/m");
    expect(next({ names, went: ["gpu2/m"] })).toBe("gpu1/m");
    expect(next({ names, went: ["gpu1/m", "gpu2/m"] })).toBe("");
  });

  test("is none after three changes (B1)", () => {
    const names = ["gpu0/m", "gpu1/m", "gpu2/m", "gpu3/m", "gpu4/m"];
    expect(next({ names, went: ["gpu1/m", "gpu2/m", "gpu3/m"] })).toBe(
      "gpu4/m: the task has changed its model 3 times",
    );
  });

  test("is one whose server is away only where nobody else is left, and never for a queue (B4)", () => {
    const names = ["gpu0/m", "gpu1/m", "gpu2/m"];
    const isAway = ({ provider }: ModelRef) => provider === "gpu1";
    expect(next({ names, isAway })).toBe("gpu2/m");
    expect(next({ names, isAway, went: ["gpu2/m"] })).toBe("gpu1/m");
    expect(next({ names, isAway, setback: "busy" })).toBe("gpu2/m");
    expect(next({ names, isAway, setback: "busy", went: ["gpu2/m"] })).toBe("gpu1/m: its server is away");
  });

  test("is also one that was left for its queue, but not for the queue of the next", () => {
    const names = ["gpu0/m", "gpu1/m"];
    const reroutes = [{ ...reroute("gpu0/m", "gpu1/m", 0), code: "long_queue" }];
    expect(next({ names, reroutes })).toBe("gpu0/m");
    expect(next({ names, reroutes, setback: "busy" })).toBe("");
  });

  test.each([
    ["none", ["gpu0/m", "gpu1/m"], "gpu1/m: routing.fallback is none"],
    ["cloud_to_local", ["gpu0/m", "gpu1/m"], "gpu1/m"],
    [
      "cloud_to_local",
      ["gpu0/m", "cloud/m"],
      "cloud/m: it is a cloud's, and routing.fallback (cloud_to_local) sends nothing there",
    ],
    ["cloud_to_local", ["cloud/m", "gpu0/m"], "gpu0/m"],
    ["cloud_to_local", ["cloud/m", "cloud2/m"], "cloud2/m"],
    ["local_to_cloud", ["gpu0/m", "cloud/m"], "cloud/m"],
    [
      "local_to_cloud",
      ["cloud/m", "gpu0/m"],
      "gpu0/m: it is on this box, and routing.fallback is local_to_cloud",
    ],
    ["both", ["gpu0/m", "cloud/m"], "cloud/m"],
  ] as const)("with fallback %s, along %j: %s (B2)", (fallback, names, expected) => {
    const routing = { fallback, maxCostMicros: null };
    expect(next({ names, routing })).toBe(expected);
  });

  test("of one that came from a cloud goes to no cloud again, unless that is allowed", () => {
    const names = ["cloud/m", "gpu0/m", "cloud2/m"];
    const routing = { fallback: "cloud_to_local", maxCostMicros: null } as const;
    expect(next({ names, went: ["gpu0/m"], routing })).toContain("sends nothing there");
  });

  test("has more room when the prompt was too long", () => {
    const models = {
      "gpu0/m": { contextTokens: 100 },
      "gpu1/m": { contextTokens: 100 },
      "gpu2/m": { contextTokens: 200 },
    };
    const names = ["gpu0/m", "gpu1/m", "gpu2/m"];
    expect(next({ names, models, setback: "long" })).toBe("gpu2/m");
    expect(next({ names: ["gpu2/m", "gpu0/m"], models, setback: "long" })).toBe(
      "gpu0/m: its context is no longer",
    );
    expect(next({ names: ["gpu2/m", "gpu3/m"], models, setback: "long" })).toBe("gpu3/m");
  });

  test("costs nothing when the money is spent", () => {
    const names = ["cloud/m", "cloud2/m", "gpu0/m"];
    expect(next({ names, models: { "cloud2/m": PRICED }, setback: "spent" })).toBe("gpu0/m");
    expect(next({ names, setback: "spent" })).toBe("gpu0/m");
    expect(next({ names, models: { "cloud2/m": { priced: true } }, setback: "spent" })).toBe("cloud2/m");
    expect(
      next({ names: ["cloud/m", "cloud2/m"], models: { "cloud2/m": PRICED }, setback: "spent" }),
    ).toContain("it costs money too");
  });

  test("of a place that the config has no more is what is there, and on this box only", () => {
    expect(next({ names: ["gpu0/m", "gpu1/m", "gpu2/m"], gone: ["gpu0/m", "gpu1/m"] })).toBe("gpu2/m");
    const refused = next({ names: ["gpu0/m", "gpu1/m", "cloud/m"], gone: ["gpu0/m", "gpu1/m"] });
    expect(refused).toContain("gpu1/m: the config has it no more");
    expect(refused).toContain("cloud/m: it is a cloud's, and the model before it is in the config no more");
  });

  test("after a poor answer does not ask routing.fallback whether it may stay on this box", () => {
    const routing = { fallback: "none", maxCostMicros: null } as const;
    expect(next({ names: ["gpu0/m", "gpu1/m"], setback: "poor", routing })).toBe("gpu1/m");
    expect(next({ names: ["gpu0/m", "cloud/m"], setback: "poor", routing })).toContain("sends nothing there");
  });
});

describe("the ceiling of what a task spends in clouds", () => {
  const routing = { fallback: "both", maxCostMicros: 50 } as const;
  const models = { "cloud/m": PRICED, "cloud2/m": PRICED };

  test("is asked of a cloud with a price only, and only of tasks that began here", () => {
    expect(next({ names: ["gpu0/m", "cloud/m"], routing, models })).toBe("cloud/m");
    expect(next({ names: ["gpu0/m", "cloud/m"], routing })).toContain("its price is not");
    expect(next({ names: ["gpu0/m", "gpu1/m"], routing })).toBe("gpu1/m");
    expect(next({ names: ["cloud/m", "cloud2/m"], routing })).toBe("cloud2/m");
  });

  test("counts what was spent in clouds, and not what a stay here cost", () => {
    // 10 on this box, then 10 in a cloud, then here, then a cloud again.
    const went = ["cloud/m", "gpu1/m", "cloud2/m"];
    const given = question({ names: ["gpu0/m", ...went], went, costMicros: 75 });
    expect(cloudCost(given)).toBe(20 - 10 + 75 - 30);
    expect(cloudCost(question({ names: ["cloud/m", "cloud2/m"], went: ["cloud2/m"], costMicros: 99 }))).toBe(
      0,
    );
    const names = ["gpu0/m", "cloud/m", "cloud2/m"];
    expect(next({ names, went: ["cloud/m"], routing, models, costMicros: 59 })).toBe("cloud2/m");
    expect(next({ names, went: ["cloud/m"], routing, models, costMicros: 60 })).toContain(
      "that much is spent",
    );
  });
});

test("nobody to ask is no reason, and everybody who refused is one", () => {
  expect(refusalText([])).toBe("");
  expect(refusalText([{ model: "gpu1/m", reason: "it is away" }])).toBe(
    " No other model of its route takes it. gpu1/m: it is away.",
  );
});
