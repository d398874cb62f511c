import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { ollamaUrl, planProviders } from "../../src/config/plan.ts";

const plans = (yaml: string, env: Record<string, string> = {}) => planProviders(parseConfig(yaml, "c"), env);

describe("ollamaUrl", () => {
  it.each([
    ["", "http://127.0.0.1:11434"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:8080", "http://127.0.0.1:8080"],
    [":9999", "http://127.0.0.1:9999"],
    ["gpu-box", "http://gpu-box:11434"],
    ["gpu-box:80", "http://gpu-box"],
    ["http://gpu-box:1234/", "http://gpu-box:1234"],
    ["https://gpu.example/ollama", "https://gpu.example/ollama"],
    ["[::]:11434", "http://127.0.0.1:11434"],
    ["[::1]", "http://[::1]:11434"],
  ])("reads OLLAMA_HOST=%j as %s", (written, url) => {
    expect(ollamaUrl({ OLLAMA_HOST: written })).toBe(url);
  });

  it.each([
    "http://me:hush@gpu-box:1234",
    "me:hush@gpu-box",
    "http://hush@gpu-box",
    "http://gpu-box/?key=hush",
    "gpu-box/#hush",
    "hush hush",
  ])("refuses a secret in OLLAMA_HOST=%j and does not repeat it", (written) => {
    let said = "";
    try {
      ollamaUrl({ OLLAMA_HOST: written });
    } catch (error) {
      said = (error as Error).message;
    }
    expect(said).toContain("Expected OLLAMA_HOST");
    expect(said).not.toContain("hush");
  });

  it("refuses what is no address", () => {
    expect(() => ollamaUrl({ OLLAMA_HOST: "ftp://x" })).toThrow(/OLLAMA_HOST/);
    expect(() => ollamaUrl({ OLLAMA_HOST: "http://a b" })).toThrow(/OLLAMA_HOST/);
  });
});

describe("planProviders", () => {
  it("is the Ollama of this machine without a config", () => {
    expect(plans("").plans).toMatchObject([
      { name: "ollama", type: "ollama", baseUrl: "http://127.0.0.1:11434", apiKey: null, implicit: true },
    ]);
  });

  it("carries the deadlines in milliseconds and the path of the key", () => {
    const yaml =
      "providers: {c: {type: openai, api_key: env:K, connect_timeout_s: 1.5, headers: {X-Team: a}}}\n";
    expect(plans(yaml).plans[0]).toMatchObject({
      baseUrl: "https://api.openai.com/v1",
      apiKey: "env:K",
      apiKeyPath: "providers.c.api_key",
      connectMs: 1500,
      firstByteMs: 600_000,
      idleMs: 120_000,
      headers: { "X-Team": "a" },
      implicit: false,
    });
  });

  it("puts base_url before provider before inheriting", () => {
    const two = "providers: {a: {type: ollama}, b: {type: ollama, base_url: 'http://b:1'}}\n";
    expect(plans(two).childProvider).toBeNull();
    expect(plans(`${two}delegation: {provider: b}\n`).childProvider).toBe("b");
    const both = plans(`${two}delegation: {provider: b, base_url: 'http://c:1'}\n`);
    expect(both.childProvider).toBe("delegation");
    expect(both.why[0]).toContain("delegation.provider (b) is not used");
  });

  it("gives children with a key of their own a provider of their own, at the same endpoint too", () => {
    const yaml =
      "providers: {c: {type: openai, api_key: env:A, slots: 7}}\ndelegation: {provider: c, api_key: env:B}\n";
    const { plans: list, childProvider } = plans(yaml);
    expect(childProvider).toBe("delegation");
    expect(list.map(({ name, apiKey }) => [name, apiKey])).toEqual([
      ["c", "env:A"],
      ["delegation", "env:B"],
    ]);
    expect(list[1]).toMatchObject({ apiKeyPath: "delegation.api_key", config: { slots: 7 }, type: "openai" });
  });

  it("never hands the parent's key to children of another server", () => {
    const yaml =
      "providers: {c: {type: openai, api_key: env:A}}\ndelegation: {base_url: 'https://other.example/v1'}\n";
    expect(plans(yaml).plans[1]).toMatchObject({ name: "delegation", apiKey: null, type: "auto" });
  });

  it("counts one server once, however its address is written", () => {
    for (const url of [
      "http://localhost:11434/v1",
      "http://127.0.0.1:11434/",
      "http://LOCALHOST:11434/v1/",
      "http://[::1]:11434",
    ]) {
      const planned = plans(`delegation: {base_url: '${url}', api_key: local-key}\n`);
      expect(planned.plans).toHaveLength(1);
      expect(planned.childProvider).toBe("ollama");
    }
    expect(plans("delegation: {base_url: 'http://localhost:11435/v1'}\n").plans).toHaveLength(2);
  });

  it("reads several keys, each with what is known of it, and leaves them to their provider", () => {
    const yaml =
      "providers: {c: {type: openai, api_key: env:A, key_strategy: weighted, key_wait_s: 9, api_keys: [env:B, {key: env:C, weight: 2, concurrency: 3, account: o}]}}\n" +
      "delegation: {provider: c, api_key: env:D}\n";
    const [first, second] = plans(yaml).plans;
    expect(first).toMatchObject({ apiKey: "env:A", keyStrategy: "weighted", keyWaitMs: 9000 });
    expect(first?.moreKeys).toEqual([
      { apiKey: "env:B", apiKeyPath: "providers.c.api_keys[0]", weight: 1, concurrency: null, account: null },
      { apiKey: "env:C", apiKeyPath: "providers.c.api_keys[1]", weight: 2, concurrency: 3, account: "o" },
    ]);
    expect(second).toMatchObject({ name: "delegation", apiKey: "env:D", moreKeys: [] });
  });
});
