import { describe, expect, it } from "vitest";
import { refusal } from "./refusal-fixture.ts";

describe("a config is refused with line and column for", () => {
  it("an unknown key, with what was meant", () => {
    expect(refusal("delegation:\n  max_concurent_children: 2\n")).toBe(
      "config.yaml:2:3: delegation.max_concurent_children is not a key. Did you mean max_concurrent_children?",
    );
    expect(refusal("agents:\n  a:\n    tmeout_s: 2\n")).toContain(
      "config.yaml:3:5: agents.a.tmeout_s is not a key. Did you mean timeout_s?",
    );
    expect(refusal("gpus:\n  - id: g\n    provider: ollama\n    slot: 1\n")).toContain(
      "config.yaml:4:5: gpus[0].slot is not a key. Did you mean slots?",
    );
  });

  it("an unknown key near to nothing, with the keys that there are", () => {
    expect(refusal("log:\n  zzzzzzzzzz: 1\n")).toContain("Known here: level.");
  });

  it("an unknown key with no value", () => {
    expect(refusal("zzz:\n")).toContain("config.yaml:1:1: zzz is not a key");
  });

  it("keys of Hermes that have another name here", () => {
    expect(refusal("delegation:\n  max_summary_chars: 1\n")).toContain("It is max_result_chars here.");
  });

  it.each([
    ["server:\n  port: high\n", 'config.yaml:2:9: server.port: expected a number, got "high" (text)'],
    ["server:\n  port: 70000\n", "config.yaml:2:9: server.port: expected 65535 or less, got 70000 (number)"],
    ["server:\n  port: 1.5\n", "server.port: expected a whole number, got 1.5 (number)"],
    ["delegation: [a]\n", "config.yaml:1:13: delegation: expected a block of keys, got a list of 1"],
    ["- a\n", "config.yaml:1:1: the config: expected a block of keys, got a list of 1"],
    ["delegation:\n  max_concurrent_children: 0\n", "expected 1 or more, got 0 (number)"],
    ["log:\n  level: loud\n", 'expected one of debug, info, warn, error, got "loud" (text)'],
    [
      "agents:\n  a:\n    async: 'yes'\n",
      'config.yaml:3:12: agents.a.async: expected true or false, got "yes" (text)',
    ],
    ["toolsets: file\n", 'toolsets: expected a list, like [a, b], got "file" (text)'],
    ["gpus:\n  - provider: ollama\n", "gpus[0].id: expected a text, got nothing"],
    ["gpus:\n  - {id: a, provider: ollama, slots: many}\n", 'expected a number or auto, got "many" (text)'],
    ["agents:\n  'bad name': {}\n", "config.yaml:2:3: agents.bad name: expected a name: letters"],
  ])("%j", (source, expected) => {
    expect(refusal(source)).toContain(expected);
  });

  it.each([
    ["providers: {x: {type: openai, api_key: 1234567890123}}\n", "got a number; put it in quotes"],
    ["delegation: {base_url: 'http://127.0.0.1:1', api_key: 1234567890123}\n", "got a number"],
    ["providers: {x: {type: openai, headers: {X-Code: 1234567890123}}}\n", "got a number"],
    ["providers: {x: {type: openai, headers: 1234567890123}}\n", "got a number"],
    ["providers: {x: {type: openai, headers: {X-Code: [1234567890123]}}}\n", "got a list of 1"],
    ["providers: {x: {type: openai, base_url: 1234567890123}}\n", "got a number"],
    ["providers: {x: {type: openai, api_key: true}}\n", "got a yes/no"],
  ])("a secret of another type, which is not shown: %j", (source, expected) => {
    const said = refusal(source);
    expect(said).toContain(expected);
    expect(said).not.toContain("1234567890123");
  });

  it("all problems at once, in the order of the file, those of names and secrets too", () => {
    const message = refusal(
      [
        "modell: x",
        "delegation:",
        "  max_spawn_depth: deep",
        "  provider: nowhere",
        "providers:",
        "  cloud:",
        "    base_url: https://api.example.com/v1",
        "    api_key: abcdefgh12345678",
        "server:",
        "  prot: 1",
      ].join("\n"),
    );
    expect(message.split("\n").map((line) => /config\.yaml:(\d+)/.exec(line)?.[1])).toEqual([
      undefined,
      "1",
      "3",
      "4",
      "8",
      "10",
    ]);
    expect(message).toContain("The config has 5 problems:");
  });

  it("prototype keys, without touching any prototype", () => {
    expect(refusal("__proto__: {polluted: true}\n")).toContain("__proto__ is not a key");
    expect(refusal("agents:\n  a:\n    constructor: 1\n")).toContain("agents.a.constructor is not a key");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});
