// What the schema cannot say: keys that exclude each other, names that must exist, and where secrets may stand.
// Pure; reads no environment and no network. No message holds a secret.

import type { Config, ProviderConfig } from "../core/config-schema.ts";
import { credentialPlace, isLoopback, parseEndpoint } from "../core/endpoint.ts";
import { aliasFindings } from "./aliases.ts";
import { isPlaceholder, parseSecretRef } from "../core/secret.ts";
import type { ConfigPath } from "./problem.ts";
import { keyName } from "./problem.ts";
import { didYouMean } from "./suggest.ts";
import type { Finding } from "./validate.ts";

/** Names of Troupe's own: the implicit provider of `delegation.*`, and the agents of sessions and plain children. */
export const DELEGATION_PROVIDER = "delegation";
export const SESSION_AGENT = "session";
export const CHILD_AGENT = "child";

const SECRET_HEADERS = /^(authorization|proxy-authorization|x-api-key|api-key|cookie)$/i;

function finding(path: ConfigPath, message: string, at: "key" | "value" = "value"): Finding {
  return { path, at, message: `${keyName(path)}: ${message}` };
}

function checkUrl(path: ConfigPath, url: string): readonly Finding[] {
  const parsed = parseEndpoint(url);
  if (parsed === null)
    return [finding(path, "expected an address like http://127.0.0.1:11434, got another text")];
  const extra = credentialPlace(parsed);
  if (extra === null) return [];
  return [finding(path, `expected an address without ${extra}; put the key into api_key as env:NAME`)];
}

function checkSecret(path: ConfigPath, apiKey: string, remote: boolean): readonly Finding[] {
  const ref = parseSecretRef(apiKey);
  if (ref === null) return [finding(path, "expected env:NAME with the name of an environment variable")];
  if (ref.from !== "literal" || !remote) return [];
  const what = isPlaceholder(ref.value)
    ? "a placeholder"
    : "the key itself, for an endpoint that is not this machine";
  const last = path.at(-1);
  const line = typeof last === "number" ? "- env:NAME" : `${last}: env:NAME`;
  return [
    finding(
      path,
      `expected env:NAME, got ${what}. Put the key into an environment variable and write ${line}`,
    ),
  ];
}

function checkCallback(name: string, callback: Config["callbacks"][string]): readonly Finding[] {
  const { url, token } = callback;
  const at = ["callbacks", name];
  const found = [...checkUrl([...at, "url"], url)];
  if (token !== undefined) found.push(...checkSecret([...at, "token"], token, !isLoopback(url)));
  return found;
}

function checkProvider(name: string, provider: ProviderConfig): readonly Finding[] {
  const at = ["providers", name];
  const found: Finding[] = [];
  if (provider.base_url === undefined && provider.type === "auto") {
    found.push(finding(at, "expected base_url, or type: ollama or openai to use its usual address", "key"));
  }
  if (provider.base_url !== undefined) found.push(...checkUrl([...at, "base_url"], provider.base_url));
  const remote =
    provider.base_url === undefined ? provider.type !== "ollama" : !isLoopback(provider.base_url);
  if (provider.api_key !== undefined) {
    found.push(...checkSecret([...at, "api_key"], provider.api_key, remote));
  }
  for (const [index, written] of provider.api_keys.entries()) {
    const isText = typeof written === "string";
    const path = [...at, "api_keys", index, ...(isText ? [] : ["key"])];
    found.push(...checkSecret(path, isText ? written : written.key, remote));
  }
  for (const header of Object.keys(provider.headers)) {
    if (!SECRET_HEADERS.test(header)) continue;
    found.push(
      finding([...at, "headers", header], "secrets do not stand in headers; use api_key: env:NAME", "key"),
    );
  }
  return found;
}

function checkDelegation(config: Config): readonly Finding[] {
  const { base_url: baseUrl, api_key: apiKey, provider } = config.delegation;
  const found: Finding[] = [];
  if (baseUrl !== undefined) found.push(...checkUrl(["delegation", "base_url"], baseUrl));
  if (apiKey !== undefined && baseUrl === undefined && provider === undefined) {
    found.push(
      finding(
        ["delegation", "api_key"],
        "expected delegation.base_url or delegation.provider beside it",
        "key",
      ),
    );
  }
  if (apiKey !== undefined) {
    const url = baseUrl ?? (provider === undefined ? undefined : config.providers[provider]?.base_url);
    found.push(...checkSecret(["delegation", "api_key"], apiKey, url !== undefined && !isLoopback(url)));
  }
  if (config.providers[DELEGATION_PROVIDER] !== undefined && (baseUrl ?? apiKey) !== undefined) {
    const message = "this name is taken by delegation.base_url; choose another";
    found.push(finding(["providers", DELEGATION_PROVIDER], message, "key"));
  }
  return found;
}

