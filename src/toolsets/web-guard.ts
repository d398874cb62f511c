// Which addresses of the web a model may have fetched: decided from the text of a URL, and again from what its name
// resolves to. Pure but for the resolver, which is asked once for each hop.
//
// W1. Only http and https, only configured ports, never with user or password.
// W2. Every address that a name has must be an ordinary public one; one that is not refuses the name.
// W3. This machine, Troupe's own port and the model servers of the config are refused whatever `tools.web.ports` says.

import { ToolError } from "../base/errors.ts";
import { parseAddress, sameAddress, specialUse } from "../base/ip-address.ts";
import { portOf } from "../base/pinned-http.ts";
import type { ResolveName } from "../base/resolver.ts";

export interface WebPolicy {
  /** Ports that may be asked (`tools.web.ports`). */
  readonly ports: readonly number[];
  /** Ports that never are: Troupe's own, and those of model servers of this box. */
  readonly barredPorts: readonly number[];
  /** Servers of the config, as the host and port of a URL. */
  readonly barredServers: readonly { readonly host: string; readonly port: number }[];
  /** This machine's own addresses as of now. */
  readonly ownAddresses: () => readonly string[];
}

const MAX_URL_CHARS = 4_096;

export function refuse(code: string, message: string): ToolError {
  return new ToolError(code, message);
}

/** A host as it is compared: small letters, no dot at the end, no brackets. */
export function hostOf({ hostname }: Pick<URL, "hostname">): string {
  return hostname.toLowerCase().replace(/\.$/, "").replaceAll(/[[\]]/g, "");
}

/**
 * The URL without user, password and fragment (keeps W1, W3).
 * Contract: pure; throws ToolError `bad_url`, `scheme_refused`, `port_refused`, `own_server_refused` or
 * `address_refused`.
 */
export function checkUrl(text: string, policy: WebPolicy, base?: URL): URL {
  const url = parsed(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse(
      "scheme_refused",
      `Expected an address of http or https, got ${url.protocol} Nothing else is fetched.`,
    );
  }
  url.username = "";
  url.password = "";
  url.hash = "";
  const [host, port] = [hostOf(url), portOf(url)];
  const isServer = policy.barredServers.some((each) => each.host === host && each.port === port);
  if (isServer || policy.barredPorts.includes(port)) {
    throw refuse(
      "own_server_refused",
      `${url.host} is a server of this box or of its models; the web tools never ask it.`,
    );
  }
  if (!policy.ports.includes(port)) {
    const allowed = policy.ports.join(", ") || "none";
    throw refuse(
      "port_refused",
      `Port ${port} is not allowed. Allowed are: ${allowed} (tools.web.ports in the config).`,
    );
  }
  if (host === "localhost" || host.endsWith(".localhost")) throw notPublic(host, "this machine");
  if (parseAddress(host) !== null) checkAddress(host, host, policy);
  return url;
}

function parsed(text: string, base: URL | undefined): URL {
  const url = text.length <= MAX_URL_CHARS ? URL.parse(text, base) : null;
  if (url === null || url.hostname === "") {
    // A scheme that has no host is a refusal of its own: file:, data:, javascript:.
    if (url !== null && !/^https?:$/.test(url.protocol)) return url;
    throw refuse(
      "bad_url",
      `Expected an address like https://example.org/page of at most ${MAX_URL_CHARS} characters, got another text.`,
    );
  }
  return url;
}

/**
 * Where the URL's name leads, by one resolution, all of it checked (keeps W2, W3). IPv4 comes first.
 * Contract: throws ToolError `name_not_found` or `address_refused`.
 */
export async function addressesOf(
  url: URL,
  { policy, resolve }: { readonly policy: WebPolicy; readonly resolve: ResolveName },
): Promise<readonly [string, ...string[]]> {
  const host = hostOf(url);
  const found = parseAddress(host) === null ? await resolved(host, resolve) : [host];
  for (const address of found) checkAddress(host, address, policy);
  const [first, ...rest] = found.toSorted((a, b) => Number(a.includes(":")) - Number(b.includes(":")));
  if (first === undefined) throw noName(host);
  return [first, ...rest];
}

async function resolved(host: string, resolve: ResolveName): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch {
    throw noName(host);
  }
}

function checkAddress(host: string, address: string, { ownAddresses }: WebPolicy): void {
  const bytes = parseAddress(address);
  if (bytes === null) throw notPublic(host, "no address that can be read");
  const use = specialUse(bytes);
  if (use !== null) throw notPublic(host, use);
  if (ownAddresses().some((own) => sameAddress(own, address))) throw notPublic(host, "this machine");
}

function notPublic(host: string, use: string): ToolError {
  return refuse(
    "address_refused",
    `${host} does not lead to the public internet (${use}). The web tools fetch public addresses only; no key allows others.`,
  );
}

function noName(host: string): ToolError {
  return refuse("name_not_found", `There is no address for the name ${host}. Check the spelling.`);
}
