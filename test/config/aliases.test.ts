import { describe, expect, it } from "vitest";
import { aliasFindings, expandNames } from "../../src/config/aliases.ts";
import { parseConfig } from "../../src/config/load.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { ConfigError } from "../../src/base/errors.ts";

const findings = (config: unknown) =>
  aliasFindings(configSchema.parse(config)).map(({ path, message }) => [path.join("."), message]);

describe("names behind names", () => {
  it.each([
    [["a"], { a: "ollama/x" }, ["ollama/x"]],
    [["a", "x"], { a: ["b", "cloud/y"], b: ["ollama/x", "cloud/y"] }, ["ollama/x", "cloud/y", "x"]],
    [["a", "a"], { a: "x" }, ["x"]],
    [["none"], {}, ["none"]],
    [["toString", "__proto__"], {}, ["toString", "__proto__"]],
  ] as const)("%j with %j are %j", (names, aliases, expected) => {
    expect(expandNames(names, aliases as Record<string, string | string[]>)).toEqual(expected);
  });

  it("end where a circle closes, and cost no more than their length when each doubles the next", () => {
    expect(expandNames(["a"], { a: "b", b: ["a", "x"] })).toEqual(["x"]);
    const doubling = Object.fromEntries(
      Array.from({ length: 200 }, (_, at) => [`a${at}`, at < 199 ? [`a${at + 1}`, `a${at + 1}`] : "x"]),
    );
    expect(expandNames(["a0"], doubling)).toEqual(["x"]);
  });
});

describe("aliases that cannot be meant", () => {
  it.each([
    ["itself", { a: "a" }, "a → a"],
    ["a circle", { a: "b", b: "c", c: "a" }, "a → b → c → a"],
    ["a circle in a list", { a: ["x", "b"], b: ["y", "a"] }, "a → b → a"],
  ])("%s is refused by its key", (_, models, circle) => {
    expect(findings({ models })[0]).toEqual([
      "models.a",
      `models.a: expected a model at the end, got a circle: ${circle}`,
    ]);
  });

  it("a circle is one mistake, and an alias that only leads into it is none", () => {
    expect(findings({ models: { out: "a", a: "b", b: "a" } }).map(([path]) => path)).toEqual(["models.a"]);
    const two = { models: { a: "b", b: "a", c: ["d", "x"], d: "c" } };
    expect(findings(two).map(([path]) => path)).toEqual(["models.a", "models.c"]);
  });

  it("empty routes are refused wherever they stand", () => {
    const paths = findings({ models: { a: [] }, delegation: { route: [] }, agents: { r: { route: [] } } });
    expect(paths.map(([path]) => path)).toEqual(["delegation.route", "agents.r.route", "models.a"]);
    expect(paths[0]?.[1]).toContain("got an empty list");
  });

  it("too many are refused at once, without looking for circles", () => {
    const models = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`a${at}`, `a${at + 1}`]));
    expect(findings({ models })).toEqual([["models", "models: expected at most 256 names, got 300"]]);
  });

  it("are told with their line", () => {
    const read = (): unknown => parseConfig("models:\n  small: fast\n  fast: small\n", "config.yaml");
    expect(read).toThrow(ConfigError);
    expect(read).toThrow(/config.yaml:2:10: models.small: expected a model at the end/);
  });
});
