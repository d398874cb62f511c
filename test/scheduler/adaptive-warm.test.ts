import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createWarm, nextWarm, type WarmState } from "../../src/scheduler/adaptive-warm.ts";
import { sample } from "./busy-server.ts";

const COLD_MS_PER_TOKEN = 0.4;
const TURN_MS = 1_000;

interface Box {
  /** Conversations whose prompts the server can keep. */
  readonly keeps: number;
  readonly cap: number;
  /** Of the leases, how many are in flight when one is granted. */
  readonly inFlight: number;
}

/** Conversations that take turns, as many as are allowed, on a server that keeps the latest ones warm. */
class Conversations {
  readonly kept: string[] = [];
  readonly seen: number[] = [];
  state: WarmState;
  now = 0;
  #turn = 0;

  constructor(state: WarmState) {
    this.state = state;
  }

  run(turns: number, box: Box): this {
    for (let count = 0; count < turns; count += 1) {
      const taskId = `task_${this.#turn++ % this.state.warm}`;
      const isWarm = this.kept.includes(taskId);
      const computed = isWarm ? 200 : 4_000;
      this.kept.splice(0, this.kept.length, ...this.kept.filter((each) => each !== taskId), taskId);
      while (this.kept.length > box.keeps) this.kept.shift();
      this.now += TURN_MS;
      const figures = { promptTokens: 4_000, promptMs: computed * COLD_MS_PER_TOKEN };
      const turn = sample({ taskId, inFlight: box.inFlight, ...figures });
      this.state = nextWarm(this.state, { sample: turn, cap: box.cap, now: this.now });
      this.seen.push(this.state.warm);
    }
    return this;
  }
}

describe("how many conversations are kept warm", () => {
  it("learns from first turns what a token costs, and from later ones what was there already", () => {
    const { state } = new Conversations(createWarm(4, 16)).run(8, { keeps: 4, cap: 4, inFlight: 4 });
    expect(state.coldMsPerToken).toBeCloseTo(COLD_MS_PER_TOKEN);
    expect(state.hit).toBeCloseTo(0.95);
  });

  it("grows while prompts are found and leases idle, up to the most", () => {
    const talk = new Conversations(createWarm(4, 10)).run(400, { keeps: 20, cap: 4, inFlight: 2 });
    expect(talk.state.warm).toBe(10);
  });

  it("does not grow while every lease is in use (W2)", () => {
    const talk = new Conversations(createWarm(4, 10)).run(400, { keeps: 20, cap: 4, inFlight: 4 });
    expect(talk.state.warm).toBe(4);
  });

  it("shrinks when conversations push each other out, and stays there for a while", () => {
    const box = { keeps: 6, cap: 2, inFlight: 1 };
    const talk = new Conversations(createWarm(9, 16)).run(60, box);
    expect(talk.seen.at(-1)).toBe(6);
    const later = talk.run(1_200, box).seen.slice(60);
    const bad = later.filter((warm) => warm > box.keeps).length;
    expect(bad / later.length).toBeLessThan(0.35);
    expect(later.filter((warm) => warm === box.keeps).length / later.length).toBeGreaterThan(0.4);
  });

  it("takes its guess again where not even the fewest are found: such a server keeps no prompts", () => {
    const box = { keeps: 0, cap: 1, inFlight: 1 };
    const talk = new Conversations(createWarm(4, 16)).run(120, box);
    expect(talk.seen).toContain(1);
    expect(talk.seen.at(-1)).toBe(4);
    expect(talk.run(400, { ...box, inFlight: 0 }).state.warm).toBeGreaterThan(4);
  });

  it("never falls below the cap of generations, and rises with it (W1)", () => {
    const talk = new Conversations(createWarm(6, 16)).run(200, { keeps: 1, cap: 4, inFlight: 4 });
    expect(Math.min(...talk.seen)).toBe(4);
    expect(talk.run(1, { keeps: 1, cap: 7, inFlight: 4 }).state.warm).toBe(7);
  });

  it("forgets what the cache had when the model was loaded anew", () => {
    const talk = new Conversations(createWarm(4, 16)).run(8, { keeps: 4, cap: 4, inFlight: 4 });
    const loaded = sample({ taskId: "task_0", loadMs: 5_000, promptTokens: 4_000, promptMs: 1_600 });
    const after = nextWarm(talk.state, { sample: loaded, cap: 4, now: talk.now });
    expect(after.known).toEqual(["task_0"]);
    expect(after.hit).toBe(talk.state.hit);
  });

  it("learns nothing where the server tells nothing, or from what failed", () => {
    const state = createWarm(4, 16);
    const silent = sample({ promptMs: 0, outputMs: 0 });
    expect(nextWarm(state, { sample: silent, cap: 4, now: 1 })).toBe(state);
    expect(nextWarm(state, { sample: sample({ outcome: "busy" }), cap: 4, now: 1 })).toBe(state);
  });
});

describe("any stream of samples", () => {
  const number = fc.oneof(
    fc.double(),
    fc.nat(10_000),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1),
  );
  const turns = fc.array(
    fc.record({
      taskId: fc.constantFrom("a", "b", "c", "d"),
      promptMs: number,
      promptTokens: number,
      loadMs: number,
      inFlight: fc.nat(8),
      cap: fc.integer({ min: 1, max: 8 }),
    }),
    { maxLength: 200 },
  );

  it("keeps the figure whole and within its bounds, replays, and never throws", () => {
    fc.assert(
      fc.property(number, number, turns, (first, most, played) => {
        const play = (): readonly WarmState[] => {
          let state = createWarm(first, most);
          return played.map(({ cap, ...figures }, at) => {
            state = nextWarm(state, { sample: sample(figures), cap, now: at * 1_000 });
            return state;
          });
        };
        const states = play();
        expect(play()).toEqual(states);
        for (const [at, { warm, most: bound }] of states.entries()) {
          expect(Number.isInteger(warm)).toBe(true);
          expect(warm).toBeLessThanOrEqual(bound);
          expect(warm).toBeGreaterThanOrEqual(Math.min(bound, played[at]?.cap ?? 1));
        }
      }),
    );
  });
});
