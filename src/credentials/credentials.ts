// Which keys a provider has. The environment is read when a task is spawned, never while the config is read. Which of
// several keys a request takes is the pool's business (key-pool.ts).
//
// C1. A key is given to the provider that the config names for it, and to no other: a child on another provider
//     never gets its parent's.
// C2. A child on its parent's provider gets the very credential of its parent.
// C3. A key that is missing is an error when the task is spawned, naming the variable and the config key; it is
//     never found out at the first call.
//     With several keys it is one when none is left: a bad one among good ones is told, and the others serve.
// C4. No error and no serialised form holds a secret.

import { ConfigError } from "../base/errors.ts";
import { isLoopback } from "../core/endpoint.ts";
import { isPlaceholder, parseSecretRef } from "../core/secret.ts";
import { Credential } from "./credential.ts";
import type { KeyPlan } from "./pool-key.ts";
import { RedactingStream, redactor } from "./redact.ts";

/** What is known of one provider's key. `config/` makes it (a ProviderPlan is one). */
export interface CredentialSource {
  /** The provider's name. */
  readonly name: string;
  readonly type: "auto" | "ollama" | "openai";
  readonly baseUrl: string;
  /** As the config has it: `env:NAME`, `none`, a literal; `null` when it has none. */
  readonly apiKey: string | null;
  /** The config key that holds it, for messages. */
  readonly apiKeyPath: string;
  /** Keys beside it. */
  readonly moreKeys?: readonly FurtherKey[];
}

/** One of several keys, as the config has it. */
export interface FurtherKey {
  readonly apiKey: string;
  readonly apiKeyPath: string;
  readonly weight: number;
  readonly concurrency: number | null;
  readonly account: string | null;
}

/** What became of the keys that a provider names. */
export interface ProviderKeys {
  /** Those that can be used, in the order of the config; the same key twice stands here once. */
  readonly usable: readonly { readonly credential: Credential; readonly plan: KeyPlan }[];
  /** Why others cannot. */
  readonly unusable: readonly { readonly source: string; readonly error: ConfigError }[];
}

export interface CredentialsOptions {
  /** Read at every call, so that a variable may be set later. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly sources: readonly CredentialSource[];
}

/** Who asks for a child's credential: names of providers, and what the parent holds. */
export interface ChildCredentialRequest {
  readonly parentProvider: string;
  /** What the parent itself runs with; `null` when its provider needs none. */
  readonly parentCredential: Credential | null;
  readonly childProvider: string;
}

export class Credentials {
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #sources: ReadonlyMap<string, CredentialSource>;
  readonly #resolved = new Map<string, Credential>();
  /** Also those that were replaced since: they are secrets still. */
  readonly #secrets = new Set<string>();
  #redact: (text: string) => string = (text) => text;

  constructor({ env, sources }: CredentialsOptions) {
    this.#env = env;
    this.#sources = new Map(sources.map((source) => [source.name, source]));
  }

  /**
   * The first of the provider's credentials that can be used; `null` when it needs none. The same key gives the same
   * object every time.
   * Contract: throws ConfigError `credential_missing`, `credential_placeholder`, `credential_malformed`,
   * `credential_literal` or `unknown_provider`; no message holds a secret (C4).
   */
  resolve(provider: string): Credential | null {
    const { usable, unusable } = this.keysOf(provider);
    if (usable[0]) return usable[0].credential;
    if (unusable[0]) throw unusable[0].error;
    return null;
  }

