// Which model servers there are, before anybody has asked them: the config's providers, the Ollama that is there
// without any config, and the implicit provider of `delegation.*`. Pure; opens no connection, reads no secret.

import { ConfigError } from "../base/errors.ts";
import type { Config, ProviderConfig } from "../core/config-schema.ts";
import { providerSchema } from "../core/config-schema.ts";
import { credentialPlace, endpointIdentity, isLoopback, parseEndpoint } from "../core/endpoint.ts";
import type { KeyStrategy } from "../core/key-state.ts";
import { DELEGATION_PROVIDER } from "./checks.ts";
import type { Environment } from "./load.ts";

export const DEFAULT_OLLAMA_URL = "http://127.0.0.1:11434";
const DEFAULT_OPENAI_URL = "https://api.openai.com/v1";
const OLLAMA_PORT = 11_434;

/** One of several keys, as the config has it. */
export interface KeySourcePlan {
  /** As written: `env:NAME`, `none`, or a literal for loopback. */
  readonly apiKey: string;
  /** The key of the config that holds it, for messages. */
  readonly apiKeyPath: string;
  readonly weight: number;
  /** Requests at once; `null` is found by itself. */
  readonly concurrency: number | null;
  /** Keys of the same account share limits and money; `null` is an account of its own. */
  readonly account: string | null;
}

/** One server to ask: what the caller needs to make a Provider and a credential. */
export interface ProviderPlan {
  readonly name: string;
  /** `auto`: ask for Ollama's `/api/version` first (at the address without `/v1`), else it is `openai`. */
  readonly type: "auto" | "ollama" | "openai";
  readonly baseUrl: string;
  /** As written: `env:NAME`, `none`, a literal for loopback; `null` when the config has none. */
  readonly apiKey: string | null;
  /** The key of the config that holds (or would hold) it, for messages. */
  readonly apiKeyPath: string;
  /** Keys beside `apiKey`, in the order of the config. */
  readonly moreKeys: readonly KeySourcePlan[];
  readonly keyStrategy: KeyStrategy;
  readonly keyWaitMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  /** Made by Troupe, not by the config: it is dropped silently when nothing answers there. */
  readonly implicit: boolean;
  readonly config: ProviderConfig;
}

export interface ProviderPlans {
  readonly plans: readonly ProviderPlan[];
  /** Where children run; `null` inherits the parent's. */
  readonly childProvider: string | null;
  /** Start-up lines. */
  readonly why: readonly string[];
}

/**
 * The address in `OLLAMA_HOST` as Ollama itself reads it: `host`, `host:port`, `:port` or a URL; a server that
 * listens on every address is asked on this machine.
 * Contract: throws ConfigError `ollama_host` for what is none of these.
 */
export function ollamaUrl(env: Environment): string {
  const written = (env["OLLAMA_HOST"] ?? "").trim().replace(/^["']|["']$/g, "");
  if (written === "") return DEFAULT_OLLAMA_URL;
  const hasScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(written);
  const text = hasScheme ? written : `http://${written.startsWith(":") ? "127.0.0.1" : ""}${written}`;
  const parsed = parseEndpoint(text);
  const extra = parsed === null ? null : credentialPlace(parsed);
  if (parsed === null || extra !== null) {
    // What is no address may hold a password all the same, so it is not repeated.
    const got = extra === null ? "another text" : `one with ${extra}`;
    const message = `Expected OLLAMA_HOST to be host, host:port or a plain http(s) URL, got ${got}.`;
    throw new ConfigError("ollama_host", `${message} Write it like 127.0.0.1:11434.`);
  }
  if (!hasScheme && !/:\d+(\/|$)/.test(text.slice("http://".length))) parsed.port = String(OLLAMA_PORT);
  if (parsed.hostname === "0.0.0.0" || parsed.hostname === "[::]") parsed.hostname = "127.0.0.1";
  return parsed.toString().replace(/\/+$/, "");
}

function keyPlan(written: ProviderConfig["api_keys"][number], apiKeyPath: string): KeySourcePlan {
  const key = typeof written === "string" ? { key: written, weight: 1 } : written;
  const { concurrency = null, account = null, weight } = key;
  return { apiKey: key.key, apiKeyPath, weight, concurrency, account };
}

function planOf(name: string, config: ProviderConfig, env: Environment): ProviderPlan {
  const baseUrl = config.base_url ?? (config.type === "openai" ? DEFAULT_OPENAI_URL : ollamaUrl(env));
  return {
    name,
    type: config.type,
    baseUrl: baseUrl.replace(/\/+$/, ""),
    apiKey: config.api_key ?? null,
    apiKeyPath: `providers.${name}.api_key`,
    moreKeys: config.api_keys.map((key, index) => keyPlan(key, `providers.${name}.api_keys[${index}]`)),
    keyStrategy: config.key_strategy,
    keyWaitMs: config.key_wait_s * 1000,
    headers: config.headers,
    connectMs: config.connect_timeout_s * 1000,
    firstByteMs: config.first_byte_timeout_s * 1000,
    idleMs: config.idle_timeout_s * 1000,
    implicit: false,
    config,
  };
}

/** base_url beats provider beats inheriting, as in Hermes. */
function delegationPlan(config: Config, plans: readonly ProviderPlan[], env: Environment): ProviderPlans {
  const { base_url: baseUrl, api_key: apiKey, provider } = config.delegation;
  const named = plans.find((plan) => plan.name === provider);
  if (baseUrl === undefined && (apiKey === undefined || named === undefined)) {
    return { plans, childProvider: provider ?? null, why: [] };
  }
  const url = baseUrl ?? (named as ProviderPlan).baseUrl;
  const why =
    baseUrl !== undefined && provider !== undefined
      ? [`delegation.provider (${provider}) is not used: delegation.base_url goes before it`]
      : [];
  // Two names for one server would count its slots twice. A key of its own keeps a remote endpoint apart.
  const same = plans.find((plan) => endpointIdentity(plan.baseUrl) === endpointIdentity(url));
  if (same !== undefined && (apiKey === undefined || isLoopback(url))) {
    return {
      plans,
      childProvider: same.name,
      why: [...why, `delegation.base_url is the server of ${same.name}: one server, one queue`],
    };
  }
  const base = baseUrl === undefined ? (named as ProviderPlan).config : providerSchema.parse({});
  const own = planOf(DELEGATION_PROVIDER, { ...base, base_url: url, api_key: apiKey, api_keys: [] }, env);
  return {
    plans: [...plans, { ...own, apiKeyPath: "delegation.api_key" }],
    childProvider: DELEGATION_PROVIDER,
    why,
  };
}

/** Contract: throws ConfigError `ollama_host` only. The order is the config's; the first counts for bare model names. */
export function planProviders(config: Config, env: Environment): ProviderPlans {
  const named = Object.entries(config.providers).map(([name, provider]) => planOf(name, provider, env));
  if (named.length > 0) return delegationPlan(config, named, env);
  const ollama = planOf("ollama", providerSchema.parse({ type: "ollama" }), env);
  return delegationPlan(config, [{ ...ollama, implicit: true }], env);
}
