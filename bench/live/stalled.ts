// How late events come to clients that take them, while one beside them takes nothing.

import { delay, systemClock } from "../../src/base/clock.ts";
import { compare, type ContenderResult } from "../harness.ts";
import { Feed } from "./feed.ts";
import { HELLO, serveApi, Viewers } from "./parent.ts";

export interface StalledOptions {
  readonly clients: number;
  readonly rounds: number;
  readonly forMs: number;
}

const NOTE_CHARS = 16_000;
const EVERY_MS = 5;

export interface StalledResult {
  readonly results: readonly ContenderResult[];
  /** Clients that took nothing and were sent away. */
  readonly sentAway: number;
}

/** The 99th percentile of the lateness in milliseconds, without and with one that is stalled. */
export async function stalled({ clients, rounds, forMs }: StalledOptions): Promise<StalledResult> {
  const feed = new Feed();
  const server = await serveApi(feed.api);
  const url = `ws://127.0.0.1:${server.port}/v1/events`;
  const viewers = await Viewers.open({ url, clients, hello: HELLO, reads: true });
  let sentAway = 0;
  const stream = async (): Promise<number> => {
    const end = systemClock.monotonic() + forMs;
    while (systemClock.monotonic() < end) {
      feed.emit([feed.event(NOTE_CHARS)]);
      await delay(systemClock, EVERY_MS);
    }
    const { p99, ended } = await viewers.lateness();
    sentAway += ended;
    return p99;
  };
  try {
    const results = await compare(
      [
        { name: "all take what they get", run: stream },
        {
          name: "one takes nothing",
          async run() {
            await viewers.stall();
            return stream();
          },
        },
      ],
      { rounds, warmup: 1 },
    );
    return { results, sentAway };
  } finally {
    viewers.close();
    await server.close();
  }
}
