import { describe, expect, it } from "vitest";
import type { Discovery } from "../../src/config/discovery.ts";
import { discovery, model, provider } from "./discovery-fixture.ts";
import { resolved, two, unresolved } from "./resolved-fixture.ts";

const SERVERS = `providers:
  gpu0: {type: ollama, base_url: "http://127.0.0.1:11434"}
  gpu1: {type: ollama, base_url: "http://127.0.0.1:11435"}
  groq: {type: openai, base_url: "https://api.groq.com/openai/v1", api_key: env:GROQ}
`;
const FOUND: Discovery = {
  providers: {
    gpu0: provider([model("qwen3:8b", 5), model("nomic", 1, { embeddingOnly: true })]),
    gpu1: provider([model("qwen3:8b", 5), model("tiny:1b", 1)]),
    groq: provider([model("llama-70b", null, { contextTokens: 131_072 })], { type: "openai" }),
  },
  vramBytes: null,
};

describe("aliases and routes", () => {
  it("are written as provider/model, in the order of the route, a bare name as every local server that has it", () => {
    const { settings, why } = resolved(
      `${SERVERS}model: gpu0/qwen3:8b
models: {small: "gpu1/tiny:1b", work: [small, groq/llama-70b]}
delegation: {route: ["qwen3:8b", work]}
agents: {a: {route: [small, "gpu0/qwen3:8b"], needs: [thinking], escalate: true}, b: {model: work}, c: {model: small}}
`,
      FOUND,
    );
    expect(settings.routing.aliases).toEqual({
      small: ["gpu1/tiny:1b"],
      work: ["gpu1/tiny:1b", "groq/llama-70b"],
    });
    expect(settings.childModel).toEqual({ provider: "gpu0", model: "qwen3:8b", backend: "gpu0" });
    expect(settings.childAgent.route).toEqual([
      "gpu0/qwen3:8b",
      "gpu1/qwen3:8b",
      "gpu1/tiny:1b",
      "groq/llama-70b",
    ]);
    expect(settings.agents[0]).toMatchObject({
      model: "gpu1/tiny:1b",
      route: ["gpu1/tiny:1b", "gpu0/qwen3:8b"],
      needs: ["thinking"],
      escalate: true,
    });
    expect(settings.agents[1]?.route).toEqual(["gpu1/tiny:1b", "groq/llama-70b"]);
    expect(settings.agents[2]).toMatchObject({ model: "gpu1/tiny:1b" });
    expect(settings.agents[2]).not.toHaveProperty("route");
    expect(why.join("\n")).toContain(
      "children: gpu0/qwen3:8b, named by delegation.route, then gpu1/qwen3:8b, gpu1/tiny:1b, groq/llama-70b",
    );
  });

  it("may be the session's model, which children inherit", () => {
    const { settings } = resolved(
      `${SERVERS}models: {work: ["gpu1/tiny:1b", groq/llama-70b]}\nmodel: work\n`,
      FOUND,
    );
    expect(settings.parentModel.model).toBe("tiny:1b");
    expect(settings.sessionAgent.route).toEqual(["gpu1/tiny:1b", "groq/llama-70b"]);
    expect(settings.childAgent.route).toEqual(settings.sessionAgent.route);
  });

  it("take the defaults that send nothing away", () => {
    expect(resolved("", two).settings.routing).toEqual({
      fallback: "cloud_to_local",
      maxCostMicros: null,
      maxWaitMs: null,
      maxOutageMs: null,
      aliases: {},
    });
    const yaml = "routing: {fallback: both, max_cost_micros: 5, max_wait_s: 1.5, max_outage_s: 60}\n";
    expect(resolved(yaml, two).settings.routing).toMatchObject({
      fallback: "both",
      maxCostMicros: 5,
      maxWaitMs: 1500,
      maxOutageMs: 60_000,
    });
  });

  it.each([
    ["none", 1],
    ["cloud_to_local", 1],
    ["local_to_cloud", 0],
    ["both", 0],
  ])("with fallback %s warn of a cloud behind a local model %i times", (fallback, times) => {
    const yaml = `${SERVERS}model: gpu0/qwen3:8b\nagents: {a: {route: ["gpu0/qwen3:8b", groq/llama-70b]}}\n`;
    const { why } = resolved(`${yaml}routing: {fallback: ${fallback}}\n`, FOUND);
    const told = why.filter((line) => line.startsWith("warning: agents.a.route names groq/llama-70b behind"));
    expect(told).toHaveLength(times);
  });

  it("trust a server that is down, alone or with others", () => {
    const down = provider([], { reachable: false, problem: "connection refused" });
    const found = { ...FOUND, providers: { ...FOUND.providers, gpu0: down } };
    const { settings, why } = resolved(
      `${SERVERS}models: {work: ["gpu0/qwen3:8b", "gpu1/tiny:1b"]}\nmodel: work\n`,
      found,
    );
    expect(settings.sessionAgent.route).toEqual(["gpu0/qwen3:8b", "gpu1/tiny:1b"]);
    expect(why).toContain("warning: model (work) is gpu0/qwen3:8b, taken on trust: gpu0 does not answer");
    const alone = resolved(`${SERVERS}models: {one: "gpu0/qwen3:8b"}\nmodel: one\n`, found);
    expect(alone.settings.parentModel).toMatchObject({ provider: "gpu0", model: "qwen3:8b" });
  });
});

