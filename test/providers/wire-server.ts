// A real HTTP server on a loopback port whose every byte a test decides, and which tells what it sees of its client:
// the request, and when the connection closes.

import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** One request that arrived, in the hands of the test. */
export class WireExchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
  readonly clientPort: number;
  /** Settles when the client's connection has closed before the answer was whole. */
  readonly brokenOff: Promise<void>;
  readonly #response: ServerResponse;
  #open = true;

  constructor(request: IncomingMessage, response: ServerResponse, body: string) {
    this.method = request.method ?? "";
    this.path = request.url ?? "";
    this.headers = request.headers;
    this.body = body === "" ? undefined : (JSON.parse(body) as unknown);
    this.clientPort = request.socket.remotePort ?? 0;
    this.#response = response;
    this.brokenOff = new Promise((resolve) => {
      response.on("close", () => {
        this.#open = false;
        if (!response.writableFinished) resolve();
      });
    });
  }

  /** Whether the connection still waits for the rest of the answer. */
  get open(): boolean {
    return this.#open;
  }

  head(status: number, headers: Record<string, string>): this {
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
    return this;
  }

  /** Sends one chunk and waits until it has left. */
  send(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      // By way of the event loop: writes to a closed connection call back at once, and a loop would starve it.
      this.#response.write(bytes, () => setImmediate(resolve));
    });
  }

  end(bytes?: string): void {
    this.#response.end(bytes);
  }

  /** Closes the connection in the middle of the answer. */
  break(): void {
    this.#response.socket?.destroy();
  }
}

export interface WireServer {
  readonly url: string;
  /** What arrived so far, in order. */
  readonly exchanges: readonly WireExchange[];
  /** The n-th request, as soon as it is there. */
  nth(index: number): Promise<WireExchange>;
  close(): Promise<void>;
}

/** Starts a server whose requests go to `answer`; without it a request stays unanswered. */
export async function wireServer(
  answer: (exchange: WireExchange) => void | Promise<void> = () => {},
): Promise<WireServer> {
  const exchanges: WireExchange[] = [];
  const waiting = new Map<number, (exchange: WireExchange) => void>();
  const server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const exchange = new WireExchange(request, response, Buffer.concat(parts).toString());
      exchanges.push(exchange);
      waiting.get(exchanges.length - 1)?.(exchange);
      await answer(exchange);
    })().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    exchanges,
    nth: (index) => {
      const there = exchanges[index];
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.set(index, resolve));
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
