// One HTTP request to one address that somebody has checked: the socket is opened here, to that address and no other,
// so no second resolution, no proxy of the environment and no pooled connection can lead elsewhere. Works alike on
// Node, Bun and Deno. It follows no redirect, keeps no cookie and no connection, and decides nothing about addresses.
//
// P1. No byte is written to a peer whose address is not the one that was asked for: a runtime that cannot say where a
//     socket leads is refused.
// P2. A certificate is checked against the name, not against the address.
// P3. After the signal aborts the socket is closed; nothing is left listening to the signal.

import { sameAddress } from "./ip-address.ts";

export interface PinnedRequest {
  readonly url: URL;
  /** Where the name leads, already checked. */
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

export interface PinnedResponse {
  readonly status: number;
  /** Names in small letters; several of one name are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** As it came over the wire, to be read once; ends with an error when the connection breaks or the signal aborts. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Closes the socket; whoever does not read to the end calls it. Idempotent. */
  close(): void;
}

/** Contract: rejects with the system's error, or the signal's reason. */
export type PinnedHttp = (request: PinnedRequest) => Promise<PinnedResponse>;

const MAX_HEADER_BYTES = 16 * 1024;

/** `trust` is a certificate to believe instead of the system's, in PEM. */
export function pinnedHttp({ trust }: { readonly trust?: string } = {}): PinnedHttp {
  return async (asked) => {
    asked.signal.throwIfAborted();
    const secure = asked.url.protocol === "https:";
    const [{ request }, socket] = await Promise.all([
      secure ? import("node:https") : import("node:http"),
      connectedTo(asked, secure, trust),
    ]);
    // Closes the socket before and after the answer has come (keeps P3).
    const onAbort = (): void => void socket.destroy(asked.signal.reason as Error);
    const done = (): void => asked.signal.removeEventListener("abort", onAbort);
    asked.signal.addEventListener("abort", onAbort, { once: true });
    socket.once("close", done);
    try {
      asked.signal.throwIfAborted();
      return await new Promise<PinnedResponse>((resolve, reject) => {
        const { url, headers } = asked;
        const sent = request(
          {
            protocol: url.protocol,
            host: url.hostname,
            port: portOf(url),
            path: `${url.pathname}${url.search}`,
            headers: { ...headers, host: url.host, connection: "close" },
            setDefaultHeaders: false,
            maxHeaderSize: MAX_HEADER_BYTES,
            createConnection: () => socket,
          },
          (response) => {
            const joined = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
            resolve({
              status: response.statusCode ?? 0,
              headers: Object.fromEntries(joined) as Record<string, string>,
              body: response as AsyncIterable<Uint8Array>,
              close: () => socket.destroy(),
            });
          },
        );
        sent.on("error", (error) => reject(asked.signal.aborted ? (asked.signal.reason as Error) : error));
        sent.end();
      });
    } catch (error) {
      socket.destroy();
      throw error;
    }
  };
}

/** The port that a URL of http or https leads to. */
export function portOf({ port, protocol }: Pick<URL, "port" | "protocol">): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** A socket to the address itself (keeps P1, P2). */
async function connectedTo(
  { url, address, signal }: PinnedRequest,
  secure: boolean,
  trust: string | undefined,
) {
  const [net, tls] = await Promise.all([import("node:net"), import("node:tls")]);
  signal.throwIfAborted();
  const to = { host: address, port: portOf(url) };
  // A literal address has no name to show or to check; the certificate must then hold the address.
  const servername = /^[\d.]+$|^\[/.test(url.hostname) ? {} : { servername: url.hostname };
  const socket = secure
    ? tls.connect({
        ...to,
        ...servername,
        ALPNProtocols: ["http/1.1"],
        ...(trust !== undefined && { ca: trust }),
      })
    : net.connect(to);
  let fail: (error: Error) => void = () => {};
  const onAbort = (): void => fail(signal.reason as Error);
  try {
    await new Promise<void>((resolve, reject) => {
      fail = reject;
      socket.once("error", reject);
      socket.once("close", () => reject(new Error("The connection was closed before anything was sent.")));
      signal.addEventListener("abort", onAbort, { once: true });
      socket.once(secure ? "secureConnect" : "connect", () => resolve());
    });
    if (!sameAddress(socket.remoteAddress ?? "", address)) {
      throw new Error(
        `Expected a connection to ${address}, and this runtime does not say that it leads there.`,
      );
    }
    return socket;
  } catch (error) {
    socket.on("error", () => {});
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
