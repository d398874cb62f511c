// `troupe serve`: the port first, then the runtime, then the doors open. It stays until it is told to stop, and says
// what becomes of what was still running.
//
// V1. A simulated box never opens the store of the real one: its rules would go on with real tasks.

import { resolve } from "node:path";
import { compose, type Troupe } from "../compose.ts";
import { listen, type Served } from "../listen.ts";
import { NO_AUDIT, type Audit } from "../core/audit.ts";
import type { StoreSettings } from "../core/settings.ts";
import type { LoadedConfig } from "../config/load.ts";
import { storeSettings } from "../config/store-settings.ts";
import { MadeTokens, type MadeToken } from "../http/made-tokens.ts";
import { loadOrCreateToken, type TokenFile } from "../http/token.ts";
import type { Command, Invocation } from "./command.ts";
import { configOf, isPosix, tokenFolder, tokenPath } from "./connection.ts";
import { usageError } from "./flags.ts";
import { probeGpus } from "./gpu-probe.ts";
import { vramOf } from "./machine-memory.ts";
import { windDown } from "./shutdown.ts";
import { onSimulatedBox, SIMULATED_VRAM_BYTES, startSimulatedBox, type RunningBox } from "./simulated-box.ts";

interface Running {
  readonly served: Served;
  readonly troupe: Troupe;
  readonly token: TokenFile;
  readonly configFile: string | null;
}

/** Contract: exits with `ok` when it was told to stop. Throws ConfigErrors for what a person must mend first. */
export const serve: Command = async (invocation) => {
  const { flags, world, printer } = invocation;
  const loaded = await configOf(invocation);
  const box = flags.has("simulate") ? await startSimulatedBox(world.clock) : null;
  try {
    const running = await start(invocation, loaded, box);
    try {
      announce(invocation, running);
      await aborted(world.signal);
      await windDown(running.troupe, printer);
    } finally {
      await running.served.close();
      await running.troupe.close();
    }
    printer.note("Stopped.");
    return "ok";
  } finally {
    await box?.close();
  }
};

async function start(invocation: Invocation, loaded: LoadedConfig, box: RunningBox | null): Promise<Running> {
  const { flags, world } = invocation;
  const { server } = loaded.config;
  const keeping = keepingOf(invocation, loaded);
  const token = await loadOrCreateToken({ path: tokenPath(world, loaded), posix: isPosix(world) });
  const made = madeTokens(invocation, loaded);
  const served = await listen({
    host: flags.text("host") ?? server.host,
    port: flags.integer("port", { least: 0, most: 65_535 }) ?? server.port,
    token: token.token,
    world,
    allowedHosts: server.allowed_hosts,
    allowedOrigins: server.allowed_origins,
    insecureAllowRemote: server.insecure_allow_remote,
    made: made.tokens,
    ...rateLimitOf(server.rate_limit),
  });
  try {
    const troupe = await compose({
      world,
      link: served.listening.url,
      ...(keeping && { storeSettings: keeping }),
      ...(await source(loaded, box, invocation)),
    });
    made.noteIn(troupe.audit);
    troupe.hide(token.token);
    served.open(troupe);
    return { served, troupe, token, configFile: loaded.file };
  } catch (error) {
    await served.close();
    throw error;
  }
}

/** What people made with `troupe tokens`; a file that gives nobody access is said where a person looks. */
function madeTokens({ world }: Invocation, loaded: LoadedConfig) {
  let audit = NO_AUDIT;
  const noted = (action: string, { id, name, scope }: MadeToken): void =>
    audit.note({
      actor: "troupe",
      action,
      target: id,
      digest: null,
      outcome: "ok",
      detail: `${name}, ${scope}`,
    });
  const tokens = new MadeTokens({
    ...tokenFolder(world, loaded),
    clock: world.clock,
    onProblem: (message) => world.writeLog(`warning: ${message}`),
    onChange: (change, token) => noted(change === "added" ? "token.add" : "token.revoke", token),
  });
  return {
    tokens,
    /** From now on; those that are there already are noted too, since they may have been made while nobody looked. */
    noteIn: (log: Audit): void => {
      audit = log;
      for (const token of tokens.tokens) noted("token.known", token);
    },
  };
}