interface Aliases {
  readonly max_turns?: number | undefined;
  readonly max_iterations?: number | undefined;
  readonly timeout_s?: number | undefined;
  readonly timeout?: number | undefined;
  readonly child_timeout_seconds?: number | undefined;
}

function checkAliases(path: ConfigPath, block: Aliases): readonly Finding[] {
  const groups: readonly (readonly (keyof Aliases)[])[] = [
    ["timeout_s", "timeout", "child_timeout_seconds"],
    ["max_turns", "max_iterations"],
  ];
  return groups.flatMap((group) => {
    const given = group.filter((key) => block[key] !== undefined);
    if (new Set(given.map((key) => block[key])).size < 2) return [];
    return [
      finding(
        [...path, given[1] as string],
        `it means the same as ${given[0]}, with another value; keep one`,
        "key",
      ),
    ];
  });
}

function checkNames(config: Config, toolsets: readonly string[] | undefined): readonly Finding[] {
  const providers = Object.keys(config.providers);
  const found: Finding[] = [];
  const provider = (path: ConfigPath, name: string): void => {
    // Without any provider in the config, `ollama` is there by itself.
    if (providers.includes(name) || (providers.length === 0 && name === "ollama")) return;
    const known = providers.length === 0 ? ["ollama"] : providers;
    const message = `there is no provider ${name}.${didYouMean(name, known)} Known: ${known.join(", ")}`;
    found.push(finding(path, message));
  };
  if (config.delegation.provider !== undefined)
    provider(["delegation", "provider"], config.delegation.provider);
  const seen = new Set<string>();
  for (const [index, gpu] of config.gpus.entries()) {
    provider(["gpus", index, "provider"], gpu.provider);
    if (seen.has(gpu.id))
      found.push(finding(["gpus", index, "id"], `${gpu.id} stands here twice; ids are unique`));
    seen.add(gpu.id);
  }
  for (const name of [SESSION_AGENT, CHILD_AGENT]) {
    if (!Object.hasOwn(config.agents, name)) continue;
    const where = name === SESSION_AGENT ? "the top of the config" : "delegation";
    found.push(
      finding(["agents", name], `this name is Troupe's own; choose another, or set ${where}`, "key"),
    );
  }
  const agents = [SESSION_AGENT, CHILD_AGENT, ...Object.keys(config.agents)];
  for (const [index, name] of config.tools.grants.entries()) {
    if (agents.includes(name)) continue;
    const message = `there is no agent ${name}.${didYouMean(name, agents)} Known: ${agents.join(", ")}`;
    found.push(finding(["tools", "grants", index], message));
  }
  if (toolsets === undefined) return found;
  const lists: readonly (readonly [ConfigPath, readonly string[] | undefined])[] = [
    [["toolsets"], config.toolsets],
    [["delegation", "default_toolsets"], config.delegation.default_toolsets],
    ...Object.entries(config.agents).map(
      ([name, agent]) => [["agents", name, "toolsets"], agent.toolsets] as const,
    ),
  ];
  for (const [path, list] of lists) {
    for (const [index, name] of (list ?? []).entries()) {
      if (toolsets.includes(name)) continue;
      const message = `there is no toolset ${name}.${didYouMean(name, toolsets)} Known: ${toolsets.join(", ")}`;
      found.push(finding([...path, index], message));
    }
  }
  return found;
}

/** All of it at once. `toolsets` are the names that exist; absent leaves them unchecked. Contract: never throws. */
export function checkConfig(config: Config, toolsets?: readonly string[]): readonly Finding[] {
  return [
    ...Object.entries(config.providers).flatMap(([name, provider]) => checkProvider(name, provider)),
    ...Object.entries(config.callbacks).flatMap(([name, callback]) => checkCallback(name, callback)),
    ...(config.tools.web.search_url === undefined
      ? []
      : checkUrl(["tools", "web", "search_url"], config.tools.web.search_url)),
    ...checkDelegation(config),
    ...checkAliases(["delegation"], config.delegation),
    ...Object.entries(config.agents).flatMap(([name, agent]) => checkAliases(["agents", name], agent)),
    ...checkNames(config, toolsets),
    ...aliasFindings(config),
  ];
}
