import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ConfigError } from "../../src/base/errors.ts";
import { Credentials } from "../../src/credentials/credentials.ts";
import type { CredentialSource } from "../../src/credentials/credentials.ts";

const KEY_A = "sk-live-AAAA1111bbbb2222";
const KEY_B = "sk-live-BBBB3333cccc4444";

function source(name: string, more: Partial<CredentialSource> = {}): CredentialSource {
  return {
    name,
    type: "openai",
    baseUrl: `https://${name}.example/v1`,
    apiKey: null,
    apiKeyPath: `providers.${name}.api_key`,
    ...more,
  };
}

const cloud = source("cloud", { apiKey: "env:CLOUD_KEY" });
const other = source("other", { apiKey: "env:OTHER_KEY" });
const pinned = source("delegation", {
  apiKeyPath: "delegation.api_key",
  baseUrl: "https://pinned.example/v1",
  type: "auto",
});
const ollama = source("ollama", { type: "ollama", baseUrl: "http://127.0.0.1:11434" });
const local = source("local", { baseUrl: "http://localhost:8000/v1", apiKey: "local-key" });

function make(
  sources: readonly CredentialSource[],
  env: Record<string, string> = { CLOUD_KEY: KEY_A, OTHER_KEY: KEY_B },
): Credentials {
  return new Credentials({ env, sources });
}

