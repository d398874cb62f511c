import { describe, expect, test } from "vitest";
import { ConfigError, toTroupeError, type TroupeError } from "../../src/base/errors.ts";
import { parseConfig } from "../../src/config/load.ts";
import { planProviders } from "../../src/config/plan.ts";
import type { DiscoveredProvider } from "../../src/config/discovery.ts";
import {
  choiceChecks,
  configChecks,
  gpuChecks,
  providerChecks,
  runtimeChecks,
  serverCheck,
  tokenCheck,
} from "../../src/cli/doctor-checks.ts";

const GIB = 1_073_741_824;
const CARD = { index: 0, name: "Card", memoryBytes: 24 * GIB, usedBytes: GIB, driver: "1.0" };

/** Why a config is refused. */
function refusalOf(text: string): TroupeError {
  try {
    parseConfig(text, "c.yaml");
  } catch (error) {
    return toTroupeError(error);
  }
  throw new Error("It was taken.");
}

describe("runtime and platform", () => {
  test.each([
    ["Node.js", "22.17.1", "problem"],
    ["Node.js", "22.18.0", "ok"],
    ["Node.js", "26.0.0", "ok"],
    ["Bun", "1.4.0", "ok"],
    ["Deno", "2.9.0", "ok"],
  ])("%s %s is %s", (name, version, level) => {
    expect(runtimeChecks({ runtime: { name, version }, platform: "linux" })[0]?.level).toBe(level);
  });

  test.each([
    ["linux", "ok"],
    ["darwin", "warn"],
    ["freebsd", "warn"],
  ])("%s is %s", (platform, level) => {
    expect(runtimeChecks({ runtime: { name: "Bun", version: "1" }, platform })[1]?.level).toBe(level);
  });
});

describe("config", () => {
  test("none is fine, and the way to one is named", () => {
    expect(configChecks(null, null, "troupe")).toMatchObject([
      { level: "ok", mend: expect.stringContaining("troupe init") },
    ]);
  });

  test("each problem of a broken one is a line with its place", () => {
    const checks = configChecks(null, refusalOf("prot: 1\nserver: {port: x}\n"), "troupe");
    expect(checks.map(({ level, text }) => `${level} ${text.slice(0, 22)}`)).toEqual([
      "problem c.yaml:1:1: prot is no",
      "problem c.yaml:2:16: server.po",
    ]);
  });

  test("one that cannot be read is a problem too", () => {
    expect(configChecks(null, new ConfigError("config_unreadable", "no"), "troupe")).toMatchObject([
      { text: "no" },
    ]);
  });
});

test("token: there, not yet, or impossible", () => {
  const path = "/h/token";
  expect(tokenCheck({ path, exists: true, unwritable: null }).level).toBe("ok");
  expect(tokenCheck({ path, exists: false, unwritable: null }).text).toContain("when it starts");
  expect(tokenCheck({ path, exists: false, unwritable: "EACCES" })).toMatchObject({
    level: "problem",
    mend: expect.stringMatching(/TROUPE_HOME/),
  });
});

