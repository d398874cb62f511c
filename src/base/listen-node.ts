// The server of Node: hono's adapter for requests, ws for sockets. Loaded on Node alone.
//
// N1. `stop` ends every connection: requests, sockets, and those that are still shaking hands.
// N2. A request that asks for a WebSocket and is refused gets its refusal as a plain answer, and the connection ends.

import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";
import { createAdaptorServer, getRequestListener } from "@hono/node-server";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import {
  acceptedSocket,
  asksForSocket,
  CLOSE_GOING_AWAY,
  CLOSE_NOT_TEXT,
  MAX_SOCKET_MESSAGE_BYTES,
  offerSocket,
  type ServerSocket,
  type SocketHandler,
} from "./socket.ts";
import { answerWith } from "./text-response.ts";

type Handler = (request: Request) => Response | Promise<Response>;

/** How long a client may take for its headers, and for its whole request; and how often that is looked at. */
export interface Patience {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly checkMs: number;
}

export interface NodeListenOptions {
  readonly hostname: string;
  readonly port: number;
  readonly patience?: Patience;
}

export interface NodeServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Bytes of all request headers together; more is answered with 431 (Node; Bun and Deno have their own caps). */
const MAX_HEADER_BYTES = 16_384;
const PATIENCE: Patience = { headersMs: 10_000, requestMs: 30_000, checkMs: 2_000 };
/** A socket on which nothing moved for so long is dropped; keep-alives and long polls are well below it. */
const SOCKET_IDLE_MS = 120_000;
const MAX_CONNECTIONS = 1_024;
/** A peer that is gone without a word is noticed by the system's own probes. */
const PROBE_AFTER_MS = 30_000;
/** Of a peer that pings and takes no answer, so much waits; then it is cut off. */
const MAX_WAITING_PONGS_BYTES = 65_536;
/** How long a peer may take to say goodbye back. */
const GOODBYE_MS = 5_000;

const SOCKET_OPTIONS = {
  noServer: true,
  maxPayload: MAX_SOCKET_MESSAGE_BYTES,
  perMessageDeflate: false,
  autoPong: false,
  closeTimeout: GOODBYE_MS,
};

/** Listens. Throws what Node throws where the address cannot be had. */
export async function serveOnNode(handler: Handler, options: NodeListenOptions): Promise<NodeServer> {
  const { hostname, port, patience = PATIENCE } = options;
  answerWith(adaptersResponse());
  const server = createAdaptorServer({
    fetch: handler,
    hostname,
    // The adapter would otherwise replace the global Request and Response of the whole process.
    overrideGlobalObjects: false,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: patience.headersMs,
      requestTimeout: patience.requestMs,
      connectionsCheckingInterval: patience.checkMs,
      // Node would hand over every request that names any other protocol, as curl does of itself.
      shouldUpgradeCallback: ({ method, headers }: IncomingMessage) => asksForSocket(method, headers.upgrade),
    },
  }) as Server;
  server.timeout = SOCKET_IDLE_MS;
  server.maxConnections = MAX_CONNECTIONS;
  // Who has asked for nothing yet has no longer than who is in the middle of asking: places are few.
  server.on("connection", (socket) => socket.setTimeout(patience.headersMs));
  server.on("request", ({ socket }) => socket.setTimeout(SOCKET_IDLE_MS));
  const sockets = new Sockets(handler, hostname);
  server.on("upgrade", (request, duplex, head) => void sockets.shakeHands(request, duplex, head));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === "object" ? address.port : port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        sockets.close();
        server.closeAllConnections();
      }),
  };
}

/**
 * The response that the adapter writes without a stream. It shows it only by putting it in the place of the global one,
 * which is given back at once: nothing else runs meanwhile.
 */
function adaptersResponse(): typeof Response {
  const { Request: ownRequest, Response: ownResponse } = globalThis;
  try {
    getRequestListener(() => new ownResponse(null));
    return globalThis.Response;
  } finally {
    Object.assign(globalThis, { Request: ownRequest, Response: ownResponse });
  }
}