  /**
   * All keys of a provider; none when it needs none.
   * Contract: throws ConfigError `unknown_provider` alone.
   */
  keysOf(provider: string): ProviderKeys {
    const source = this.#sources.get(provider);
    if (source === undefined) {
      const known = [...this.#sources.keys()].join(", ");
      throw new ConfigError("unknown_provider", `There is no provider ${provider}. Known: ${known}.`);
    }
    const usable = new Map<string, ProviderKeys["usable"][number]>();
    const unusable: { readonly source: string; readonly error: ConfigError }[] = [];
    for (const key of keySources(source)) {
      try {
        const found = secretOf({ ...source, ...key }, this.#env);
        if (found === null) continue;
        const credential = this.#credential(provider, key.apiKeyPath, found);
        const { fingerprint } = credential;
        const { weight, concurrency, account } = key;
        const plan = { fingerprint, source: found.from, weight, concurrency, account };
        if (!usable.has(fingerprint)) usable.set(fingerprint, { credential, plan });
      } catch (thrown) {
        if (!(thrown instanceof ConfigError)) throw thrown;
        unusable.push({ source: wordedSource(key), error: thrown });
      }
    }
    return { usable: [...usable.values()], unusable };
  }

  #credential(provider: string, path: string, { value, from }: Key): Credential {
    const place = `${provider} ${path}`;
    const before = this.#resolved.get(place);
    if (before !== undefined && before.reveal() === value) return before;
    const credential = new Credential(provider, from, value);
    this.#resolved.set(place, credential);
    this.hide(value);
    return credential;
  }

  /** Takes another secret, one of no provider, out of every text from now on. */
  hide(secret: string): void {
    if (!this.#secrets.has(secret)) this.#redact = redactor(this.#secrets.add(secret));
  }

  /**
   * The credential of a child that is being spawned: its parent's on the same provider (C2), else its own
   * provider's and nothing else (C1).
   * Contract: throws as `resolve` does, so that a child without its key is never spawned (C3), and ConfigError
   * `credential_mismatch` when the parent's credential is not its provider's.
   */
  forChild(request: ChildCredentialRequest): Credential | null {
    const { parentProvider, parentCredential, childProvider } = request;
    if (parentCredential !== null && parentCredential.provider !== parentProvider) {
      const message = `Expected the parent's credential to be for ${parentProvider}, got one for ${parentCredential.provider}.`;
      throw new ConfigError("credential_mismatch", message);
    }
    // A parent without a credential is not proof that its provider needs none: ask again.
    if (childProvider === parentProvider && parentCredential !== null) return parentCredential;
    return this.resolve(childProvider);
  }

  /** The problems of every provider's key, without stopping at the first; for start-up lines and `doctor`. */
  problems(): readonly string[] {
    return [...this.#sources.keys()].flatMap((provider) =>
      this.keysOf(provider).unusable.map(({ error }) => error.message),
    );
  }

  /** Takes every secret that was ever resolved or hidden here out of a text. */
  redact(text: string): string {
    return this.#redact(text);
  }

  /** The same for one text that comes in pieces; secrets that are resolved later are not known to it. */
  redactStream(): RedactingStream {
    return new RedactingStream(this.#secrets);
  }
}

interface Key {
  readonly value: string;
  readonly from: string;
}

/** Every key that the config names, the plain one first; it alone may be left out. */
function keySources(source: CredentialSource): readonly (Omit<FurtherKey, "apiKey"> & {
  readonly apiKey: string | null;
})[] {
  const { apiKey, apiKeyPath, moreKeys = [] } = source;
  const plain = { apiKey, apiKeyPath, weight: 1, concurrency: null, account: null };
  return apiKey === null && moreKeys.length > 0 ? moreKeys : [plain, ...moreKeys];
}

/** Where a key was to come from; never a literal, which may be the key itself. */
function wordedSource({ apiKey }: { readonly apiKey: string | null }): string {
  const ref = apiKey === null ? null : parseSecretRef(apiKey);
  return ref?.from === "env" ? `env:${ref.name}` : "literal";
}

function secretOf(source: CredentialSource, env: CredentialsOptions["env"]): Key | null {
  const remote = !isLoopback(source.baseUrl);
  const ref = source.apiKey === null ? null : parseSecretRef(source.apiKey);
  if (source.apiKey !== null && ref === null) {
    const message = `${source.apiKeyPath}: expected env:NAME with the name of an environment variable.`;
    throw new ConfigError("credential_missing", message, { details: { config_key: source.apiKeyPath } });
  }
  // Ollama takes no key, and neither does what runs on this machine; a cloud that gets none only answers 401.
  if (ref === null) return remote && source.type === "openai" ? missing(source, null) : null;
  if (ref.from === "none") return null;
  if (ref.from === "env")
    return { value: readVariable(source, ref.name, { env, remote }), from: `env:${ref.name}` };
  if (remote) {
    const message = `${source.apiKeyPath}: expected env:NAME, got the key itself for ${source.baseUrl}, which is not this machine.`;
    throw new ConfigError("credential_literal", message, { details: { config_key: source.apiKeyPath } });
  }
  return ref.value === "" ? null : { value: ref.value, from: "literal" };
}

function missing(source: CredentialSource, variable: string | null): never {
  const what =
    variable === null
      ? `${source.name} at ${source.baseUrl} needs a key, and ${source.apiKeyPath} has none. Write ${source.apiKeyPath.split(".").at(-1)}: env:NAME (or none, if it takes no key)`
      : `${source.apiKeyPath} is env:${variable}, but the environment has no ${variable}. Set it: export ${variable}=…`;
  throw new ConfigError("credential_missing", `${what}.`, {
    details: {
      config_key: source.apiKeyPath,
      provider: source.name,
      ...(variable === null ? {} : { variable }),
    },
  });
}

function readVariable(
  source: CredentialSource,
  name: string,
  { env, remote }: { readonly env: CredentialsOptions["env"]; readonly remote: boolean },
): string {
  const value = env[name]?.trim();
  if (value === undefined || value === "") return missing(source, name);
  if (remote && isPlaceholder(value)) {
    const message = `${source.apiKeyPath} is env:${name}, and ${name} holds a placeholder, no key. Set it to the real one.`;
    throw new ConfigError("credential_placeholder", message, {
      details: { config_key: source.apiKeyPath, variable: name },
    });
  }
  // A key with a line break or a character outside of ASCII cannot stand in a header; say so before fetch does.
  if (!/^[\x21-\x7e]+$/.test(value)) {
    const message = `${source.apiKeyPath} is env:${name}, and ${name} holds characters that no key has (spaces, line breaks, accents).`;
    throw new ConfigError("credential_malformed", message, {
      details: { config_key: source.apiKeyPath, variable: name },
    });
  }
  return value;
}