describe("GPUs", () => {
  const model = {
    provider: "ollama",
    name: "m",
    sizeBytes: 8 * GIB,
    vramBytes: 8 * GIB,
    contextTokens: 4096,
  };

  test("cards are named with their memory", () => {
    expect(gpuChecks({ gpus: [CARD], problem: null }, [])).toMatchObject([
      { level: "ok", text: "GPU 0: Card, 24.0 GiB, 1.0 GiB in use, driver 1.0" },
    ]);
  });

  test("without nvidia-smi, what is loaded tells", () => {
    expect(gpuChecks({ gpus: [], problem: "none" }, [model])).toMatchObject([
      { level: "ok", text: expect.stringMatching(/100 % on the GPU/) },
    ]);
    expect(gpuChecks({ gpus: [], problem: "none" }, [{ ...model, vramBytes: 0 }])).toMatchObject([
      { level: "warn", mend: expect.stringMatching(/on the CPU/) },
    ]);
  });

  test("a model that fits in part is a warning with what to change", () => {
    expect(
      gpuChecks({ gpus: [CARD], problem: null }, [{ ...model, vramBytes: 4 * GIB }]).at(-1),
    ).toMatchObject({
      level: "warn",
      text: expect.stringMatching(/50 % on the GPU/),
      mend: expect.stringMatching(/num_ctx/),
    });
  });

  test("nothing at all is a warning that says how to find out", () => {
    expect(gpuChecks({ gpus: [], problem: "nvidia-smi is not installed" }, [])).toMatchObject([
      {
        level: "warn",
        text: expect.stringMatching(/nvidia-smi is not installed/),
        mend: expect.stringMatching(/ollama run/),
      },
    ]);
  });
});

describe("model servers", () => {
  const { plans } = planProviders(parseConfig("", "c"), {});
  const model = {
    name: "qwen3:8b",
    sizeBytes: 5 * GIB,
    parameters: "8.2B",
    contextTokens: 40_960,
    tools: true,
    thinking: true,
    embeddingOnly: false,
  };
  const found = {
    type: "ollama" as const,
    reachable: true,
    problem: null,
    version: "0.13.0",
    simulated: false,
    models: [
      model,
      { ...model, name: "nomic", embeddingOnly: true },
      { ...model, name: "old", tools: false },
    ],
  };
  const discovery = (ollama: DiscoveredProvider) => ({ providers: { ollama }, vramBytes: null });

  test("say their version and what each model can do", () => {
    expect(providerChecks(plans, discovery(found)).map(({ text }) => text)).toEqual([
      "ollama 0.13.0 at http://127.0.0.1:11434",
      "qwen3:8b: 5.0 GiB, 8.2B, tools, thinking, context 40960",
      "nomic: 5.0 GiB, 8.2B, embeddings only, thinking, context 40960",
      "old: 5.0 GiB, 8.2B, no tools: for leaves without tools only, thinking, context 40960",
    ]);
  });

  test("name a key that was refused, while another is taken", () => {
    const refusedKeys = [{ fingerprint: "0123456789ab", source: "env:A", reason: "401." }];
    expect(providerChecks(plans, discovery({ ...found, refusedKeys }))[1]).toMatchObject({
      about: "key",
      level: "warn",
      text: "ollama did not take the key 0123456789ab (env:A): 401.",
    });
  });

  test("that are down or empty are problems with what to type", () => {
    expect(providerChecks(plans, { providers: {}, vramBytes: null })).toMatchObject([{ level: "problem" }]);
    expect(providerChecks(plans, discovery({ ...found, reachable: false }))).toMatchObject([
      { level: "problem", mend: expect.stringMatching(/ollama serve/) },
    ]);
    expect(providerChecks(plans, discovery({ ...found, models: [] })).at(-1)).toMatchObject({
      level: "problem",
      mend: "ollama pull qwen3:8b",
    });
  });
});

test("the choice of models: reasons, warnings, or why there is none; a silent server is not told twice", () => {
  expect(choiceChecks(["ollama: x", "parent: a, b", "children: a, b", "warning: w"], null)).toMatchObject([
    { level: "ok", text: "parent: a, b" },
    { level: "ok" },
    { level: "warn", text: "w" },
  ]);
  expect(choiceChecks([], new ConfigError("no_model", "none"))).toMatchObject([
    { level: "problem", text: "none" },
  ]);
  expect(choiceChecks([], new ConfigError("provider_unreachable", "none"))).toEqual([]);
});

test("the server's port: ours, free, or another's", () => {
  const levels = (["troupe", "none", "other"] as const).map(
    (answer) => serverCheck("u", answer, "troupe").level,
  );
  expect(levels).toEqual(["ok", "ok", "warn"]);
});
