// How far the tools of this box reach: the web as the config allows it, less this box itself and its model servers, and
// what a person is asked first.

import { portOf, type PinnedHttp } from "./base/pinned-http.ts";
import type { ResolveName } from "./base/resolver.ts";
import type { ApprovalRule } from "./core/approval.ts";
import { capabilitiesOf } from "./core/capabilities.ts";
import type { Config } from "./core/config-schema.ts";
import { isLoopback } from "./core/endpoint.ts";
import type { WebOptions } from "./toolsets/web.ts";
import { hostOf } from "./toolsets/web-guard.ts";
import { VERSION } from "./version.ts";

/** What the web is reached with; a world without it has no web toolset. */
export interface WebDoors {
  readonly request: PinnedHttp;
  readonly resolve: ResolveName;
  /** This machine's own addresses as of now. */
  readonly ownAddresses: () => readonly string[];
}

/** Nobody's pages: where a model server is started by hand, it listens here. */
const OLLAMA_PORT = 11_434;
/** Ports of everybody's pages: there a server is barred by its name and its address instead. */
const PAGE_PORTS: readonly number[] = [80, 443];

/** Contract: pure. `baseUrls` are those of every model server that is known, `doors` those of the world. */
export function webOptions(
  { tools: { web }, server }: Pick<Config, "tools" | "server">,
  baseUrls: readonly string[],
  doors: WebDoors,
): WebOptions {
  const servers = baseUrls.flatMap((text) => {
    const url = URL.parse(text);
    return url === null ? [] : [{ url, host: hostOf(url), port: portOf(url) }];
  });
  const local = servers.filter(({ url }) => isLoopback(url.href)).map(({ port }) => port);
  const own = [server.host, ...server.allowed_hosts].map((host) => ({
    host: host.toLowerCase(),
    port: server.port,
  }));
  return {
    policy: {
      ports: web.ports,
      barredPorts: [server.port, OLLAMA_PORT, ...local].filter((port) => !PAGE_PORTS.includes(port)),
      barredServers: [...servers.map(({ host, port }) => ({ host, port })), ...own],
      ownAddresses: doors.ownAddresses,
    },
    resolve: doors.resolve,
    request: doors.request,
    maxBytes: web.max_bytes,
    timeoutMs: web.timeout_s * 1000,
    userAgent: `Troupe/${VERSION}`,
    searchUrl: web.search_url ?? null,
  };
}

/** Who is asked before which toolset acts, by the toolset's name. Contract: pure. */
export function approvalRules({ tools }: Pick<Config, "tools">): Readonly<Record<string, ApprovalRule>> {
  const timeoutMs = tools.approval_timeout_s * 1000;
  const terminalNetwork = tools.terminal.network || tools.terminal.unsafe;
  const rule = (toolset: string, { approve }: Pick<ApprovalRule, "approve">): ApprovalRule => ({
    approve,
    reachesOut: capabilitiesOf([toolset], { terminalNetwork }).includes("talks_out"),
    timeoutMs,
  });
  return {
    file_write: rule("file_write", tools.file),
    terminal: rule("terminal", tools.terminal),
    web: rule("web", tools.web),
  };
}

export interface Reach {
  readonly web?: WebOptions;
  readonly approvals: Readonly<Record<string, ApprovalRule>>;
  readonly askTimeoutMs: number;
}

/** All of it, as the toolsets take it. */
export function reachOf(
  config: Pick<Config, "tools" | "server">,
  baseUrls: readonly string[],
  doors: WebDoors | undefined,
): Reach {
  return {
    ...(doors && { web: webOptions(config, baseUrls, doors) }),
    approvals: approvalRules(config),
    askTimeoutMs: config.tools.ask_timeout_s * 1000,
  };
}
