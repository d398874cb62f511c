// Where a model server is. Whether an address is this very machine decides if a literal key may stand in the
// config and if a generation is GPU time of ours, so that one question has one answer here.
// It looks at the text only: no name is resolved.

/** Hosts that are this machine by their text. The URL parser has already turned `127.1` into `127.0.0.1`. */
function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  if (name === "localhost" || name.endsWith(".localhost") || name === "[::1]") return true;
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/** The parsed address. Contract: `null` for what is no http or https URL; never throws. */
export function parseEndpoint(url: string): URL | null {
  if (!URL.canParse(url)) return null;
  const parsed = new URL(url);
  return parsed.protocol === "http:" || parsed.protocol === "https:" ? parsed : null;
}

/** The part of an address where people put secrets, and which no address of a server needs; `null` without one. */
export function credentialPlace(parsed: URL): string | null {
  if (parsed.username !== "" || parsed.password !== "") return "user and password";
  if (parsed.search !== "") return "a query (?…)";
  return parsed.hash === "" ? null : "a fragment (#…)";
}

/** Whether the address is this machine. Contract: false for what is no URL; never throws. */
export function isLoopback(url: string): boolean {
  const parsed = parseEndpoint(url);
  return parsed !== null && isLoopbackHost(parsed.hostname);
}

/**
 * One spelling per server: no trailing slash, no `/v1`, every loopback name written `127.0.0.1`. Two addresses
 * with the same identity are one server, whose slots must be counted once.
 */
export function endpointIdentity(url: string): string {
  const parsed = parseEndpoint(url);
  if (parsed === null) return url;
  const host = isLoopbackHost(parsed.hostname) ? "127.0.0.1" : parsed.hostname.toLowerCase();
  const port = parsed.port || (parsed.protocol === "https:" ? "443" : "80");
  return `${parsed.protocol}//${host}:${port}${parsed.pathname.replace(/\/+$/, "").replace(/\/v1$/, "")}`;
}