class Sockets {
  readonly #handler: Handler;
  readonly #hostname: string;
  readonly #server = new WebSocketServer(SOCKET_OPTIONS);
  readonly #shaking = new Set<Duplex>();
  #closed = false;

  constructor(handler: Handler, hostname: string) {
    this.#handler = handler;
    this.#hostname = hostname;
  }

  async shakeHands(message: IncomingMessage, duplex: Duplex, head: Buffer): Promise<void> {
    const gone = (): void => void duplex.destroy();
    duplex.on("error", gone);
    this.#shaking.add(duplex);
    duplex.once("close", () => this.#shaking.delete(duplex));
    message.socket.setKeepAlive(true, PROBE_AFTER_MS);
    const request = requestOf(message, this.#hostname);
    if (!request) return refuse(duplex, new Response(null, { status: 400 }));
    offerSocket(request);
    const response = await answer(this.#handler, request);
    const accepted = acceptedSocket(request, response);
    if (duplex.destroyed || this.#closed) {
      accepted?.closed();
      return gone();
    }
    if (!accepted) return refuse(duplex, response);
    this.#shaking.delete(duplex);
    duplex.off("error", gone);
    let isOpen = false;
    // Calls back at once, or answers by itself where the handshake is wrong.
    this.#server.handleUpgrade(message, duplex, head, (socket) => {
      isOpen = true;
      attach(socket, accepted);
    });
    if (!isOpen) accepted.closed();
  }

  close(): void {
    this.#closed = true;
    for (const duplex of this.#shaking) duplex.destroy();
    for (const socket of this.#server.clients) {
      socket.close(CLOSE_GOING_AWAY, "the server stops");
      socket.terminate();
    }
  }
}

/** A handler that fails must not end the process; what it should have said is its own business. */
async function answer(handler: Handler, request: Request): Promise<Response> {
  try {
    return await handler(request);
  } catch {
    return new Response(null, { status: 500 });
  }
}

/** `null` where the request line or the Host is nothing that a URL can hold. */
function requestOf({ url = "/", headers, rawHeaders }: IncomingMessage, hostname: string): Request | null {
  const list = new Headers();
  try {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
      list.append(rawHeaders[at] as string, rawHeaders[at + 1] as string);
    }
    const base = `http://${headers.host ?? hostname}`;
    return new Request(url.startsWith("/") ? base + url : url, { headers: list });
  } catch {
    return null;
  }
}

/** Keeps N2. */
async function refuse(duplex: Duplex, response: Response): Promise<void> {
  const body = new Uint8Array(await response.arrayBuffer());
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  headers.set("content-length", String(body.length));
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`);
  duplex.write(`HTTP/1.1 ${response.status} ${response.statusText || "Refused"}\r\n${lines.join("")}\r\n`);
  duplex.end(body);
}

function attach(socket: WebSocket, handler: SocketHandler): void {
  socket.on("error", () => {});
  socket.on("close", () => handler.closed());
  socket.on("ping", (data: Buffer) => {
    if (socket.bufferedAmount > MAX_WAITING_PONGS_BYTES) socket.terminate();
    else socket.pong(data);
  });
  socket.on("message", (data: RawData, isBinary: boolean) => {
    if (socket.readyState !== socket.OPEN) return;
    if (isBinary) socket.close(CLOSE_NOT_TEXT, "text only");
    else handler.received((data as Buffer).toString());
  });
  handler.opened(new NodeSocket(socket));
}

/** The bytes of the text that was sent last: the same text often goes to many sockets in a row. */
const last = { text: "", bytes: Buffer.alloc(0) };

class NodeSocket implements ServerSocket {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  send(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (last.text !== text) Object.assign(last, { text, bytes: Buffer.from(text) });
    this.#socket.send(last.bytes, { binary: false });
  }

  bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }

  drop(): void {
    this.#socket.terminate();
  }
}
