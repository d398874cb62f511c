// The way from a client command to a running server: its address, its token, and which task a short id means.
//
// N1. A token that lies in this person's token file goes to this machine only; another one needs TROUPE_TOKEN.
// N2. No token goes to another machine because a config says so: only --url and TROUPE_URL name one.

import { resolve } from "node:path";
import { ConfigError, NotFoundError } from "../base/errors.ts";
import type { TaskApi, TroupeApi } from "../core/api.ts";
import { credentialPlace, isLoopback, parseEndpoint } from "../core/endpoint.ts";
import { loadConfig, troupeHome, type LoadedConfig } from "../config/load.ts";
import { HttpClient } from "../http/client.ts";
import type { TokenFolder } from "../http/made-tokens.ts";
import { loadToken } from "../http/token.ts";
import { toolsetNames } from "../toolsets/registry.ts";
import { usageError, type FlagSpec } from "./flags.ts";
import type { Invocation } from "./command.ts";
import type { CliWorld } from "./world.ts";

export const CONFIG_FLAG: FlagSpec = {
  name: "config",
  value: "FILE",
  help: "the config file (default: ./config.yaml, else the one in Troupe's home)",
};

/** Flags of every command that talks to a server. */
export const CLIENT_FLAGS: readonly FlagSpec[] = [
  {
    name: "url",
    value: "URL",
    help: "the server (default: TROUPE_URL, else the config's host and port)",
  },
  CONFIG_FLAG,
];

/** The config as `--config` or the usual places have it. Contract: throws as `loadConfig` does. */
export function configOf({ flags, world }: Pick<Invocation, "flags" | "world">): Promise<LoadedConfig> {
  const path = flags.text("config");
  return loadConfig({
    env: world.env,
    cwd: world.cwd,
    toolsets: toolsetNames(),
    ...(path !== undefined && { path }),
  });
}

/** Where the token lies. Contract: throws ConfigError `no_home`. */
export function tokenPath(world: CliWorld, loaded: LoadedConfig): string {
  return resolve(troupeHome(world.env), loaded.config.server.token_file);
}

/** Where the tokens lie that people make: beside the server's own. Contract: throws ConfigError `no_home`. */
export function tokenFolder(world: CliWorld, loaded: LoadedConfig): TokenFolder {
  return { folder: `${tokenPath(world, loaded)}s`, posix: isPosix(world) };
}

/** Whether the modes of files mean something. */
export function isPosix(world: CliWorld): boolean {
  return world.terminal.platform !== "win32";
}

/** The address that the config's server has on this machine. */
export function configuredUrl({ config }: LoadedConfig): string {
  const { host, port } = config.server;
  const name = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${name.includes(":") ? `[${name}]` : name}:${port}`;
}

/** `--url`, else TROUPE_URL; `null` where neither is given. Contract: throws the usage error for what is no URL. */
export function namedUrl({ flags, world }: Pick<Invocation, "flags" | "world">): string | null {
  const flag = flags.text("url");
  const url = flag ?? world.env["TROUPE_URL"];
  if (url === undefined || url === "") return null;
  const parsed = parseEndpoint(url);
  const extra = parsed === null ? null : credentialPlace(parsed);
  if (parsed !== null && extra === null) return url.replace(/\/+$/, "");
  const name = flag === undefined ? "TROUPE_URL" : "--url";
  // What is refused may hold a secret, so it is not repeated.
  const got = extra === null ? "another text" : `one with ${extra}. The token goes into TROUPE_TOKEN`;
  throw usageError(`Expected ${name} to be an address like http://127.0.0.1:7433, got ${got}.`);
}

/** The address that the config gives, where it may be followed (keeps N2). Contract: throws ConfigError `server_elsewhere`. */
function followedUrl(loaded: LoadedConfig): string {
  const url = configuredUrl(loaded);
  if (isLoopback(url)) return url;
  throw new ConfigError(
    "server_elsewhere",
    `Expected server.host of ${loaded.file ?? "the config"} to be this machine, got ${url}: no token is sent to another ` +
      `one because a config says so. Name it yourself: --url ${url}, with its token in TROUPE_TOKEN.`,
    { details: { config_key: "server.host" } },
  );
}

