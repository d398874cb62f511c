import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { loadConfig, parseConfig, troupeHome } from "../../src/config/load.ts";
import { configSchema } from "../../src/core/config-schema.ts";

/** The error's message; fails when the text is accepted. */
function refusal(source: string, toolsets?: readonly string[]): string {
  try {
    parseConfig(source, "config.yaml", toolsets);
  } catch (error) {
    if (error instanceof ConfigError && error.code === "config_invalid") return error.message;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("parseConfig accepts", () => {
  it("an empty file, and one of comments only, as all defaults", () => {
    const defaults = configSchema.parse({});
    expect(parseConfig("", "c")).toEqual(defaults);
    expect(parseConfig("# nothing\n", "c")).toEqual(defaults);
    expect(parseConfig("\uFEFF# nothing\n", "c")).toEqual(defaults);
  });

  it("the block of the Hermes documentation unchanged", () => {
    const source = [
      "delegation:",
      "  model: qwen3.5-coder",
      "  base_url: http://localhost:11434/v1",
      "  api_key: local-key",
      "  max_concurrent_children: 2",
    ].join("\n");
    expect(parseConfig(source, "c").delegation).toMatchObject({
      model: "qwen3.5-coder",
      base_url: "http://localhost:11434/v1",
      api_key: "local-key",
      max_concurrent_children: 2,
    });
  });

  it("blocks with nothing in them", () => {
    const config = parseConfig("delegation:\nserver:\nagents:\n  writer:\nproviders:\n", "c");
    expect(config.delegation.max_concurrent_children).toBe(3);
    expect(config.agents["writer"]?.role).toBe("leaf");
  });

  it("anchors and aliases in moderation", () => {
    const config = parseConfig("toolsets: &t [file]\nagents:\n  a: {toolsets: *t}\n", "c");
    expect(config.agents["a"]?.toolsets).toEqual(["file"]);
  });

  it("two names of one limit with the same value", () => {
    expect(() => parseConfig("delegation: {timeout_s: 60, timeout: 60}", "c")).not.toThrow();
  });
});

describe("parseConfig refuses with line and column", () => {
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

  it.each([
    ["a: [1, 2\nb: 3\n", "config.yaml:2:1: not valid YAML"],
    ["log: {}\nlog: {}\n", "config.yaml:2:1: not valid YAML: this key stands here twice"],
    ["log:\n\tlevel: info\n", "config.yaml:2:1: not valid YAML: a tab is used to indent"],
    ["log: {}\n---\nlog: {}\n", "a second document begins here"],
    ["[q]: x\n", "a key must be plain text"],
    ["log: !shout {}\n", "Unresolved tag"],
  ])("YAML that is wrong: %j", (source, expected) => {
    expect(refusal(source)).toContain(expected);
  });

  it("an alias bomb, at once", () => {
    let bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (let i = 1; i < 10; i++)
      bomb += `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(",")}]\n`;
    expect(refusal(bomb)).toContain("write the values out instead of using aliases");
  });

  it("a file of more than a megabyte", () => {
    expect(refusal(`# ${"x".repeat(1_100_000)}`)).toContain(
      "expected a config of at most 1048576 characters",
    );
  });

  it("prototype keys, without touching any prototype", () => {
    expect(refusal("__proto__: {polluted: true}\n")).toContain("__proto__ is not a key");
    expect(refusal("agents:\n  a:\n    constructor: 1\n")).toContain("agents.a.constructor is not a key");
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });

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
  });

  it("a provider without an address, and addresses that are none", () => {
    expect(refusal("providers: {x: {}}\n")).toContain("providers.x: expected base_url, or type");
    expect(refusal("providers: {x: {base_url: 'file:///etc'}}\n")).toContain("expected an address like");
    expect(refusal("providers: {x: {base_url: 'http://me:pass@host/v1'}}\n")).toContain(
      "without user and password",
    );
    expect(
      refusal("providers: {delegation: {type: ollama}}\ndelegation: {base_url: 'http://localhost:1'}\n"),
    ).toContain("this name is taken");
  });
});

describe("secrets in the config", () => {
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

describe("loadConfig", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "troupe-config-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("takes ./config.yaml before the one in the user's folder, and never merges them", async () => {
    mkdirSync(join(folder, "here"));
    mkdirSync(join(folder, "home/troupe"), { recursive: true });
    writeFileSync(join(folder, "home/troupe/config.yaml"), "model: home\nlog: {level: debug}\n");
    const options = { env: { XDG_CONFIG_HOME: join(folder, "home") }, cwd: join(folder, "here") };
    const fromHome = await loadConfig(options);
    expect(fromHome.config.model).toBe("home");
    expect(fromHome.baseDir).toBe(join(folder, "home/troupe"));
    writeFileSync(join(folder, "here/config.yaml"), "model: here\n");
    const fromHere = await loadConfig(options);
    expect(fromHere.config.model).toBe("here");
    expect(fromHere.config.log.level).toBe("info");
    expect(fromHere.file).toBe(join(folder, "here/config.yaml"));
  });

  it("gives the defaults where there is no file", async () => {
    const loaded = await loadConfig({ env: { HOME: folder }, cwd: folder });
    expect(loaded).toEqual({ config: configSchema.parse({}), file: null, baseDir: folder });
    expect((await loadConfig({ env: {}, cwd: folder })).file).toBeNull();
  });

  it("refuses a named file that is not there, and one that cannot be read", async () => {
    await expect(loadConfig({ env: {}, cwd: folder, path: "other.yaml" })).rejects.toMatchObject({
      code: "config_missing",
      message: expect.stringContaining("troupe init") as string,
    });
    await expect(loadConfig({ env: {}, cwd: folder, path: "." })).rejects.toMatchObject({
      code: "config_unreadable",
    });
  });

  it("reads through the given function", async () => {
    const loaded = await loadConfig({ env: {}, cwd: "/x", readFile: () => Promise.resolve("model: m\n") });
    expect(loaded).toMatchObject({ file: "/x/config.yaml", config: { model: "m" } });
  });
});

describe("troupeHome", () => {
  it("is TROUPE_HOME, else XDG_CONFIG_HOME/troupe, else ~/.config/troupe", () => {
    const env = { TROUPE_HOME: "/t", XDG_CONFIG_HOME: "/x", HOME: "/h" };
    expect(troupeHome(env)).toBe("/t");
    expect(troupeHome({ ...env, TROUPE_HOME: undefined })).toBe("/x/troupe");
    expect(troupeHome({ HOME: "/h", XDG_CONFIG_HOME: "relative" })).toBe("/h/.config/troupe");
    expect(() => troupeHome({})).toThrow(/Set TROUPE_HOME/);
  });
});
