import { describe, expect, test } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { planProviders } from "../../src/config/plan.ts";
import { configSchema } from "../../src/core/config-schema.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import { KeyDesk, NO_KEYS } from "../../src/runtime/key-desk.ts";

const SECRET = "sk-live-AAAA1111bbbb2222";
const OTHER = "sk-live-CCCC3333dddd4444";

function desk(env: Record<string, string | undefined>) {
  const config = configSchema.parse({
    providers: {
      cloud: {
        type: "openai",
        base_url: "https://cloud.example/v1",
        api_key: "env:A",
        api_keys: [{ key: "env:B", concurrency: 2 }, "env:C"],
      },
      local: { type: "ollama", base_url: "http://127.0.0.1:1" },
    },
  });
  const { plans } = planProviders(config, env);
  const credentials = new Credentials({ env, sources: plans });
  const clock = new SimulatedClock();
  return { clock, made: new KeyDesk({ plans, credentials, clock, random: { next: () => 0 } }) };
}

describe("KeyDesk", () => {
  test("shows every key by fingerprint and source, the bad ones among the good", () => {
    const { made } = desk({ A: SECRET, B: "your-api-key" });
    const [a, b, c] = made.shown("cloud");
    expect(a).toMatchObject({ source: "env:A", state: "ready", reason: null, concurrency: null });
    expect(b).toMatchObject({ fingerprint: null, source: "env:B", state: "dead" });
    expect(b?.reason).toContain("placeholder");
    expect(c?.reason).toContain("the environment has no C");
    expect(JSON.stringify(made.shown("cloud"))).not.toContain(SECRET);
    expect(made.credentialsOf("cloud")[0]?.reveal()).toBe(SECRET);
  });

  test("has nothing for a server that takes no key, and no window without a usable one", () => {
    const { made } = desk({});
    expect(made.shown("local")).toEqual([]);
    expect(made.windowOf("local")).toBeNull();
    expect(made.windowOf("cloud")).toBeNull();
    expect(made.credentialsOf("cloud")).toEqual([]);
    expect(made.shown("cloud")).toHaveLength(3);
  });

  test("notices a key that was put in another's place", () => {
    const env: Record<string, string | undefined> = { A: SECRET };
    const { made } = desk(env);
    made.switchKey(made.shown("cloud")[0]?.fingerprint as string, true);
    expect(made.shown("cloud")[0]?.state).toBe("disabled");
    env["A"] = OTHER;
    expect(made.shown("cloud")[0]?.state).toBe("ready");
  });

  test("looks with a key that is well, and switches off and on", () => {
    const { made } = desk({ A: SECRET, B: OTHER });
    const fingerprint = made.shown("cloud")[0]?.fingerprint as string;
    made.switchKey(fingerprint, true);
    expect(made.credentialsOf("cloud").map((key) => key.reveal())).toEqual([OTHER]);
    made.switchKey(fingerprint, false);
    expect(made.credentialsOf("cloud")[0]?.reveal()).toBe(SECRET);
    const other = made.shown("cloud")[1]?.fingerprint as string;
    expect(made.credentialsOf("cloud", other).map((key) => key.reveal())).toEqual([OTHER, SECRET]);
    expect(() => made.switchKey("nobody", true)).toThrow(/no key with the fingerprint/);
    made.close();
  });

  test("a box without keys has none to show or to switch", () => {
    expect(NO_KEYS.shown("cloud")).toEqual([]);
    expect(() => NO_KEYS.switchKey("x", true)).toThrow(/no key/);
  });
});