/** What is thrown; fails when nothing is. */
function refusal(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

describe("resolve", () => {
  it("reads env:NAME, and says which by its fingerprint", () => {
    const credential = make([cloud]).resolve("cloud");
    expect(credential?.reveal()).toBe(KEY_A);
    expect(credential).toMatchObject({ provider: "cloud", source: "env:CLOUD_KEY" });
    expect(credential?.fingerprint).toMatch(/^[0-9a-f]{12}$/);
  });

  it("gives the same object for the same key, and another after the key changed", () => {
    const env: Record<string, string> = { CLOUD_KEY: KEY_A };
    const credentials = make([cloud], env);
    const first = credentials.resolve("cloud");
    expect(credentials.resolve("cloud")).toBe(first);
    env["CLOUD_KEY"] = KEY_B;
    expect(credentials.resolve("cloud")).not.toBe(first);
    expect(credentials.redact(`${KEY_A} ${KEY_B}`)).toBe("[redacted] [redacted]");
  });

  it("needs none for Ollama, for this machine, and where the person says none", () => {
    const credentials = make([
      ollama,
      source("here", { baseUrl: "http://localhost:8000/v1" }),
      source("lan", { apiKey: "none" }),
    ]);
    expect(["ollama", "here", "lan"].map((name) => credentials.resolve(name))).toEqual([null, null, null]);
  });

  it("takes a literal for this machine only", () => {
    expect(make([local]).resolve("local")?.reveal()).toBe("local-key");
    const error = refusal(() => make([source("far", { apiKey: "literal-key-123" })]).resolve("far"));
    expect(error.code).toBe("credential_literal");
    expect(error.message).not.toContain("literal-key-123");
  });

  it("C3 names the variable and the key of what is missing", () => {
    for (const env of [{}, { CLOUD_KEY: "" }, { CLOUD_KEY: "  \n" }]) {
      const error = refusal(() => make([cloud], env as Record<string, string>).resolve("cloud"));
      expect(error.code).toBe("credential_missing");
      expect(error.message).toContain(
        "providers.cloud.api_key is env:CLOUD_KEY, but the environment has no CLOUD_KEY",
      );
      expect(error.details).toMatchObject({ config_key: "providers.cloud.api_key", variable: "CLOUD_KEY" });
    }
    const none = refusal(() => make([source("bare")]).resolve("bare"));
    expect(none.message).toContain("providers.bare.api_key has none. Write api_key: env:NAME");
  });

  it("refuses placeholders and what cannot stand in a header, without showing it", () => {
    expect(refusal(() => make([cloud], { CLOUD_KEY: "your-api-key" }).resolve("cloud")).code).toBe(
      "credential_placeholder",
    );
    const torn = refusal(() => make([cloud], { CLOUD_KEY: "half-of\na-key" }).resolve("cloud"));
    expect(torn.code).toBe("credential_malformed");
    expect(torn.message).not.toContain("half-of");
  });

  it("cuts the line break that files leave behind a key", () => {
    expect(
      make([cloud], { CLOUD_KEY: `${KEY_A}\n` })
        .resolve("cloud")
        ?.reveal(),
    ).toBe(KEY_A);
  });

  it("refuses a provider that is not there", () => {
    expect(refusal(() => make([cloud]).resolve("clod")).message).toContain("Known: cloud");
  });

  it("hides a secret of no provider too, from then on and in pieces", () => {
    const credentials = make([cloud], {});
    expect(credentials.redact("it is token-0123456789.")).toBe("it is token-0123456789.");
    credentials.hide("token-0123456789");
    credentials.hide("token-0123456789");
    expect(credentials.redact("it is token-0123456789.")).toBe("it is [redacted].");
    const stream = credentials.redactStream();
    expect(stream.push("it is token-01") + stream.push("23456789.") + stream.end()).toBe("it is [redacted].");
  });

  it("tells the problems of all providers at once", () => {
    expect(make([cloud, other, ollama], {}).problems()).toHaveLength(2);
    expect(make([cloud, other, ollama]).problems()).toEqual([]);
  });
});

describe("several keys", () => {
  const further = (apiKey: string, index: number) => ({
    apiKey,
    apiKeyPath: `providers.cloud.api_keys[${index}]`,
    weight: index + 1,
    concurrency: null,
    account: null,
  });
  const several = (...keys: readonly string[]) => source("cloud", { moreKeys: keys.map(further) });

  it("are used in their order, each once, with what the config says of them", () => {
    const credentials = make([several("env:CLOUD_KEY", "env:OTHER_KEY", "env:CLOUD_KEY")]);
    const { usable, unusable } = credentials.keysOf("cloud");
    expect(usable.map(({ credential }) => credential.reveal())).toEqual([KEY_A, KEY_B]);
    expect(usable.map(({ plan }) => [plan.source, plan.weight])).toEqual([
      ["env:CLOUD_KEY", 1],
      ["env:OTHER_KEY", 2],
    ]);
    expect(unusable).toEqual([]);
    expect(credentials.resolve("cloud")?.reveal()).toBe(KEY_A);
    expect(credentials.keysOf("cloud").usable[0]?.credential).toBe(usable[0]?.credential);
  });

  it("serve without a bad one among them, which is told", () => {
    const credentials = make([several("env:MISSING", "env:FAKE", "env:OTHER_KEY")], {
      FAKE: "your-api-key",
      OTHER_KEY: KEY_B,
    });
    expect(credentials.resolve("cloud")?.reveal()).toBe(KEY_B);
    const { unusable } = credentials.keysOf("cloud");
    expect(unusable.map((each) => [each.source, each.error.code])).toEqual([
      ["env:MISSING", "credential_missing"],
      ["env:FAKE", "credential_placeholder"],
    ]);
    expect(credentials.problems()).toHaveLength(2);
    expect(credentials.problems()[0]).toContain("providers.cloud.api_keys[0] is env:MISSING");
  });

  it("are an error when none is left", () => {
    const error = refusal(() => make([several("env:MISSING", "")], {}).resolve("cloud"));
    expect(error.code).toBe("credential_missing");
  });

  it("are all taken out of texts", () => {
    const credentials = make([several("env:CLOUD_KEY", "env:OTHER_KEY")]);
    credentials.resolve("cloud");
    expect(credentials.redact(`${KEY_A} ${KEY_B}`)).toBe("[redacted] [redacted]");
  });
});

describe("a child's credential", () => {
  const sources = [cloud, other, pinned, ollama, local];

  it("C2 is the parent's very own on the same provider", () => {
    const credentials = make(sources);
    const parentCredential = credentials.resolve("cloud");
    const request = { parentProvider: "cloud", parentCredential, childProvider: "cloud" };
    expect(credentials.forChild(request)).toBe(parentCredential);
  });

  it("C2 stays the parent's when the variable is gone or changed since", () => {
    const env: Record<string, string> = { CLOUD_KEY: KEY_A };
    const credentials = make(sources, env);
    const parentCredential = credentials.resolve("cloud");
    delete env["CLOUD_KEY"];
    const request = { parentProvider: "cloud", parentCredential, childProvider: "cloud" };
    expect(credentials.forChild(request)?.reveal()).toBe(KEY_A);
  });

  it("C1 is its own provider's on another one", () => {
    const credentials = make(sources);
    const parentCredential = credentials.resolve("cloud");
    const child = credentials.forChild({ parentProvider: "cloud", parentCredential, childProvider: "other" });
    expect(child?.provider).toBe("other");
    expect(child?.reveal()).toBe(KEY_B);
  });

  it("C1 C3 a pinned child without a key of its own is an error when it is spawned, not its parent's key", () => {
    const openai = { ...pinned, type: "openai" as const };
    const credentials = make([cloud, openai]);
    const parentCredential = credentials.resolve("cloud");
    const error = refusal(() =>
      credentials.forChild({ parentProvider: "cloud", parentCredential, childProvider: "delegation" }),
    );
    expect(error.code).toBe("credential_missing");
    expect(error.message).toContain("delegation.api_key has none");
    expect(error.message).not.toContain(KEY_A);
  });

  it("C1 a child on a local server gets no key of the cloud that its parent runs on", () => {
    const credentials = make(sources);
    const parentCredential = credentials.resolve("cloud");
    expect(
      credentials.forChild({ parentProvider: "cloud", parentCredential, childProvider: "ollama" }),
    ).toBeNull();
    expect(
      credentials.forChild({ parentProvider: "cloud", parentCredential, childProvider: "local" })?.reveal(),
    ).toBe("local-key");
  });

  it("C3 a child in the cloud of a local parent needs its own key at once", () => {
    const request = { parentProvider: "ollama", parentCredential: null, childProvider: "cloud" };
    expect(make(sources).forChild(request)?.reveal()).toBe(KEY_A);
    expect(refusal(() => make(sources, {}).forChild(request)).code).toBe("credential_missing");
  });

  it("C3 a parent without a credential does not hide that its provider needs one", () => {
    const request = { parentProvider: "cloud", parentCredential: null, childProvider: "cloud" };
    expect(refusal(() => make(sources, {}).forChild(request)).code).toBe("credential_missing");
    expect(make(sources).forChild(request)?.reveal()).toBe(KEY_A);
    expect(
      make(sources).forChild({ ...request, parentProvider: "ollama", childProvider: "ollama" }),
    ).toBeNull();
  });

  it("C1 refuses a parent's credential that is not its provider's", () => {
    const credentials = make(sources);
    const stolen = credentials.resolve("other");
    const error = refusal(() =>
      credentials.forChild({ parentProvider: "cloud", parentCredential: stolen, childProvider: "cloud" }),
    );
    expect(error.code).toBe("credential_mismatch");
  });

  it("C3 an unknown provider is an error when it is spawned", () => {
    const request = { parentProvider: "cloud", parentCredential: null, childProvider: "nowhere" };
    expect(refusal(() => make(sources).forChild(request)).code).toBe("unknown_provider");
  });

  it("C1 down a whole tree, a key never meets another provider's endpoint", () => {
    const names = ["cloud", "other", "ollama", "local"] as const;
    const owner = new Map([
      [KEY_A, "cloud"],
      [KEY_B, "other"],
      ["local-key", "local"],
    ]);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...names), { minLength: 2, maxLength: 8 }), (path) => {
        const credentials = make(sources);
        let parentProvider: string = path[0] as string;
        let parentCredential = credentials.resolve(parentProvider);
        for (const childProvider of path.slice(1)) {
          const child = credentials.forChild({ parentProvider, parentCredential, childProvider });
          expect(child === null ? null : owner.get(child.reveal())).toBe(
            childProvider === "ollama" ? null : childProvider,
          );
          expect(childProvider === parentProvider ? child : parentCredential).toBe(parentCredential);
          [parentProvider, parentCredential] = [childProvider, child];
        }
      }),
    );
  });
});
