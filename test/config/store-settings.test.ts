import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { storeSettings } from "../../src/config/store-settings.ts";

const settings = (yaml: string, env: Record<string, string> = { TROUPE_HOME: "/home/me/troupe" }) =>
  storeSettings(parseConfig(yaml, "config.yaml"), env);

describe("storeSettings", () => {
  it("is a database in Troupe's home that survives a power loss, for thirty days and a gibibyte", () => {
    expect(settings("")).toEqual({
      path: "/home/me/troupe/troupe.db",
      durability: "full",
      keepMs: 30 * 24 * 3_600_000,
      maxBytes: 1024 ** 3,
    });
  });

  it.each([
    ["sub/other.db", "/home/me/troupe/sub/other.db"],
    ["/var/lib/troupe.db", "/var/lib/troupe.db"],
    ["~/t.db", "/home/me/t.db"],
  ])("puts path: %s to %s", (path, absolute) => {
    expect(
      settings(`store: {path: ${path}}`, { HOME: "/home/me", TROUPE_HOME: "/home/me/troupe" }).path,
    ).toBe(absolute);
  });

  it("has no file in memory, and needs no home for it", () => {
    expect(settings("store: {durability: none}", {})).toMatchObject({ path: null, durability: "none" });
  });

  it("says what to do without a home, unless the path is written out", () => {
    expect(() => settings("", {})).toThrow(/TROUPE_HOME[\s\S]*store\.durability: none/);
    expect(settings("store: {path: /var/t.db}", {}).path).toBe("/var/t.db");
  });

  it("takes a bound beyond what can be counted as no bound at all", () => {
    expect(settings(`store: {max_mb: ${Number.MAX_SAFE_INTEGER}}`).maxBytes).toBe(Number.MAX_SAFE_INTEGER);
  });

  it.each([
    ["store: {paht: x}", /store\.paht is not a key\. Did you mean path\?/],
    ["store: {durabilty: full}", /Did you mean durability\?/],
    ["store: {durability: ful}", /store\.durability: expected one of full, normal, none, got "ful"/],
    ["store: {path: ''}", /store\.path: expected a text that is not empty/],
    ["store: {keep_days: -1}", /store\.keep_days: expected 0 or more/],
    ["store: {max_mb: 0}", /store\.max_mb: expected 1 or more/],
    ["server: {shutdown_grace: 3}", /Did you mean shutdown_grace_s\?/],
    ["server: {shutdown_grace_s: -1}", /server\.shutdown_grace_s: expected 0 or more/],
    ["stroe: {}", /stroe is not a key\. Did you mean store\?/],
  ])("refuses %s with what was meant", (yaml, message) => {
    expect(() => settings(yaml)).toThrow(message);
  });
});