describe("routes that cannot be meant", () => {
  it.each([
    [
      "an unknown provider",
      'delegation: {route: ["gpu0/qwen3:8b", grok/llama-70b]}',
      ["delegation.route[1] is grok/llama-70b", "There is no provider grok. Did you mean groq?"],
    ],
    [
      "an unknown model",
      'agents: {a: {route: ["gpu0/qwen3:8b", "gpu1/qwen9"]}}',
      ["agents.a.route[1] is gpu1/qwen9", "Type: ollama pull qwen9"],
    ],
    [
      "an alias of an unknown model, used or not",
      'models: {x: "gpu1/qwen9"}',
      ["models.x is gpu1/qwen9", "ollama pull"],
    ],
    [
      "a name that is nearly an alias's",
      'models: {work: "gpu0/qwen3:8b"}\ndelegation: {model: wokr}',
      ["delegation.model is wokr", "Did you mean work?"],
    ],
    [
      "a model for embeddings",
      'delegation: {route: [gpu0/nomic, "gpu0/qwen3:8b"]}',
      ["delegation.route[0] is gpu0/nomic", "It makes embeddings and cannot write"],
    ],
  ])("%s is refused by its key", (_, yaml, words) => {
    const error = unresolved(`${SERVERS}model: gpu0/qwen3:8b\n${yaml}\n`, FOUND);
    expect(error).toMatchObject({ code: "model_missing" });
    for (const each of words) expect(error.message).toContain(each);
  });

  it("a context longer than the model's gets what there is, and that is said", () => {
    const yaml = `providers: {ollama: {type: ollama, models: {"big:8b": {num_ctx: 65536}, "small:1b": {num_ctx: 4096}}}}\n`;
    const { settings, why } = resolved(`model: big:8b\n${yaml}`, two);
    expect(settings.models.find(({ ref }) => ref.model === "big:8b")?.contextTokens).toBe(40_960);
    expect(why.filter((line) => line.includes("num_ctx"))).toEqual([
      "warning: providers.ollama.models.big:8b.num_ctx is 65536, and the model was trained for 40960: it gets 40960",
    ]);
  });

  it.each([
    ["gpus: [{id: gpu9, provider: nowhere}]", "gpus[0].provider: there is no provider nowhere"],
    ["gpus: [{id: gpu0, provider: ollama, slots: 0}]", "gpus[0].slots"],
    ["providers: {ollama: {type: ollama, slots: 0}}", "providers.ollama.slots"],
    ["routing: {fallback: always}", "routing.fallback: expected one of none, cloud_to_local"],
    ["routing: {max_wait_s: 0}", "routing.max_wait_s: expected more than 0"],
    ["models: {small: 7}", "models.small: expected a text or a list"],
  ])("%s is refused by its key", (yaml, message) => {
    expect(unresolved(`${yaml}\n`, two).message).toContain(message);
  });

  it("says which of the GPUs has a backend of its own", () => {
    const found = discovery({ ollama: [model("m", 1)] });
    const yaml = "gpus: [{id: a, provider: ollama}, {id: b, provider: ollama}]\nagents: {x: {model: m}}\n";
    const { settings } = resolved(yaml, found);
    expect(settings.models.map(({ ref }) => ref.backend)).toEqual(["ollama@a", "ollama@b"]);
  });
});
