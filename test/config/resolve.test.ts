import { describe, expect, it } from "vitest";
import { capabilitySettings } from "../../src/config/resolve.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { Discovery } from "../../src/config/discovery.ts";
import { discovery, model, nothing, provider } from "./discovery-fixture.ts";
import { resolved, two, unresolved } from "./resolved-fixture.ts";

const HERMES = `delegation:
  model: qwen3.5-coder
  base_url: http://localhost:11434/v1
  api_key: local-key
  max_concurrent_children: 2
`;

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

  it("chooses no model by itself that the server passes on to a cloud, however little it takes here", () => {
    const installed = [model("gpt-oss:120b-cloud", 0.000_001), model("big:8b", 5)];
    const { settings } = resolved("", discovery({ ollama: installed }, 12));
    expect([settings.parentModel.model, settings.childModel.model]).toEqual(["big:8b", "big:8b"]);
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
  ] as const)("says exactly what to type when %s", (...row) => {
    const [, found, code, parts] = row;
    const error = unresolved("", found);
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
    const { settings } = resolved(HERMES, found, { OLLAMA_HOST: "10.0.0.7" });
    expect(settings.backends.map(({ name }) => name)).toEqual(["ollama", "delegation"]);
    expect(settings.parentModel.provider).toBe("ollama");
    expect(settings.childModel.provider).toBe("delegation");
  });

  it("says what to pull when the model is not installed", () => {
    const error = unresolved(HERMES, discovery({ ollama: [model("qwen3-coder", 9)] }));
    expect(error.code).toBe("model_missing");
    expect(error.message).toContain("delegation.model is qwen3.5-coder, which the provider ollama has not");
    expect(error.message).toContain("Did you mean qwen3-coder?");
    expect(error.message).toContain("Type: ollama pull qwen3.5-coder");
  });
});

describe("start-up lines and the workspace", () => {
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
    const { servers, why } = resolved(
      "model: m\nproviders: {c: {type: openai, base_url: 'http://c.example/v1', api_key: env:K}}\n",
      found,
    );
    expect(servers[0]).toContain("with the key in env:K");
    expect(why.join("\n")).toContain("warning: c sends its key unencrypted");
  });
});

it("takes a terminal with network, or without walls, for one that talks out", () => {
  const talks = (terminal: object): boolean =>
    capabilitySettings(configSchema.parse({ tools: { terminal } })).terminalNetwork;
  expect([talks({}), talks({ network: true }), talks({ unsafe: true })]).toEqual([false, true, true]);
});
