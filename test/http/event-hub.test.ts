import { afterEach, beforeEach, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import type { EventsQuery } from "../../src/core/api.ts";
import { carriesDeltas } from "../../src/core/event.ts";
import { EventHub, type HubMember } from "../../src/http/event-hub.ts";
import { CannedApi } from "./canned-api.ts";

class Member implements HubMember {
  wanted = new Set<string>();
  lags = false;
  readonly batches: {
    readonly kind: string;
    readonly text?: string;
    readonly event?: { readonly cursor: number };
  }[][] = [];
  end: unknown = "not yet";

  takesDeltas(): boolean {
    return !this.lags;
  }

  deliver(batch: string): void {
    this.batches.push(JSON.parse(batch));
  }

  ended(error: unknown): void {
    this.end = error;
  }

  get cursors(): unknown {
    return this.batches.flat().map(({ event }) => event?.cursor);
  }
}

let clock: SimulatedClock;
let api: CannedApi;
let queries: EventsQuery[];
let idle: number;
let hub: EventHub;
beforeEach(() => {
  clock = new SimulatedClock();
  api = new CannedApi({ clock, keepEvents: 10_000 });
  queries = [];
  idle = 0;
  hub = new EventHub({
    api: {
      status: () => api.status(),
      events: (query = {}) => {
        queries.push(query);
        return api.events(query);
      },
    },
    clock,
    onIdle: () => (idle += 1),
  });
});
afterEach(() => api.log.end());

const spawn = async (goal = "x"): Promise<string> => (await api.delegate({ goal })).taskId;

async function joined(after?: number): Promise<Member> {
  await hub.use();
  const member = new Member();
  hub.join(member, after ?? hub.cursor);
  return member;
}

it("reads the API once for all its members, and stops when the last has gone", async () => {
  const members = [await joined(), await joined(), await joined()];
  await spawn();
  await clock.advance(50);
  expect(members.map(({ cursors }) => cursors)).toEqual([[1], [1], [1]]);
  expect([queries.length, api.log.readers]).toEqual([1, 1]);
  for (const member of members) {
    hub.leave(member);
    hub.release();
  }
  await clock.advance(1);
  expect([idle, api.log.readers]).toEqual([1, 0]);
});

it("H1 gives a member what comes after it joined, in the middle of a batch too", async () => {
  const early = await joined();
  await spawn();
  await clock.advance(10);
  const late = await joined();
  await spawn();
  await clock.advance(50);
  expect([early.cursors, late.cursors]).toEqual([[1, 2], [2]]);
});

it("H1 leaves out events that a member has read for itself, for as long as they come", async () => {
  const member = await joined(2);
  for (let turn = 0; turn < 4; turn += 1) {
    await spawn();
    await clock.advance(50);
  }
  expect(member.cursors).toEqual([3, 4]);
});

it("H2 asks for deltas of the tasks that somebody wants now", async () => {
  const member = await joined();
  const asks = (taskId: string): boolean => carriesDeltas(queries[0]?.deltas, taskId);
  expect(asks("a")).toBe(false);
  member.wanted.add("a");
  expect([asks("a"), asks("b")]).toEqual([true, false]);
  hub.leave(member);
  expect(asks("a")).toBe(false);
});

it("sends no deltas to a member that lags behind", async () => {
  const task = await spawn();
  const member = await joined();
  member.wanted.add(task);
  member.lags = true;
  api.log.delta({ kind: "delta", taskId: task, channel: "text", text: "x" });
  await spawn();
  await clock.advance(50);
  expect(member.batches.flat().map(({ kind }) => kind)).toEqual(["event"]);
});

it("H3 gathers for a while: one message for what came within it", async () => {
  const member = await joined();
  for (let turn = 0; turn < 100; turn += 1) {
    await spawn();
    await clock.advance(10);
  }
  await clock.advance(50);
  expect(member.batches.flat()).toHaveLength(100);
  expect(member.batches.length).toBeLessThanOrEqual(40);
});

it("sends a large batch at once", async () => {
  const member = await joined();
  for (let turn = 0; turn < 2_500; turn += 1) await spawn();
  await clock.advance(200);
  expect(member.batches.flat()).toHaveLength(2_500);
  expect(Math.max(...member.batches.map(({ length }) => length))).toBeLessThanOrEqual(1_000);
});

it("H4 tells each member once that the events are over, and what waited comes before", async () => {
  const member = await joined();
  await spawn();
  api.log.end();
  await clock.advance(100);
  expect([member.cursors, member.end]).toEqual([[1], null]);
  const late = new Member();
  hub.join(late, 0);
  expect(late.end).toBeNull();
});
