import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { refusal } from "./refusal-fixture.ts";

describe("a config that has the right shape is refused for", () => {
  it("two names of one limit with different values", () => {
    expect(refusal("delegation:\n  timeout_s: 60\n  child_timeout_seconds: 30\n")).toContain(
      "config.yaml:3:3: delegation.child_timeout_seconds: it means the same as timeout_s",
    );
    expect(refusal("agents:\n  a: {timeout: 1, timeout_s: 2}\n")).toContain("agents.a.timeout");
  });

  it("names that do not exist", () => {
    expect(refusal("providers:\n  olama: {type: ollama}\ngpus: [{id: g, provider: ollama}]\n")).toContain(
      "there is no provider ollama. Did you mean olama? Known: olama",
    );
    expect(refusal("toolsets: [fil]\n", ["delegation", "file"])).toContain(
      "config.yaml:1:12: toolsets[0]: there is no toolset fil. Did you mean file?",
    );
    expect(refusal("gpus: [{id: g, provider: ollama}, {id: g, provider: ollama}]\n")).toContain(
      "ids are unique",
    );
    expect(refusal("agents: {session: {}}\n")).toContain("this name is Troupe's own");
    expect(refusal("agents: {digger: {}}\ntools: {grants: [session, diger]}\n")).toContain(
      "config.yaml:2:27: tools.grants[1]: there is no agent diger. Did you mean digger? Known: session, child, digger",
    );
  });

  it("a provider without an address, and addresses that are none", () => {
    expect(refusal("providers: {x: {}}\n")).toContain("providers.x: expected base_url, or type");
    expect(refusal("providers: {x: {base_url: 'file:///etc'}}\n")).toContain("expected an address like");
    expect(refusal("tools: {web: {search_url: 'http://me:pass@s/'}}\n")).toContain(
      "tools.web.search_url: expected an address without user and password",
    );
    expect(refusal("providers: {x: {base_url: 'http://me:pass@host/v1'}}\n")).toContain(
      "without user and password",
    );
    expect(
      refusal("providers: {delegation: {type: ollama}}\ndelegation: {base_url: 'http://localhost:1'}\n"),
    ).toContain("this name is taken");
  });
});

describe("secrets in the config", () => {
  it.each(["sk-abcdefgh12345678", "{key: sk-abcdefgh12345678}"])(
    "are refused in a list of keys: %s",
    (key) => {
      const message = refusal(
        `providers:\n  c:\n    type: openai\n    api_keys:\n      - env:GOOD\n      - ${key}\n`,
      );
      expect(message).toContain("providers.c.api_keys[1]");
      expect(message).toContain("expected env:NAME, got the key itself");
      expect(message).not.toContain("sk-abcdefgh");
    },
  );

  it("refuses an unknown strategy, and a key without anything", () => {
    expect(refusal("providers: {c: {type: openai, key_strategy: fastest}}\n")).toContain("key_strategy");
    expect(refusal("providers: {c: {type: openai, api_keys: [{weight: 2}]}}\n")).toContain("api_keys[0]");
    expect(refusal("providers: {c: {type: openai, api_keys: [{key: env:A, concurrency: 0}]}}\n")).toContain(
      "api_keys[0]",
    );
  });

  const remote = (key: string) =>
    `providers:\n  cloud:\n    base_url: https://api.example.com/v1\n    api_key: ${key}\n`;

  it("a literal key is accepted for loopback endpoints only", () => {
    for (const url of ["http://localhost:1/v1", "http://127.0.0.1:1", "http://[::1]:1", "http://127.1:1"]) {
      expect(() =>
        parseConfig(`providers: {x: {base_url: '${url}', api_key: local-key}}`, "c"),
      ).not.toThrow();
    }
    const message = refusal(remote("abcdefgh12345678"));
    expect(message).toContain("config.yaml:4:14: providers.cloud.api_key: expected env:NAME");
    expect(message).toContain("write api_key: env:NAME");
    expect(message).not.toContain("abcdefgh");
    for (const url of [
      "http://127.0.0.1.evil.example/v1",
      "http://localhost.evil.example",
      "http://0.0.0.0:1",
      "http://192.168.1.5:1",
    ]) {
      expect(refusal(`providers: {x: {base_url: '${url}', api_key: local-key}}`)).toContain(
        "expected env:NAME",
      );
    }
  });

  it.each([
    "your-api-key",
    "sk-...",
    "changeme",
    '""',
    "<key>",
    "xxxxxxxx",
    "YOUR_API_KEY",
    "$OPENAI_API_KEY",
  ])("the placeholder %s is refused for a remote endpoint", (key) => {
    expect(refusal(remote(key))).toContain("got a placeholder");
  });

  it("env:NAME and none are accepted everywhere; a bad variable name is not", () => {
    expect(() => parseConfig(remote("env:CLOUD_KEY"), "c")).not.toThrow();
    expect(() => parseConfig(remote("none"), "c")).not.toThrow();
    expect(refusal(remote("'env:not a name'"))).toContain("expected env:NAME with the name");
  });

  it("a key for children needs an address or a provider beside it", () => {
    expect(refusal("delegation: {api_key: env:A}\n")).toContain(
      "expected delegation.base_url or delegation.provider",
    );
    expect(refusal("delegation: {base_url: 'https://x.example/v1', api_key: literal-key}\n")).toContain(
      "expected env:NAME",
    );
  });

  it.each([
    ["user and password", "http://me:hush@10.0.0.1/v1"],
    ["a query", "https://x.example/v1?key=hush"],
    ["a fragment", "https://x.example/v1#hush"],
  ])("an address with %s, which is not shown", (what, url) => {
    for (const source of [`providers: {x: {base_url: '${url}'}}\n`, `delegation: {base_url: '${url}'}\n`]) {
      expect(refusal(source)).toContain(`base_url: expected an address without ${what}`);
      expect(refusal(source)).not.toContain("hush");
    }
  });

  it("secrets do not stand in headers, and a wrong header is not shown", () => {
    const source =
      "providers: {x: {base_url: 'https://x.example', headers: {Authorization: Bearer hush-hush}}}\n";
    expect(refusal(source)).toContain("secrets do not stand in headers");
    expect(refusal(source)).not.toContain("hush-hush");
  });

  it("a broken YAML line with a key in it is not quoted", () => {
    expect(refusal("api_key: 'hush-hush\nx: [")).not.toContain("hush-hush");
  });
});
