// Wires the implementations: from a config file and what the model servers say to a runtime that serves. The only
// file that knows which store, scheduler and providers stand behind the contracts.

import { join } from "node:path";
import type { Clock } from "./base/clock.ts";
import type { ProcessHost } from "./base/process.ts";
import { newId, type Random } from "./base/ids.ts";
import { currentUid } from "./base/owner.ts";
import { lineLogger, type Logger } from "./base/log.ts";
import type { Caller, TroupeApi } from "./core/api.ts";
import type { Config } from "./core/config-schema.ts";
import type { Settings, StoreSettings } from "./core/settings.ts";
import { Callbacks, callbackSources } from "./callbacks.ts";
import { callbackSettings } from "./config/callbacks.ts";
import { BOX_ID_FILE, loadOrCreateBoxId } from "./config/box-id.ts";
import type { Discovery } from "./config/discovery.ts";
import { loadConfig, troupeHome, type Environment, type LoadedConfig } from "./config/load.ts";
import { planProviders } from "./config/plan.ts";
import { resolveSettings, type Resolved } from "./config/resolve.ts";
import { storeSettings } from "./config/store-settings.ts";
import { Credentials } from "./credentials/credentials.ts";
import { auditedApi, auditedTool } from "./audited.ts";
import type { Audit } from "./core/audit.ts";
import { withoutNewTasks } from "./draining.ts";
import { LivingRuntime } from "./living-runtime.ts";
import { storeLine } from "./open-store.ts";
import { openRecords } from "./records.ts";
import { Inspection } from "./runtime/inspection.ts";
import { KeyKeeper } from "./runtime/key-keeper.ts";
import { KeyDesk } from "./runtime/key-desk.ts";
import { ProviderPool } from "./runtime/provider-pool.ts";
import { Retention } from "./runtime/retention.ts";
import { OPERATOR, Runtime } from "./runtime/runtime.ts";
import { LocalScheduler } from "./scheduler/local-scheduler.ts";
import type { Store } from "./store/store.ts";
import { checkArguments } from "./toolsets/arguments.ts";
import { builtinToolsets, fileOptions, ToolsetRegistry, toolsetNames } from "./toolsets/registry.ts";
import type { FileOptions } from "./toolsets/registry.ts";
import { ServerFacts } from "./server-facts.ts";
import { configPaths, ownPaths } from "./own-paths.ts";
import { openTerminal, type Terminal } from "./terminal.ts";
import { VERSION } from "./version.ts";
import { reachOf, type WebDoors } from "./web-reach.ts";

/** What a Troupe needs of the world around it. */
export interface World {
  readonly clock: Clock;
  readonly random: Random;
  readonly fetch: typeof fetch;
  /** How agents reach the web; without it there is no web toolset. */
  readonly web?: WebDoors;
  readonly env: Environment;
  readonly cwd: string;
  /** Starts other programs; without it no terminal opens and no worktree is made. */
  readonly processes?: ProcessHost;
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
  /** A store of the program's own, which `close` closes; the one that the config names when absent. */
  readonly store?: Store;
  /** Goes before what the config says of the store. */
  readonly storeSettings?: StoreSettings;
  /** Who this box is; the id in Troupe's home when absent, a new one where nothing outlives the process anyway. */
  readonly boxId?: string;
}

export interface Troupe {
  readonly api: TroupeApi;
  /** The API as this caller has it from outside; it takes no new tasks once the troupe drains. */
  as(caller: Caller): TroupeApi;
  readonly runtime: Runtime;
  readonly settings: Settings;
  readonly config: Config;
  readonly configFile: string | null;
  readonly providers: ProviderPool;
  readonly logger: Logger;
  /** Takes a secret of the caller's own out of every text that leaves from now on. */
  hide(secret: string): void;
  /** The record of who did what; it keeps nothing where the store does not. */
  readonly audit: Audit;
  /** Where the store lies and what it survives. */
  readonly store: StoreSettings;
  /** Start-up lines: which servers, which models, and why. */
  readonly why: readonly string[];
  /**
   * Starts no further turn and lets those under way end; resolves when they have, or after `graceMs`. New tasks from
   * outside are refused from then on, everything else goes on until `close`. `parked` counts what is left.
   */
  drain(graceMs: number): Promise<{ readonly parked: number }>;
  /** Contract: may be called twice. */
  close(): Promise<void>;
}

