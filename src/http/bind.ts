// Which addresses may be served. Everything that Troupe knows is behind this port, and plain HTTP shows the token
// to the network, so any address but loopback takes an explicit word.

import { ConfigError } from "../base/errors.ts";

/** Whether an address or name can only be reached from this machine. Names other than `localhost` are not resolved. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, "$1").toLowerCase();
  if (bare === "localhost" || bare === "::1") return true;
  const parts = bare.split(".");
  return parts.length === 4 && parts[0] === "127" && parts.every((part) => /^\d{1,3}$/.test(part));
}

/**
 * Refuses to serve another address than loopback unless it was asked for in words.
 * Contract: throws ConfigError `bind_refused`, naming the config key that allows it.
 */
export function assertBindAllowed(host: string, insecureAllowRemote: boolean): void {
  if (insecureAllowRemote || isLoopback(host)) return;
  throw new ConfigError(
    "bind_refused",
    `Expected server.host to be a loopback address, got ${host}. Without TLS, everybody on that network could ` +
      "read the token and every transcript. Keep 127.0.0.1 and use an SSH tunnel or a TLS proxy, " +
      "or set server.insecure_allow_remote: true if that network is yours.",
    { details: { host, config_key: "server.insecure_allow_remote" } },
  );
}
