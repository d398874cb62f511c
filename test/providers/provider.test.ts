import { describe, expect, it } from "vitest";
import { providerSchema } from "../../src/core/config-schema.ts";
import { DEFAULT_DEADLINES, MAX_LINE_CHARS, SIMULATED_HEADER } from "../../providers/provider.ts";

describe("the provider contract's constants", () => {
  it("agree with the defaults of the config", () => {
    const config = providerSchema.parse({ type: "ollama", base_url: "http://x" });
    expect(DEFAULT_DEADLINES).toEqual({
      connectMs: config.connect_timeout_s * 1000,
      firstByteMs: config.first_byte_timeout_s * 1000,
      idleMs: config.idle_timeout_s * 1000,
    });
  });

  it("leave room for a line of 10 MB, and name the simulator's header in lower case", () => {
    expect(MAX_LINE_CHARS).toBeGreaterThan(10_000_000);
    expect(SIMULATED_HEADER).toBe("x-troupe-simulated");
  });
});
