// Many clients, one stream: through Troupe's sockets, and through the package `ws` alone, in the same rounds.

import { WebSocketServer } from "ws";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../src/base/clock.ts";
import { toWire } from "../../src/core/wire.ts";
import { compare, type Contender, type ContenderResult } from "../harness.ts";
import { Feed } from "./feed.ts";
import { HELLO, serveApi, Viewers } from "./parent.ts";

export interface FanOutOptions {
  readonly clients: number;
  readonly events: number;
  readonly rounds: number;
}

const NOTE_CHARS = 100;
/** Events of one message of ours, where as many come as can. */
const BATCH = 1_000;

const socketUrl = (port: number): string => `ws://127.0.0.1:${port}`;

/** Milliseconds until every client has every event; the first contender is the yardstick. */
export async function fanOut(options: FanOutOptions): Promise<readonly ContenderResult[]> {
  const open: (() => void | Promise<void>)[] = [];
  const contenders = [
    await raw("raw ws, the same batches", { ...options, batch: BATCH }, open),
    await raw("raw ws, an event a message", { ...options, batch: 1 }, open),
    await ours(options, open),
  ];
  try {
    return await compare(contenders, { rounds: options.rounds, warmup: 2 });
  } finally {
    for (const close of open) await close();
  }
}

type Closing = (() => void | Promise<void>)[];

async function ours({ clients, events }: FanOutOptions, open: Closing): Promise<Contender> {
  const feed = new Feed();
  const server = await serveApi(feed.api);
  const url = `${socketUrl(server.port)}/v1/events`;
  const viewers = await Viewers.open({ url, clients, hello: HELLO, reads: false });
  open.push(
    () => viewers.close(),
    () => server.close(),
  );
  return {
    name: "troupe",
    async run() {
      const made = Array.from({ length: events }, () => feed.event(NOTE_CHARS));
      const all = viewers.until(`"cursor":${made.at(-1)?.cursor},`);
      const start = systemClock.monotonic();
      feed.emit(made);
      await all;
      return systemClock.monotonic() - start;
    },
  };
}

async function raw(
  name: string,
  { clients, events, batch }: FanOutOptions & { readonly batch: number },
  open: Closing,
): Promise<Contender> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  await new Promise((resolve) => server.once("listening", resolve));
  const url = socketUrl((server.address() as AddressInfo).port);
  const viewers = await Viewers.open({ url, clients, hello: null, reads: false });
  open.push(
    () => viewers.close(),
    () => server.close(),
  );
  const feed = new Feed();
  return {
    name,
    async run() {
      const made = Array.from({ length: events }, () => feed.event(NOTE_CHARS));
      const all = viewers.until(`"cursor":${made.at(-1)?.cursor},`);
      const start = systemClock.monotonic();
      for (let at = 0; at < events; at += batch) {
        const frames = made.slice(at, at + batch).map((event) => ({ kind: "event", event: toWire(event) }));
        // Encoded once for all: nobody who fans out by hand would do worse.
        const bytes = Buffer.from(JSON.stringify(frames));
        for (const client of server.clients) client.send(bytes, { binary: false });
      }
      await all;
      return systemClock.monotonic() - start;
    },
  };
}
