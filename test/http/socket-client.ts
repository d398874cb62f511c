// A WebSocket client for tests: what came, in order, and the code it was closed with. It is the package `ws`, which
// can be told any Host and Origin.

import { WebSocket } from "ws";
import { type Rig, TOKEN } from "./rig.ts";

export type Frame = Readonly<Record<string, unknown>> & { readonly kind: string };

export interface Opening {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export class SocketClient {
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  readonly #frames: Frame[] = [];
  #wake = Promise.withResolvers<void>();
  #taken = 0;
  /** The messages as they came. */
  readonly batches: Frame[][] = [];
  welcome: Readonly<Record<string, unknown>> | null = null;
  /** The closing code, or the status of a refused handshake. */
  end: number | null = null;
  refusal: Readonly<Record<string, unknown>> | null = null;

  constructor(box: Rig, { path = "/v1/events", headers = {} }: Opening = {}) {
    this.#socket = new WebSocket(box.server.url.replace("http:", "ws:") + path, { headers });
    this.#socket.on("message", (data) => this.#take((data as Buffer).toString()));
    this.#socket.on("close", (code) => this.#ended(code));
    this.#socket.on("error", () => {});
    this.#socket.on("unexpected-response", (_request, response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.on("end", () => {
        this.refusal = JSON.parse(body) as Record<string, unknown>;
        this.#ended(response.statusCode ?? 0);
      });
    });
  }

  /** Opened and welcomed, or ended. */
  static async greeted(box: Rig, hello: Readonly<Record<string, unknown>> = {}): Promise<SocketClient> {
    const client = new SocketClient(box);
    await client.opened();
    client.say({ type: "hello", token: TOKEN, ...hello });
    await client.until(() => client.welcome !== null || client.end !== null);
    return client;
  }

  async opened(): Promise<void> {
    if (this.#socket.readyState === WebSocket.CONNECTING) {
      await new Promise<void>((resolve) => this.#socket.once("open", resolve));
    }
  }

  say(message: unknown): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /** Its next frame of any kind. */
  async next(): Promise<Frame> {
    await this.until(() => this.#frames.length > this.#taken);
    return this.#frames[this.#taken++] as Frame;
  }

  /** Frames so far. */
  get frames(): readonly Frame[] {
    return this.#frames;
  }

  /** Everything that came, as it was written. */
  get texts(): readonly string[] {
    return this.#texts;
  }

  async ended(): Promise<number> {
    await this.until(() => this.end !== null);
    return this.end as number;
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await this.#wake.promise;
  }

  /** Stops taking what is sent, and takes it again. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  leave(): void {
    this.#socket.close();
  }

  #take(text: string): void {
    this.#texts.push(text);
    const message = JSON.parse(text) as Frame[] | Record<string, unknown>;
    if (Array.isArray(message)) {
      this.batches.push(message);
      this.#frames.push(...message);
    } else this.welcome = message;
    this.#rouse();
  }

  #ended(code: number): void {
    this.end ??= code;
    this.#rouse();
  }

  #rouse(): void {
    this.#wake.resolve();
    this.#wake = Promise.withResolvers<void>();
  }
}
