import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import type { Discovery } from "../../src/config/discovery.ts";
import { parseConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import type { Resolved } from "../../src/config/resolve.ts";
import { discovery, model, nothing, provider } from "./discovery-fixture.ts";

const HERMES = `delegation:
  model: qwen3.5-coder
  base_url: http://localhost:11434/v1
  api_key: local-key
  max_concurrent_children: 2
`;

function resolved(yaml: string, found: Discovery, env: Record<string, string> = {}): Resolved {
  const config = parseConfig(yaml, "config.yaml");
  return resolveSettings({
    config,
    discovery: found,
    env,
    baseDir: "/base",
    version: "0.1.0",
    boxId: "box_1",
    link: null,
  });
}

function refusal(yaml: string, found: Discovery): ConfigError {
  try {
    resolved(yaml, found);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

const two = discovery({ ollama: [model("small:1b", 1), model("big:8b", 5)] }, 12);

describe("without a config", () => {
  it("takes the largest model with tools that fits, and a smaller one beside it for children", () => {
    const found = discovery(
      {
        ollama: [
          model("huge:70b", 40),
          model("small:1b", 1),
          model("big:8b", 5),
          model("embed", 6, { embeddingOnly: true }),
          model("mute", 6, { tools: false }),
        ],
      },
      12,
    );
    const { settings, why } = resolved("", found);
    expect(settings.parentModel).toEqual({ provider: "ollama", model: "big:8b", backend: "ollama" });
    expect(settings.childModel.model).toBe("small:1b");
    expect(why).toContain(
      "parent: ollama/big:8b, the largest installed model with tools that fits 12.0 GiB of VRAM",
    );
    expect(why.join("\n")).toContain(
      "children: ollama/small:1b, a smaller model with tools that fits beside the parent's",
    );
    expect(settings.models.map(({ ref }) => ref.model)).not.toContain("embed");
  });

  it("gives children the parent's model where nothing else fits, and says why", () => {
    const { settings, why } = resolved(
      "",
      discovery({ ollama: [model("small:1b", 1), model("big:8b", 5)] }, 8),
    );
    expect(settings.childModel).toEqual(settings.parentModel);
    expect(why.join("\n")).toContain(
      "children: ollama/big:8b, the parent's: no smaller model with tools fits beside it",
    );
  });

  it.each([
    [
      "nothing answers",
      nothing,
      "provider_unreachable",
      ["ollama serve", "ollama pull qwen3:8b", "npm run demo", "connection refused"],
    ],
    [
      "nothing is installed",
      discovery({ ollama: [] }),
      "no_model",
      ["no model is installed", "ollama pull qwen3:8b", "npm run demo"],
    ],
    [
      "no model has tools",
      discovery({ ollama: [model("mute", 3, { tools: false })] }),
      "no_model",
      ["there are only: ollama/mute", "ollama pull qwen3:8b"],
    ],
  ] as const)("says exactly what to type when %s", (_, found, code, parts) => {
    const error = refusal("", found);
    expect(error.code).toBe(code);
    for (const part of parts) expect(error.message).toContain(part);
  });

  it("says that the box is simulated when a server says so", () => {
    const found = { providers: { ollama: provider([model("m", 1)], { simulated: true }) }, vramBytes: null };
    expect(resolved("", found).settings.simulated).toBe(true);
    expect(resolved("", two).settings.simulated).toBe(false);
  });
});

describe("the block of the Hermes documentation", () => {
  it("drives the Ollama behind /v1 as the one that is there already: one server, one queue", () => {
    const found = discovery({ ollama: [model("qwen3.5-coder:latest", 9), model("big:8b", 5)] }, 24);
    const { settings, why } = resolved(HERMES, found);
    expect(settings.backends).toHaveLength(1);
    expect(settings.childModel).toEqual({
      provider: "ollama",
      model: "qwen3.5-coder:latest",
      backend: "ollama",
    });
    expect(settings.delegation.maxConcurrentChildren).toBe(2);
    expect(why.join("\n")).toContain("one server, one queue");
  });

  it("makes a provider of its own where it is another server", () => {
    const found = discovery({ ollama: [model("big:8b", 5)], delegation: [model("qwen3.5-coder", 9)] });
    const config = parseConfig(HERMES, "c");
    const { settings } = resolveSettings({
      config,
      discovery: found,
      env: { OLLAMA_HOST: "10.0.0.7" },
      baseDir: "/",
      version: "0",
      boxId: "b",
      link: null,
    });
    expect(settings.backends.map(({ name }) => name)).toEqual(["ollama", "delegation"]);
    expect(settings.parentModel.provider).toBe("ollama");
    expect(settings.childModel.provider).toBe("delegation");
  });

  it("says what to pull when the model is not installed", () => {
    const error = refusal(HERMES, discovery({ ollama: [model("qwen3-coder", 9)] }));
    expect(error.code).toBe("model_missing");
    expect(error.message).toContain("delegation.model is qwen3.5-coder, which the provider ollama has not");
    expect(error.message).toContain("Did you mean qwen3-coder?");
    expect(error.message).toContain("Type: ollama pull qwen3.5-coder");
  });
});

describe("named models", () => {
  it("are found as provider/model, bare, with and without :latest, and with slashes and colons", () => {
    const found = discovery({
      ollama: [model("hf.co/org/m:Q4_K_M", 4), model("shared", 2), model("a:latest", 1)],
      other: [model("shared", 2)],
    });
    const yaml = (name: string) =>
      `model: '${name}'\nproviders: {ollama: {type: ollama}, other: {type: ollama, base_url: 'http://h:1'}}\n`;
    const parent = (name: string) => resolved(yaml(name), found).settings.parentModel;
    expect(parent("hf.co/org/m:Q4_K_M")).toMatchObject({ provider: "ollama", model: "hf.co/org/m:Q4_K_M" });
    expect(parent("ollama/hf.co/org/m:Q4_K_M")).toMatchObject({
      provider: "ollama",
      model: "hf.co/org/m:Q4_K_M",
    });
    expect(parent("shared").provider).toBe("ollama");
    expect(parent("other/shared").provider).toBe("other");
    expect(parent("a").model).toBe("a:latest");
    expect(refusal(yaml("shred"), found).message).toContain("Did you mean shared?");
  });

  it("children inherit a named parent's model", () => {
    const { settings, why } = resolved("model: big:8b\n", two);
    expect(settings.childModel.model).toBe("big:8b");
    expect(why.join("\n")).toContain("children: ollama/big:8b, the parent's: delegation.model is not set");
  });

  it("of agents are written as provider/model, and refused when they are not there", () => {
    const { settings } = resolved("agents: {a: {model: small:1b}, b: {}}\n", two);
    expect(settings.agents.map(({ model: name }) => name)).toEqual(["ollama/small:1b", null]);
    expect(refusal("agents: {a: {model: smal:1b}}\n", two).message).toContain("agents.a.model is smal:1b");
  });

  it("of a cloud that does not list them are taken on trust, with a warning", () => {
    const found: Discovery = {
      providers: { cloud: provider([], { type: "openai", reachable: false, problem: "401" }) },
      vramBytes: null,
    };
    const yaml = "model: cloud/gpt-x\nproviders: {cloud: {type: openai, api_key: env:KEY}}\n";
    const { settings, why } = resolved(yaml, found);
    expect(settings.parentModel).toEqual({ provider: "cloud", model: "gpt-x", backend: "cloud" });
    expect(settings.models.find(({ ref }) => ref.model === "gpt-x")).toMatchObject({
      tools: true,
      contextTokens: null,
    });
    expect(why).toContain("warning: model is cloud/gpt-x, taken on trust: cloud does not answer");
  });

  it("are refused when the parent's local server does not answer", () => {
    expect(refusal("model: big:8b\n", nothing)).toMatchObject({ code: "provider_unreachable" });
    expect(refusal("model: big:8b\n", nothing).message).toContain("ollama serve");
  });

  it("are never chosen from a cloud by themselves", () => {
    const found: Discovery = {
      providers: { cloud: provider([model("gpt-x", null)], { type: "openai" }) },
      vramBytes: null,
    };
    const yaml = "providers: {cloud: {type: openai, api_key: env:KEY}}\n";
    expect(refusal(yaml, found).message).toContain("Or name one in the config (model: provider/model)");
  });
});

describe("context and capabilities", () => {
  it("asks for 16384 tokens, lowered to what the model was trained for", () => {
    const found = discovery({
      ollama: [
        model("long", 5, { contextTokens: 131_072 }),
        model("short", 2, { contextTokens: 4096 }),
        model("unknown", 1, { contextTokens: null }),
      ],
    });
    const { models } = resolved("", found).settings;
    expect(models.map(({ contextTokens }) => contextTokens)).toEqual([16_384, 4096, 16_384]);
  });

  it("lets the config correct the server, still within the trained context", () => {
    const yaml =
      "providers: {ollama: {type: ollama, models: {big:8b: {num_ctx: 999999, tools: false, thinking: true, prompt_price_micros: 7}}}}\n";
    const { models } = resolved(`model: small:1b\n${yaml}`, two).settings;
    expect(models.find(({ ref }) => ref.model === "big:8b")).toMatchObject({
      contextTokens: 40_960,
      tools: false,
      thinking: true,
      promptPriceMicros: 7,
    });
  });

  it("leaves a cloud's context to the cloud", () => {
    const found: Discovery = {
      providers: { cloud: provider([model("g", null, { contextTokens: null })], { type: "openai" }) },
      vramBytes: null,
    };
    const { models } = resolved(
      "model: g\nproviders: {cloud: {type: openai, api_key: env:K}}\n",
      found,
    ).settings;
    expect(models[0]?.contextTokens).toBeNull();
  });

  it("warns of a parent that cannot call tools", () => {
    const { why } = resolved("model: mute\n", discovery({ ollama: [model("mute", 1, { tools: false })] }));
    expect(why.join("\n")).toContain("warning: ollama/mute cannot call tools");
  });
});

describe("backends", () => {
  it("have one slot for a local server and four for a cloud, and room for at least four children", () => {
    const found: Discovery = {
      providers: { ollama: provider([model("m", 1)]), cloud: provider([], { type: "openai" }) },
      vramBytes: null,
    };
    const yaml = "providers: {ollama: {type: ollama}, cloud: {type: openai, api_key: env:K}}\n";
    expect(resolved(yaml, found).settings.backends).toEqual([
      { name: "ollama", provider: "ollama", gpu: null, slots: 1, maxChildren: 4, local: true },
      { name: "cloud", provider: "cloud", gpu: null, slots: 4, maxChildren: 4, local: false },
    ]);
  });

  it("follow slots and max_children of the provider and of its GPUs", () => {
    const yaml = `providers: {ollama: {type: ollama, slots: 6}}
gpus: [{id: g0, provider: ollama}, {id: g1, provider: ollama, slots: 2, max_children: 9}]
`;
    const { settings } = resolved(yaml, two);
    expect(settings.backends).toEqual([
      { name: "ollama@g0", provider: "ollama", gpu: "g0", slots: 6, maxChildren: 6, local: true },
      { name: "ollama@g1", provider: "ollama", gpu: "g1", slots: 2, maxChildren: 9, local: true },
    ]);
    expect(settings.parentModel.backend).toBe("ollama@g0");
  });
});

describe("limits and agents", () => {
  it("accept the names of Hermes", () => {
    const { settings } = resolved(
      "delegation: {max_iterations: 7, child_timeout_seconds: 0}\nagents: {a: {timeout: 30}}\n",
      two,
    );
    expect(settings.limits).toMatchObject({ maxTurns: 7, timeoutMs: null });
    expect(settings.agents[0]?.limits).toEqual({ timeoutMs: 30_000 });
  });

  it("take every key of a named agent", () => {
    const yaml = `agents:
  research:
    {description: d, instructions: Be brief., toolsets: [file], role: orchestrator, async: true, priority: batch,
     concurrency_limit: 5, max_turns: 3, timeout_s: 1.5, deadline_s: 60, max_output_tokens: 10, max_result_chars: 20,
     retry_on_failure: true, retry_limit: 1}
`;
    const agent = resolved(yaml, two).settings.agents[0];
    expect(agent).toMatchObject({
      name: "research",
      description: "d",
      toolsets: ["file"],
      role: "orchestrator",
      async: true,
      schedulingClass: "batch",
      concurrencyLimit: 5,
      limits: {
        maxTurns: 3,
        timeoutMs: 1500,
        deadlineMs: 60_000,
        maxOutputTokens: 10,
        maxResultChars: 20,
        retryOnFailure: true,
        retryLimit: 1,
      },
    });
    expect(agent?.instructions).toMatch(/^You are a child agent.*Be brief\.$/s);
  });

  it("give sessions no timeout and put the person's instructions behind Troupe's", () => {
    const { settings } = resolved(
      "instructions: Speak German.\ndelegation: {timeout_s: 5, instructions: Cite lines.}\n",
      two,
    );
    expect(settings.sessionAgent.limits.timeoutMs).toBeNull();
    expect(settings.sessionAgent.instructions).toMatch(/delegate_task_async.*Speak German\.$/s);
    expect(settings.childAgent.instructions).toMatch(/Cite lines\.$/);
    expect(settings.limits.timeoutMs).toBe(5000);
  });

  it("warn of more than 27 agents at once, and not of 27", () => {
    const why = (width: number, depth: number) =>
      resolved(`delegation: {max_concurrent_children: ${width}, max_spawn_depth: ${depth}}\n`, two).why.join(
        "\n",
      );
    expect(why(3, 3)).not.toContain("warning");
    expect(why(28, 1)).toContain("allow 28 agents at work at once");
    expect(why(2, 5)).toContain("allow 32 agents at work at once");
    expect(why(1000, 1000)).toContain("more than a computer can count");
  });

  it("resolve the workspace against the config's folder or the home", () => {
    expect(resolved("", two).settings.workspaceRoot).toBe("/base");
    expect(resolved("workspace: sub/x\n", two).settings.workspaceRoot).toBe("/base/sub/x");
    expect(resolved("workspace: ~/w\n", two, { HOME: "/home/me" }).settings.workspaceRoot).toBe("/home/me/w");
    expect(() => resolved("workspace: ~/w\n", two)).toThrow(/HOME is not set/);
  });

  it("say where keys go, and warn when they go unencrypted", () => {
    const found: Discovery = {
      providers: { c: provider([model("m", 1)], { type: "openai" }) },
      vramBytes: null,
    };
    const { why } = resolved(
      "model: m\nproviders: {c: {type: openai, base_url: 'http://c.example/v1', api_key: env:K}}\n",
      found,
    );
    expect(why[0]).toContain("with the key in env:K");
    expect(why.join("\n")).toContain("warning: c sends its key unencrypted");
  });
});
