// `troupe doctor`: looks at everything that a server would need, changes nothing, and says how to mend what is wrong.

import { dirname } from "node:path";
import { inTime, withSignal } from "../base/abort.ts";
import { toTroupeError } from "../base/errors.ts";
import { configSchema } from "../core/config-schema.ts";
import type { LoadedConfig } from "../config/load.ts";
import { resolveSettings } from "../config/resolve.ts";
import { storeSettings } from "../config/store-settings.ts";
import { isProblem } from "../http/problem.ts";
import { loadToken } from "../http/token.ts";
import { VERSION } from "../version.ts";
import type { Command, Invocation } from "./command.ts";
import { configOf, configuredUrl, isPosix, namedUrl, tokenPath } from "./connection.ts";
import {
  choiceChecks,
  configChecks,
  gpuChecks,
  providerChecks,
  runtimeChecks,
  serverCheck,
  tokenCheck,
  type Check,
  type LoadedOn,
} from "./doctor-checks.ts";
import { examineStore } from "./doctor-store.ts";
import { examineTerminal } from "./doctor-terminal.ts";
import type { Printer, Style } from "./printer.ts";
import { survey, type Survey } from "./survey.ts";
import { whyUnwritable } from "./unwritable.ts";
import type { CliWorld } from "./world.ts";

const LOOK_MS = 2_000;
const UNCHECKED: Check = {
  about: "rest",
  level: "warn",
  text: "the store, the model servers and the server were not looked at: where they are stands in the config",
  mend: "Mend the config first, then doctor again.",
};
const LEVEL_STYLES: Readonly<Record<Check["level"], Style>> = { ok: "green", warn: "yellow", problem: "red" };

/** Contract: `problems` when one was found. Throws nothing that it can tell as a check. */
export const doctor: Command = async (invocation) => {
  const { printer, world } = invocation;
  const checks = await examine(invocation);
  const problems = checks.filter(({ level }) => level === "problem").length;
  const warnings = checks.filter(({ level }) => level === "warn").length;
  printer.document({ version: VERSION, problems, warnings, checks });
  for (const check of checks) show(check, printer);
  world.signal.throwIfAborted();
  printer.note(problems === 0 ? "Nothing is in the way." : `${problems} to mend before it can run.`);
  return problems === 0 ? "ok" : "problems";
};

async function examine(invocation: Invocation): Promise<readonly Check[]> {
  const { world } = invocation;
  const { program } = world.terminal;
  const checks: Check[] = [...runtimeChecks(world.terminal)];
  let loaded: LoadedConfig;
  try {
    loaded = await configOf(invocation);
    checks.push(...configChecks(loaded.file, null, program));
  } catch (thrown) {
    // The token lies in Troupe's home whatever the config says. Of a store and servers that nobody asked for, as the
    // defaults are now, nothing is said.
    const inHome = { config: configSchema.parse({}), file: null, baseDir: world.cwd };
    const token = await examineToken(world, inHome);
    return [...checks, ...configChecks(null, toTroupeError(thrown), program), token, UNCHECKED];
  }
  checks.push(await examineToken(world, loaded), ...(await lookAtStore(world, loaded)));
  checks.push(await lookAtTerminal(world, loaded));
  try {
    const found = await survey(loaded, world);
    const loadedModels = await lookAtLoaded(found, world);
    checks.push(...gpuChecks(found.gpus, loadedModels), ...providerChecks(found.plans, found.discovery));
    checks.push(...choose(found, loaded, world));
  } catch (thrown) {
    checks.push({ about: "providers", level: "problem", text: toTroupeError(thrown).message, mend: null });
  }
  checks.push(await examineServer(invocation, loaded));
  return checks;
}

async function examineToken(world: CliWorld, loaded: LoadedConfig): Promise<Check> {
  let path = "";
  try {
    path = tokenPath(world, loaded);
    const token = await loadToken({ path, posix: isPosix(world) });
    const unwritable = token === null ? await whyUnwritable(dirname(path)) : null;
    return tokenCheck({ path, exists: token !== null, unwritable });
  } catch (thrown) {
    return { about: "token", level: "problem", text: toTroupeError(thrown).message, mend: null };
  }
}

async function lookAtStore({ env }: CliWorld, { config }: LoadedConfig): Promise<readonly Check[]> {
  try {
    return await examineStore(storeSettings(config, env));
  } catch (thrown) {
    return [{ about: "store", level: "problem", text: toTroupeError(thrown).message, mend: null }];
  }
}

async function lookAtTerminal(world: CliWorld, loaded: LoadedConfig): Promise<Check> {
  try {
    return await examineTerminal(world, loaded);
  } catch (thrown) {
    return { about: "terminal", level: "problem", text: toTroupeError(thrown).message, mend: null };
  }
}

/** What each model server has in memory, as `/api/ps` tells it; those that do not answer are left out. */
async function lookAtLoaded(
  { plans, pool, discovery }: Survey,
  world: CliWorld,
): Promise<readonly LoadedOn[]> {
  const looked = plans
    .filter((plan) => discovery.providers[plan.name]?.reachable === true)
    .map(async ({ name }) => {
      try {
        const models = await within(world, (signal) => pool.of(name).loaded(signal));
        return models.map((model) => ({ provider: name, ...model }));
      } catch {
        return [];
      }
    });
  return (await Promise.all(looked)).flat();
}

function choose({ discovery }: Survey, loaded: LoadedConfig, { env }: CliWorld): readonly Check[] {
  const { config, baseDir } = loaded;
  try {
    const input = { config, discovery, env, baseDir, version: VERSION, boxId: "", link: null };
    return choiceChecks(resolveSettings(input).why, null);
  } catch (thrown) {
    return choiceChecks([], toTroupeError(thrown));
  }
}

/** The server that client commands would talk to. No token is sent. */
async function examineServer({ flags, world }: Invocation, loaded: LoadedConfig): Promise<Check> {
  const { program } = world.terminal;
  let url: string;
  try {
    url = namedUrl({ flags, world }) ?? configuredUrl(loaded);
  } catch (thrown) {
    return { about: "server", level: "problem", text: toTroupeError(thrown).message, mend: null };
  }
  try {
    const isOurs = await within(world, async (signal) => {
      const response = await world.fetch(`${url}/healthz`, { signal, redirect: "error" });
      const body: unknown = await response.json().catch(() => null);
      // One that is still starting says so in a document of ours.
      return isProblem(body) || (response.ok && (body as { readonly ok?: unknown } | null)?.ok === true);
    });
    return serverCheck(url, isOurs ? "troupe" : "other", program);
  } catch {
    return serverCheck(url, "none", program);
  }
}

/** Contract: rejects when it takes longer than `LOOK_MS`, or was interrupted. */
function within<T>(world: CliWorld, look: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = {
    clock: world.clock,
    ms: LOOK_MS,
    late: () => new Error("No answer."),
    signal: world.signal,
  };
  return inTime(limit, (signal) => withSignal(look(signal), signal));
}

function show({ about, level, text, mend }: Check, printer: Printer): void {
  printer.data([[LEVEL_STYLES[level], level.padEnd(7)], "  ", ["bold", about.padEnd(9)], "  ", text]);
  if (mend !== null) printer.data([" ".repeat(20), ["dim", `→ ${mend}`]]);
}
