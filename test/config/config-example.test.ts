import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allKeys } from "../../src/config/known-keys.ts";
import { parseConfig } from "../../src/config/load.ts";
import { resolveSettings } from "../../src/config/resolve.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import type { Config } from "../../src/core/config-schema.ts";
import { discovery, model } from "./discovery-fixture.ts";

const FILE = new URL("../../config.example.yaml", import.meta.url);
const source = readFileSync(FILE, "utf8");

/** Words begin with `# `; a key that is off begins with `#` alone. */
function switchedOn(text: string): string {
  const lines = text
    .split("\n")
    .map((line) => line.replace(/^(\s*)#(?! |$)/, "$1").replace(/^#(?= {2,})/, ""));
  // An empty block stands where a commented example of it follows.
  return lines.filter((line) => !/^\w+: (\{\}|\[\])$/.test(line)).join("\n");
}

const on = switchedOn(source);

function keysOf(value: unknown, prefix = ""): readonly string[] {
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path = prefix === "" ? key : `${prefix}.${key}`;
    return [path, ...keysOf(item, path)];
  });
}

function settingsOf(config: Config) {
  const found = discovery({ ollama: [model("qwen3:8b", 5)] });
  return resolveSettings({
    config,
    discovery: found,
    env: {},
    baseDir: "/work",
    version: "0",
    boxId: "box",
    link: null,
  });
}

describe("config.example.yaml", () => {
  it("parses as it stands", () => {
    expect(() => parseConfig(source, "config.example.yaml", ["delegation", "file"])).not.toThrow();
  });

  it("says the same as no config at all", () => {
    const shown = parseConfig(source, "config.example.yaml");
    expect(settingsOf(shown)).toEqual(settingsOf(configSchema.parse({})));
    const limits = [
      "max_turns",
      "timeout_s",
      "max_output_tokens",
      "max_result_chars",
      "retry_on_failure",
      "retry_limit",
      "on_restart",
      "stall_timeout_s",
    ];
    const { delegation, ...rest } = shown;
    const { delegation: defaults, ...others } = configSchema.parse({});
    expect(rest).toEqual(others);
    expect(Object.fromEntries(Object.entries(delegation).filter(([key]) => !limits.includes(key)))).toEqual(
      defaults,
    );
  });

  it("parses with every key switched on", () => {
    expect(() => parseConfig(on, "config.example.yaml", ["delegation", "file"])).not.toThrow();
  });

  it("has every key of the schema", () => {
    const present = new Set(
      keysOf(parseConfig(on, "config.example.yaml")).map((path) => {
        let key = path.replace(/^(agents|callbacks|gpus|providers)\.[^.]+/, "$1.*");
        key = key.replace(/^providers\.\*\.models\.[^.]+/, "providers.*.models.*");
        return key;
      }),
    );
    expect(allKeys().length).toBeGreaterThan(70);
    expect(allKeys().filter((key) => !present.has(key))).toEqual([]);
  });

  it("gives a line of words to every key that stands at the top", () => {
    const lines = source.split("\n");
    const bare = lines.filter(
      (line, index) =>
        /^[a-z]+:/.test(line) && !/^(scheduler|server|log):/.test(line) && !lines[index - 1]?.startsWith("#"),
    );
    expect(bare).toEqual([]);
  });
});