/**
 * A Troupe, ready to delegate; what an earlier one left in the store goes on.
 * Contract: throws ConfigError for everything a person must mend first; starts nothing it does not stop in `close`.
 */
export async function compose(options: ComposeOptions): Promise<Troupe> {
  const { world } = options;
  const { clock, random } = world;
  const loaded = await readConfig(options);
  const { config } = loaded;
  const doors = doorsOf(config, world);
  const { credentials, keys, providers, plans, targets, logger } = doors;
  const keeping = keepingOf(options, config);
  const boxId = await boxIdOf(options, keeping);
  const homes = await ownPaths(world.env, { ...keeping, tokenFile: config.server.token_file });
  const kept = await configPaths(loaded.file, world.cwd);
  const files = fileOptions({ ...config.tools.file, homes, kept });
  const terminal = await openTerminal({ ...loaded, world, own: homes });
  const { store, audit, letGo } = await openRecords(keeping, { clock, random, logger }, options.store);
  const servers = new ServerFacts({ plans, pool: providers, store, clock, logger });
  const resolve = (found: Discovery["providers"]): Resolved =>
    resolvedFrom(found, { options, loaded, boxId });
  const { living, resolved } = await startingWith(async () => {
    const resolved = resolve(await servers.start());
    const make = runtimesOf({ world, store, audit, files, terminal, ...doors });
    return { resolved, living: new LivingRuntime(make, resolved.settings) };
  }, letGo);
  const retention = new Retention({ ...keeping, store, clock, logger });
  const keeper = new KeyKeeper({ desk: keys, store, logger });
  const callbacks = new Callbacks({ ...world, targets, credentials, store, logger });
  const close = async (): Promise<void> => {
    await servers.close();
    await callbacks.close();
    await retention.close();
    await living.runtime.close().then(() => terminal.close());
    keys.close();
    await keeper.settle();
    await letGo();
  };
  const found = await startingWith(async () => {
    await keeper.start();
    return living.runtime.recover();
  }, close);
  await callbacks.start();
  retention.start();
  servers.watch((said) => takeUp(resolve(said), { living, config, logger }));
  const asked = (caller: Caller): TroupeApi => auditedApi(living.as(caller), caller, audit);
  let closing: Promise<void> | undefined;
  let draining = false;
  return {
    api: asked(OPERATOR),
    as: (caller) => (draining ? withoutNewTasks(asked(caller)) : asked(caller)),
    audit,
    hide: (secret) => credentials.hide(secret),
    get runtime() {
      return living.runtime;
    },
    get settings() {
      return living.settings;
    },
    config,
    configFile: loaded.file,
    providers,
    logger,
    store: keeping,
    why: [...resolved.servers, ...resolved.why, ...terminal.why, storeLine(keeping, found)],
    drain: async (ms) => {
      draining = true;
      await servers.close();
      return living.runtime.drain(ms);
    },
    close: () => (closing ??= close()),
  };
}

interface Frame {
  readonly options: ComposeOptions;
  readonly loaded: LoadedConfig;
  readonly boxId: string;
}

/** The settings that come of what the servers say. Throws as `resolveSettings` does. */
function resolvedFrom(providers: Discovery["providers"], { options, loaded, boxId }: Frame): Resolved {
  const { world, link = null, vramBytes = null } = options;
  const { env, processes } = world;
  const discovery = { providers, vramBytes };
  // Whose worktrees are made; Deno tells it by a right alone.
  const uid = processes === undefined ? null : currentUid();
  return resolveSettings({ ...loaded, discovery, env, version: VERSION, boxId, link, uid });
}

interface Parts extends ReturnType<typeof doorsOf> {
  readonly world: World;
  readonly store: Store;
  readonly audit: Audit;
  readonly files: FileOptions;
  readonly terminal: Terminal;
}

type MakeRuntime = (settings: Settings) => Runtime;

