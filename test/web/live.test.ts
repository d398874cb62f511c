// The page's socket on a clock that the test moves, against a server that the test speaks for.

import { beforeEach, describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { Live, type Frame, type Socket } from "../../web/live.js";

class ScriptedSocket implements Socket {
  readonly said: Record<string, unknown>[] = [];
  closed = false;
  readonly #acts = new Map<string, (event: unknown) => void>();

  addEventListener(event: string, act: (event: never) => void): void {
    this.#acts.set(event, act as (event: unknown) => void);
  }
  send(text: string): void {
    this.said.push(JSON.parse(text) as Record<string, unknown>);
  }
  close(): void {
    this.closed = true;
    this.#acts.get("close")?.({ code: 1000 });
  }
  open(): void {
    this.#acts.get("open")?.({});
  }
  hears(message: unknown): void {
    this.#acts.get("message")?.({ data: JSON.stringify(message) });
  }
  breaks(code = 1006): void {
    this.#acts.get("close")?.({ code });
  }
  welcomes(cursor = 7, store = "store_1"): void {
    this.open();
    this.hears({ type: "welcome", store_id: store, cursor });
  }
}

const event = (cursor: number) => ({ kind: "event", event: { cursor } }) as Frame;

let clock: SimulatedClock;
let sockets: ScriptedSocket[];
let states: string[];
let frames: Frame[];
let welcomes: boolean[];
let refused: string[];
let live: Live;
const socket = (): ScriptedSocket => sockets.at(-1) as ScriptedSocket;

beforeEach(() => {
  clock = new SimulatedClock();
  [sockets, states, frames, welcomes, refused] = [[], [], [], [], []];
  live = new Live({
    open: () => {
      sockets.push(new ScriptedSocket());
      return socket();
    },
    after: (ms, act) => {
      const timer = clock.after(ms, act);
      return () => timer.cancel();
    },
    token: () => "secret",
    onFrames: (found) => frames.push(...found),
    onState: (state) => state === states.at(-1) || states.push(state),
    onWelcome: (isNew) => welcomes.push(isNew),
    onRefused: (why) => refused.push(why),
  });
  live.start();
});

describe("the socket", () => {
  it("says who it is first, and is live once it is welcome", () => {
    expect(states).toEqual(["connecting"]);
    socket().open();
    expect([socket().said, states]).toEqual([[{ type: "hello", token: "secret" }], ["connecting"]]);
    socket().welcomes();
    expect([welcomes, states]).toEqual([[true], ["connecting", "live"]]);
  });

  it("L2 resumes after the last event it handed on, and hears each once", async () => {
    socket().welcomes();
    socket().hears([event(8), event(9)]);
    socket().breaks();
    expect(states.at(-1)).toBe("reconnecting");
    await clock.advance(250);
    socket().welcomes(12);
    expect(socket().said[0]).toEqual({ type: "hello", token: "secret", after: 9 });
    socket().hears([event(9), event(10), { kind: "gap", after: 10, before: 12 }]);
    expect(frames).toEqual([event(8), event(9), event(10), { kind: "gap", after: 10, before: 12 }]);
    expect(welcomes).toEqual([true, false]);
  });

  it("L2 says when the store is another one, whose cursors begin anew", async () => {
    socket().welcomes(700);
    socket().breaks();
    await clock.advance(250);
    socket().welcomes(3, "store_2");
    expect(welcomes).toEqual([true, true]);
    socket().hears([event(4)]);
    expect(frames).toEqual([event(4)]);
  });

  it("L1 is silent when a ping is not answered, and given up when it stays so", async () => {
    socket().welcomes();
    await clock.advance(5_000);
    expect(socket().said.at(-1)).toEqual({ type: "ping" });
    expect(states.at(-1)).toBe("live");
    await clock.advance(4_000);
    expect(states.at(-1)).toBe("stale");
    await clock.advance(8_000);
    expect([states.at(-1), sockets[0]?.closed]).toEqual(["reconnecting", true]);
  });

  it("L1 is live again at any word", async () => {
    socket().welcomes();
    await clock.advance(9_000);
    socket().hears([{ kind: "pong" }]);
    expect(states.at(-1)).toBe("live");
    expect(frames).toEqual([]);
    await clock.advance(4_000);
    expect(states.at(-1)).toBe("live");
  });

  it("L1 gives up a server that takes the connection and says nothing", async () => {
    socket().open();
    await clock.advance(12_000);
    expect([states.at(-1), sockets[0]?.closed]).toEqual(["reconnecting", true]);
  });

  it("L3 tries ever more slowly, and quickly again after a good connection", async () => {
    const waits: number[] = [];
    for (let round = 0; round < 8; round += 1) {
      socket().breaks();
      const before = clock.monotonic();
      const { length } = sockets;
      while (sockets.length === length) await clock.advance(250);
      waits.push(clock.monotonic() - before);
    }
    expect(waits).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
    socket().welcomes();
    socket().breaks();
    const { length } = sockets;
    await clock.advance(250);
    expect(sockets).toHaveLength(length + 1);
  });

  it("L3 stops where the token is refused, and says why", async () => {
    socket().open();
    socket().breaks(4401);
    await clock.advance(60_000);
    expect([sockets.length, states.at(-1), refused.length]).toEqual([1, "closed", 1]);
    live.start();
    expect(sockets).toHaveLength(2);
  });

  it("does not wait when a person is in a hurry", async () => {
    for (let round = 0; round < 6; round += 1) {
      socket().breaks();
      if (round < 5) await clock.advance(10_000);
    }
    const { length } = sockets;
    live.hurry();
    live.hurry();
    expect(sockets).toHaveLength(length + 1);
  });

  it("asks for the writing that is on screen, again after each welcome, and not twice", async () => {
    live.watch(["a"]);
    socket().welcomes();
    live.watch(["a"]);
    live.watch(Array.from({ length: 80 }, (_, at) => `t${at}`));
    const watches = () => socket().said.filter(({ type }) => type === "watch");
    expect(watches().map(({ deltas }) => (deltas as string[]).length)).toEqual([1, 64]);
    socket().breaks();
    await clock.advance(250);
    socket().welcomes();
    expect(watches()).toHaveLength(1);
  });

  it("says nothing more once it is stopped, whatever still comes", async () => {
    socket().welcomes();
    live.stop();
    const { length } = states;
    socket().hears([event(8)]);
    socket().breaks();
    await clock.advance(60_000);
    expect([states.length, frames, sockets.length, clock.pending]).toEqual([length, [], 1, 0]);
    expect(states.at(-1)).toBe("closed");
  });
});