function rateLimitOf({ requests_per_s: perS, burst }: LoadedConfig["config"]["server"]["rate_limit"]) {
  return perS === null ? {} : { rateLimit: { perS, burst } };
}

/** What the runtime is composed from: the config's own servers with the memory of their GPUs, or the simulated box. */
async function source(loaded: LoadedConfig, box: RunningBox | null, { world }: Invocation) {
  if (box === null) {
    const vramBytes = vramOf(loaded, await probeGpus(world.env, world.clock), world);
    return { vramBytes, ...(loaded.file !== null && { configPath: loaded.file }) };
  }
  const { workspace } = loaded.config;
  // A config that is handed over knows no folder of its own any more.
  const absolute = workspace.startsWith("~") ? workspace : resolve(loaded.baseDir, workspace);
  const config = { ...onSimulatedBox(loaded.config, box.url), workspace: absolute };
  return { config, vramBytes: SIMULATED_VRAM_BYTES };
}

/** The store that goes before the config's: the one that a person named, or memory for a simulated box (keeps V1). */
function keepingOf({ flags, world }: Invocation, { config }: LoadedConfig): StoreSettings | null {
  const file = flags.text("store");
  const inMemory = (): StoreSettings =>
    storeSettings({ store: { ...config.store, durability: "none" } }, world.env);
  if (file === undefined) return flags.has("simulate") ? inMemory() : null;
  const path = resolve(world.cwd, file);
  const { durability } = config.store;
  const named = { ...config.store, path, durability: durability === "none" ? "full" : durability } as const;
  if (flags.has("simulate") && storeSettings(config, world.env).path === path) {
    throw usageError(`Expected --store to be another file than the store of the real box, got ${path}.`);
  }
  return storeSettings({ store: named }, world.env);
}

function announce({ printer }: Invocation, { served, troupe, token, configFile }: Running): void {
  const { url } = served.listening;
  const address = dashboardAddress(url, printer.shown ? token.token : null);
  const { simulated, workspaceRoot } = troupe.settings;
  const { path, durability } = troupe.store;
  printer.document({ url, tokenFile: token.path, simulated, store: path, durability });
  if (simulated) {
    printer.warn([
      ["yellow", "SIMULATED: the models of this server are rules, not models. For trying things out only."],
    ]);
    if (troupe.store.path === null) printer.note("Nothing of it is kept; --store FILE keeps it in a file.");
  }
  for (const line of troupe.why) {
    printer.note(
      line.startsWith("warning: ") ? [["yellow", "warning: "], line.slice("warning: ".length)] : line,
    );
  }
  printer.note(
    `config: ${configFile ?? `none, so everything has its default (${printer.program} init writes one)`}`,
  );
  printer.note(`workspace: ${workspaceRoot}`);
  printer.note(`token: ${token.path}${token.created ? " (new)" : ""}`);
  printer.note([["bold", `Troupe serves at ${address}`], "; Ctrl-C stops it."]);
  printer.note(
    address === url
      ? "Open that address in a browser and paste the token. Or, in another terminal:"
      : "Open that address in a browser: whoever has it may do everything here. Or, in another terminal:",
  );
  printer.note(`  ${printer.program} delegate "Which files are here?"`);
  printer.note(`  ${curlLine(url, token.path)}`);
}

/**
 * Where the dashboard is. The token rides in the fragment, which browsers send nowhere, and only on a person's screen:
 * what goes to a file or a journal names the address alone.
 */
export function dashboardAddress(url: string, token: string | null): string {
  return token === null ? url : `${url}/#token=${token}`;
}

/** A line for a shell. The token is read by a builtin, so that no process list shows it. */
export function curlLine(url: string, tokenFile: string): string {
  const quoted = `'${tokenFile.replaceAll("'", String.raw`'\''`)}'`;
  return `printf 'Authorization: Bearer %s' "$(cat ${quoted})" | curl -H @- ${url}/v1/tree`;
}

/** Resolves once the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener("abort", () => done(), { once: true });
  });
}
