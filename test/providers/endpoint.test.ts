import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { providerSchema } from "../../src/core/config-schema.ts";
import { Endpoint } from "../../providers/endpoint.ts";
import { DEFAULT_DEADLINES } from "../../providers/provider.ts";
import type { ProviderOptions } from "../../providers/provider.ts";

const make = (options: Partial<ProviderOptions>) =>
  new Endpoint({ baseUrl: "http://box:1", fetch, clock: new SimulatedClock(), ...options }, "Start it.");

describe("an endpoint", () => {
  it("drops the slashes at the end of its address", () => {
    expect(make({ baseUrl: "http://box:1/v1//" }).baseUrl).toBe("http://box:1/v1");
    expect(make({ baseUrl: "http://[::1]:11434" }).baseUrl).toBe("http://[::1]:11434");
  });

  it.for([
    "",
    "localhost:11434",
    "ftp://box",
    "http://user:word@box",
    "http://box/?key=word",
    "http://box/#word",
  ])("refuses the address %j without quoting a credential", (baseUrl) => {
    expect(() => make({ baseUrl })).toThrow(ConfigError);
    expect(() => make({ baseUrl })).not.toThrow(/word/);
    expect(() => make({ baseUrl })).toThrow(/base_url/);
  });

  it("refuses a key that no header can carry, without quoting it", () => {
    for (const apiKey of ["sk-1\nx", "sk-ключ"]) {
      expect(() => make({ apiKey })).toThrow(/`api_key`/);
      expect(() => make({ apiKey })).not.toThrow(/sk-/);
    }
  });

  it("refuses a header that HTTP cannot carry, by its name", () => {
    expect(() => make({ headers: { "bad name": "x" } })).toThrow(/"bad name"/);
    expect(() => make({ headers: { "x-a": "line\nbreak" } })).toThrow(/"x-a"/);
  });

  it("sends the key as a bearer token, and none where there is none", () => {
    expect(make({ apiKey: "sk-1" }).headers(true).get("authorization")).toBe("Bearer sk-1");
    expect(make({ apiKey: "" }).headers(true).has("authorization")).toBe(false);
  });

  it("fills deadlines that are not given", () => {
    expect(make({ deadlines: { idleMs: 5 } }).deadlines).toEqual({ ...DEFAULT_DEADLINES, idleMs: 5 });
  });

  it("waits by default as long as the config's defaults say", () => {
    const config = providerSchema.parse({ type: "ollama", base_url: "http://x" });
    expect(make({}).deadlines).toEqual({
      connectMs: config.connect_timeout_s * 1000,
      firstByteMs: config.first_byte_timeout_s * 1000,
      idleMs: config.idle_timeout_s * 1000,
    });
  });

  it("P4 does not show its key to who prints it", () => {
    expect(inspect(make({ apiKey: "sk-hidden-1" }), { depth: 10, showHidden: true })).not.toContain(
      "sk-hidden-1",
    );
  });
});