/** Who watches one of them goes on watching when another takes its place. */
function runtimesOf(parts: Parts): MakeRuntime {
  const inspection = new Inspection({ clock: parts.world.clock, logger: parts.logger });
  return (settings) => makeRuntime(settings, parts, inspection);
}

function makeRuntime(settings: Settings, parts: Parts, inspection: Inspection): Runtime {
  const { world, logger, store, audit, files, terminal, credentials, keys, providers, reach } = parts;
  const { clock, random } = world;
  const { onInterrupt } = settings.delegation;
  const toolsets = new ToolsetRegistry(
    builtinToolsets({ onInterrupt, ...files, ...terminal.toolset, ...reach }),
  );
  return new Runtime({
    settings,
    clock,
    random,
    logger,
    store,
    makeScheduler: (onSignal) =>
      new LocalScheduler({ clock, random, interactivePatienceMs: settings.interactivePatienceMs, onSignal }),
    providers: providers.all(),
    keys,
    providerOf: ({ provider }, caller) => (caller ? providers.for(provider, caller) : providers.of(provider)),
    knownToolsets: new Set(toolsets.names),
    toolsOf: (names, role) => toolsets.toolsOf(names, role).map((tool) => auditedTool(tool, audit)),
    checkArguments,
    ...(terminal.worktrees && { worktrees: terminal.worktrees }),
    inspection,
    releaseTools: (taskId) => toolsets.release(taskId),
    redact: (text) => credentials.redact(text),
    redactStream: () => credentials.redactStream(),
  });
}

interface Taking {
  readonly living: LivingRuntime;
  readonly config: Config;
  readonly logger: Logger;
}

/** A server that was away answers: what it is and has goes into a runtime of its own, unless all of it was known. */
async function takeUp(
  { settings, servers, why }: Resolved,
  { living, config, logger }: Taking,
): Promise<void> {
  const isNews = JSON.stringify(settings) !== JSON.stringify(living.settings);
  for (const line of [...servers, ...(isNews ? why : [])]) logger.info(line);
  if (isNews) await living.change({ settings, graceMs: config.server.shutdown_grace_s * 1000 });
}

/** Whom this box talks to, and with which keys. */
function doorsOf(config: Config, world: World) {
  const { plans } = planProviders(config, world.env);
  const targets = callbackSettings(config);
  const sources = [...plans, ...callbackSources(targets)];
  const credentials = new Credentials({ env: world.env, sources });
  const logger = lineLogger((line) => world.writeLog(credentials.redact(line)), config.log.level);
  const keys = new KeyDesk({ ...world, plans, credentials });
  const providers = new ProviderPool({ ...world, plans, credentials, keys });
  const baseUrls = plans.map(({ baseUrl }) => baseUrl);
  const reach = reachOf(config, baseUrls, world.web);
  return { plans, credentials, keys, providers, targets, reach, logger };
}

/** Contract: throws what went wrong, after everything was let go of. */
async function startingWith<T>(begin: () => T | Promise<T>, letGo: () => Promise<void>): Promise<T> {
  try {
    return await begin();
  } catch (error) {
    await letGo();
    throw error;
  }
}

/** A store of the program's own lies where only the program knows. */
function keepingOf(options: ComposeOptions, config: Config): StoreSettings {
  if (options.storeSettings) return options.storeSettings;
  if (!options.store) return storeSettings(config, options.world.env);
  const { durability } = options.store;
  return { ...storeSettings({ store: { ...config.store, durability: "none" } }, {}), durability };
}

/** Tasks name the box that they belong to: it keeps its id for as long as the store keeps its tasks. */
async function boxIdOf({ world, boxId }: ComposeOptions, { durability }: StoreSettings): Promise<string> {
  if (boxId !== undefined) return boxId;
  const { env, random } = world;
  if (durability === "none") return newId("box", random);
  return loadOrCreateBoxId({ path: join(troupeHome(env), BOX_ID_FILE), random });
}

function readConfig(options: ComposeOptions): Promise<LoadedConfig> {
  const { env, cwd } = options.world;
  if (options.config) return Promise.resolve({ config: options.config, file: null, baseDir: cwd });
  const path = options.configPath;
  return loadConfig({ env, cwd, toolsets: toolsetNames(), ...(path !== undefined && { path }) });
}
