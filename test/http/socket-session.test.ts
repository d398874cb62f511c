// What every socket has in common, whatever it is for. The event stream on it has a test of its own.

import { beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { type Line, SocketSession, type Talk } from "../../src/http/socket-session.ts";
import { callerWith, TOKEN } from "./rig.ts";

let clock: SimulatedClock;
let told: string[];
let line: Line | null;
let code: number | null;
let revoked: AbortController;
beforeEach(() => {
  revoked = new AbortController();
  clock = new SimulatedClock();
  told = [];
  line = null;
  code = null;
});

function session(scope: "read" | "control" = "read", begin: (at: Line) => void = () => {}): SocketSession {
  const talk: Talk = {
    heard: (message) => {
      told.push(message.type);
      return message.type === "watch";
    },
    over: () => told.push("over"),
  };
  const made = new SocketSession({
    clock,
    newRequestId: () => "req_1",
    revoked: () => revoked.signal,
    callerOf: async (token) => (token === TOKEN ? callerWith(scope) : null),
    refused: () => {},
    greeted: () => told.push("greeted"),
    released: () => told.push("released"),
    begin: (at) => {
      line = at;
      begin(at);
      return talk;
    },
  });
  made.opened({
    send: (text) => told.push(text),
    bufferedBytes: () => 7,
    close: (given) => (code ??= given),
    drop: () => told.push("dropped"),
  });
  return made;
}

const hello = JSON.stringify({ type: "hello", token: TOKEN });
const watch = '{"type":"watch","deltas":[]}';

it("hears what was said while the token was looked up, afterwards and in order", async () => {
  const made = session();
  for (const text of [hello, watch, '{"type":"ping"}']) made.received(text);
  expect(told).toEqual([]);
  await clock.advance(0);
  expect(told).toEqual(["greeted", "watch", '[{"kind":"pong"}]']);
  expect(line?.waiting()).toBe(7);
});

it("K4 is over once, for the talk and for whoever counts", async () => {
  const made = session();
  made.received(hello);
  await clock.advance(0);
  line?.fail(new Error("a defect"));
  line?.close(1000, "");
  line?.send("too late");
  made.closed();
  expect(code).toBe(1011);
  expect(told.filter((each) => each === "over" || each === "released")).toEqual(["over", "released"]);
  expect(told.at(-1)).toBe("released");
  expect(line?.signal.aborted).toBe(true);
  await clock.advance(60_000);
  expect(told).not.toContain("dropped");
});

it("cuts a client that does not say goodbye", async () => {
  const made = session();
  made.received("{");
  await clock.advance(5_000);
  expect([code, told]).toEqual([4401, ["released", "dropped"]]);
});

it("K4 tells a talk that it is over which ended in its first breath", async () => {
  const made = session("read", (at) => at.close(4403, "not for you"));
  made.received(hello);
  await clock.advance(0);
  expect([code, told]).toEqual([4403, ["greeted", "released", "over"]]);
});

it("refuses what means nothing here, and a caller without the scope", async () => {
  const refused = session("control");
  refused.received(hello);
  await clock.advance(0);
  expect([code, told]).toEqual([4403, ["released"]]);
  code = null;
  const other = session();
  other.received(hello);
  await clock.advance(0);
  other.received('{"type":"dance"}');
  expect(code).toBe(4400);
});

it("M3 ends with the token that it was opened with, and holds no listener afterwards", async () => {
  const made = session();
  made.received(hello);
  await clock.advance(0);
  revoked.abort();
  expect([code, told.includes("over")]).toEqual([4401, true]);
});