async function tokenFor(url: string, invocation: Invocation, loaded: LoadedConfig | null): Promise<string> {
  const { world } = invocation;
  const own = world.env["TROUPE_TOKEN"];
  if (own) return own;
  // Keeps N1.
  if (!isLoopback(url)) {
    throw new ConfigError(
      "token_missing",
      `Expected TROUPE_TOKEN for ${url}: the token file of this machine is not sent to another one. ` +
        "Put that server's token into the environment.",
    );
  }
  const path = tokenPath(world, loaded ?? (await configOf(invocation)));
  const token = await loadToken({ path, posix: isPosix(world) });
  if (token !== null) return token;
  throw new ConfigError(
    "server_unreachable",
    `Expected the token of a running server in ${path}, got no such file: no server was started here yet. ` +
      "For a server of somebody else, set TROUPE_TOKEN.",
    { details: { path } },
  );
}

/** Contract: throws ConfigErrors that say what to do; opens no connection yet. */
export async function connect(invocation: Invocation): Promise<TroupeApi> {
  return (await connectTo(invocation)).api;
}

/** The same, with the address of the server and the token for it. */
export async function connectTo(
  invocation: Invocation,
): Promise<{ readonly api: TroupeApi; readonly baseUrl: string; readonly token: string }> {
  const named = namedUrl(invocation);
  const loaded = named === null ? await configOf(invocation) : null;
  const baseUrl = named ?? followedUrl(loaded as LoadedConfig);
  const token = await tokenFor(baseUrl, invocation, loaded);
  const { fetch, clock } = invocation.world;
  const api = new HttpClient({ baseUrl, token, fetch: (url, init) => fetch(url, init), clock });
  return { api, baseUrl, token };
}

const WHOLE_ID = /^(?:task|ses)_[0-9a-f]{32}$/;
const PAGE = 200;
/** Tasks that are looked through for the one that a short id means. */
const MOST_LOOKED_AT = 5_000;

/** The first characters of an id: enough to tell tasks of one box apart, and accepted wherever an id is. */
export function shortId(taskId: string): string {
  return taskId.replace(/^([a-z]+_[0-9a-f]{8})[0-9a-f]+$/, "$1");
}

/**
 * The id that a person means by it or by its beginning, with or without `task_`.
 * Contract: throws NotFoundError `task_not_found`, and the usage error when several begin so.
 */
export async function findTask(api: Pick<TaskApi, "list">, word: string): Promise<string> {
  if (WHOLE_ID.test(word)) return word;
  const found: string[] = [];
  let cursor: string | null = null;
  let looked = 0;
  if (/^[a-z]{0,4}_?[0-9a-f]*$/.test(word)) {
    do {
      const page: Awaited<ReturnType<TaskApi["list"]>> = await api.list({
        limit: PAGE,
        ...(cursor !== null && { cursor }),
      });
      for (const { taskId } of page.items) {
        if (taskId.startsWith(word) || taskId.slice(taskId.indexOf("_") + 1).startsWith(word))
          found.push(taskId);
      }
      // What answers may be no Troupe: a page of nothing ends the list, whatever it says of a next one.
      cursor = page.items.length === 0 ? null : (page.nextCursor ?? null);
      looked += page.items.length;
    } while (cursor !== null && looked < MOST_LOOKED_AT && found.length < 2);
  }
  if (found.length === 1) return found[0] as string;
  if (found.length > 1) {
    throw usageError(`Expected the id of one task, but several begin with ${word}: ${found.join(", ")} …`);
  }
  throw new NotFoundError("task_not_found", `There is no task ${word}. List them with: tasks ls`, {
    details: { task_id: word },
  });
}
