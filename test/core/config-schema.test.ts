import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/core/config-schema.ts";

describe("configSchema", () => {
  it("has a default for everything, so that no config is needed", () => {
    const config = configSchema.parse({});
    expect(config).toMatchObject({
      workspace: ".",
      toolsets: ["delegation", "file"],
      delegation: {
        max_concurrent_children: 3,
        max_spawn_depth: 1,
        default_toolsets: ["file"],
        on_interrupt: "continue",
      },
      scheduler: { interactive_patience_s: 5 },
      server: { host: "127.0.0.1", insecure_allow_remote: false, shutdown_grace_s: 10 },
      store: { path: "troupe.db", durability: "full", keep_days: 30, max_mb: 1024 },
      budget: { tokens: null, cost_micros: null, gpu_ms: null, tool_calls: null },
    });
  });

  it("is strict in every block", () => {
    const blocks = [
      {},
      { delegation: {} },
      { budget: {} },
      { server: {} },
      { log: {} },
      { scheduler: {} },
      { store: {} },
      { tools: {} },
      { agents: { a: {} } },
      { providers: { p: {} } },
    ];
    for (const block of blocks) {
      expect(configSchema.safeParse(block).success).toBe(true);
      const typo = JSON.parse(
        JSON.stringify(block).replace(/\{\}\}*$/, (end) => end.replace("{}", '{"zzz":1}')),
      ) as unknown;
      expect(configSchema.safeParse(typo).success).toBe(false);
    }
  });
});
