// Wires the implementations: from a config file and what the model servers say to a runtime that serves. The only
// file that knows which store, scheduler and providers stand behind the contracts.

import type { Clock } from "./base/clock.ts";
import { newId, type Random } from "./base/ids.ts";
import { serve, type Listening } from "./base/listen.ts";
import { lineLogger, type Logger } from "./base/log.ts";
import type { TroupeApi } from "./core/api.ts";
import type { Config } from "./core/config-schema.ts";
import type { Settings } from "./core/settings.ts";
import { loadConfig, troupeHome, type Environment, type LoadedConfig } from "./config/load.ts";
import { planProviders } from "./config/plan.ts";
import { resolveSettings } from "./config/resolve.ts";
import { Credentials } from "./credentials/credentials.ts";
import { startingResponse } from "./http/problem.ts";
import { createHttpApp } from "./http/server.ts";
import { assertBindAllowed } from "./http/bind.ts";
import { ProviderPool } from "./runtime/provider-pool.ts";
import { OPERATOR, Runtime } from "./runtime/runtime.ts";
import { LocalScheduler } from "./scheduler/local-scheduler.ts";
import { MemoryStore } from "./store/memory.ts";
import type { Store } from "./store/store.ts";
import { checkArguments } from "./toolsets/arguments.ts";
import { resolvedPath, secretFiles } from "./toolsets/file-policy.ts";
import { builtinToolsets, ToolsetRegistry, toolsetNames } from "./toolsets/registry.ts";
import { VERSION } from "./version.ts";

/** What a Troupe needs of the world around it. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
  readonly env: Environment;
  readonly cwd: string;
  /** Where diagnostic lines go, without a newline. */
  readonly writeLog: (line: string) => void;
}

export interface ComposeOptions {
  readonly world: World;
  /** The config file; found by itself when absent. Ignored when `config` is given. */
  readonly configPath?: string;
  readonly config?: Config;
  /** Where people reach this server; `null` when nothing serves. */
  readonly link?: string | null;
  /** Memory of the GPU, where somebody could tell. */
  readonly vramBytes?: number | null;
  /** The store; in memory when absent. */
  readonly store?: Store;
}

export interface Troupe {
  readonly api: TroupeApi;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly config: Config;
  readonly configFile: string | null;
  readonly providers: ProviderPool;
  readonly logger: Logger;
  /** Start-up lines: which servers, which models, and why. */
  readonly why: readonly string[];
  /** Contract: may be called twice. */
  close(): Promise<void>;
}

/**
 * A Troupe, ready to delegate.
 * Contract: throws ConfigError for everything a person must mend first; starts nothing it does not stop in `close`.
 */
export async function compose(options: ComposeOptions): Promise<Troupe> {
  const { world, link = null, vramBytes = null } = options;
  const { clock, random, env } = world;
  const loaded = await readConfig(options);
  const { config } = loaded;
  const { plans } = planProviders(config, env);
  const credentials = new Credentials({ env, sources: plans });
  const logger = lineLogger((line) => world.writeLog(credentials.redact(line)), config.log.level);
  const providers = new ProviderPool({ plans, credentials, fetch: world.fetch, clock });
  const discovery = { providers: await providers.discover(), vramBytes };
  const boxId = newId("box", random);
  const { settings, why } = resolveSettings({
    config,
    discovery,
    env,
    baseDir: loaded.baseDir,
    version: VERSION,
    boxId,
    link,
  });
  const store = options.store ?? new MemoryStore({ clock, random });
  const toolsets = new ToolsetRegistry(
    builtinToolsets({
      onInterrupt: settings.delegation.onInterrupt,
      filePolicy: secretFiles({ homes: await homesOf(env) }),
    }),
  );
  const runtime = new Runtime({
    settings,
    clock,
    random,
    logger,
    store,
    makeScheduler: (onSignal) =>
      new LocalScheduler({ clock, random, interactivePatienceMs: settings.interactivePatienceMs, onSignal }),
    providers: providers.all(),
    providerOf: (ref) => providers.of(ref.provider),
    knownToolsets: new Set(toolsets.names),
    toolsOf: (names, role) => toolsets.toolsOf(names, role),
    checkArguments,
    redact: (text) => credentials.redact(text),
    redactStream: () => credentials.redactStream(),
  });
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    await runtime.close();
    await store.close();
  };
  return {
    api: runtime.as(OPERATOR),
    runtime,
    settings,
    config,
    configFile: loaded.file,
    providers,
    logger,
    why,
    close: () => (closing ??= close()),
  };
}

/** Where the token and the config of this person are; nothing when the environment names no home. */
async function homesOf(env: Environment): Promise<readonly string[]> {
  try {
    return [await resolvedPath(troupeHome(env))];
  } catch {
    return [];
  }
}

function readConfig(options: ComposeOptions): Promise<LoadedConfig> {
  const { env, cwd } = options.world;
  if (options.config) return Promise.resolve({ config: options.config, file: null, baseDir: cwd });
  const path = options.configPath;
  return loadConfig({ env, cwd, toolsets: toolsetNames(), ...(path !== undefined && { path }) });
}

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly world: World;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
  readonly insecureAllowRemote: boolean;
}

export interface Served {
  readonly listening: Listening;
  /** Answers from now on; until then every call is told to come again. */
  open(troupe: Troupe): void;
  close(): Promise<void>;
}

/**
 * Takes the port first, so that a taken one is known before anything starts and the links are right.
 * Contract: throws ConfigError `remote_bind`, `port_in_use` and their like.
 */
export async function listen(options: ServeOptions): Promise<Served> {
  assertBindAllowed(options.host, options.insecureAllowRemote);
  let handler: ((request: Request) => Response | Promise<Response>) | null = null;
  const listening = await serve((request) => handler?.(request) ?? startingResponse(), {
    hostname: options.host,
    port: options.port,
  });
  return {
    listening,
    open: (troupe) => {
      const app = createHttpApp({
        api: (caller) => troupe.runtime.as(caller),
        gate: {
          tokens: [{ token: options.token, caller: OPERATOR }],
          port: () => listening.port,
          allowedHosts: options.allowedHosts,
          allowedOrigins: options.allowedOrigins,
        },
        clock: options.world.clock,
        logger: troupe.logger,
        version: VERSION,
      });
      handler = (request) => app.fetch(request);
    },
    close: () => listening.close(),
  };
}
