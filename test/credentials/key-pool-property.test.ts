// Random requests, refusals, people and hours over a pool of a few keys, on a simulated clock: whatever happens, no
// lease goes to a key that sits something out or beyond a cap, each ends once, and everybody who waits is served.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SimulatedClock } from "../../src/base/clock.ts";
import { ProviderError, type ProviderErrorKind } from "../../src/base/errors.ts";
import { KEY_STRATEGIES } from "../../src/core/key-state.ts";
import type { KeyLease } from "../../src/credentials/key-lease.ts";
import { KeyPool, type KeyAnswer } from "../../src/credentials/key-pool.ts";
import { plan } from "./pool-specimens.ts";

type Step =
  | { readonly do: "ask"; readonly who: number; readonly model: string; readonly waitMs: number }
  | { readonly do: "succeed" | "drop"; readonly which: number }
  | {
      readonly do: "fail";
      readonly which: number;
      readonly kind: ProviderErrorKind;
      readonly code: string;
      readonly retryAfterMs?: number;
    }
  | { readonly do: "observe"; readonly which: number; readonly remaining: number }
  | { readonly do: "pass"; readonly ms: number }
  | { readonly do: "switch"; readonly key: number; readonly off: boolean };

const which = fc.nat(20);
const failures = fc.constantFrom<readonly [ProviderErrorKind, string]>(
  ["auth", "auth"],
  ["auth", "key_revoked"],
  ["quota", "quota"],
  ["rate_limited", "rate_limited"],
  ["rate_limited", "concurrency_limit"],
  ["overloaded", "overloaded"],
  ["network", "server_error"],
  ["timeout", "connect_timeout"],
  ["refused", "permission"],
  ["context_length", "context_length"],
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("ask" as const),
      who: fc.nat(9),
      model: fc.constantFrom("m", "n"),
      waitMs: fc.constantFrom(0, 2000, 100_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom("succeed" as const, "drop" as const), which }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(which, failures, fc.option(fc.nat(100_000), { nil: undefined }))
      .map(([at, [kind, code], ms]): Step => {
        return { do: "fail", which: at, kind, code, ...(ms !== undefined && { retryAfterMs: ms }) };
      }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("observe" as const), which, remaining: fc.nat(3) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      ms: fc.constantFrom(1, 999, 5000, 60_000, 3_600_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("switch" as const), key: fc.nat(2), off: fc.boolean() }),
  },
);

const CAPS = [2, null, 1] as const;
const KEYS = CAPS.map((concurrency, index) => plan(`key${index}`, { concurrency, weight: index + 1 }));
const NEVER = new AbortController().signal;

class World {
  readonly clock = new SimulatedClock();
  readonly pool: KeyPool;
  readonly leases: KeyLease[] = [];
  readonly waiting = new Set<string>();
  readonly called: string[] = [];
  /** What was wrong on the way. */
  readonly problems: string[] = [];
  #names = 0;

  constructor(strategy: (typeof KEY_STRATEGIES)[number]) {
    this.pool = new KeyPool({ provider: "p", strategy, clock: this.clock, random: { next: () => 0.5 } });
    this.pool.sync(KEYS);
  }

  async do(step: Step): Promise<void> {
    const lease = "which" in step ? this.leases[step.which % Math.max(1, this.leases.length)] : undefined;
    if (step.do === "ask") await this.#ask(step);
    else if (step.do === "pass") await this.clock.advance(step.ms);
    else if (step.do === "switch") this.pool.setDisabled(`key${step.key}`, step.off);
    else if (lease && step.do === "observe") {
      const { remaining } = step;
      lease.observed([{ what: "requests", scope: "model", limit: 3, remaining, resetMs: 30_000 }]);
    } else if (lease) {
      if (step.do === "succeed") lease.succeeded();
      if (step.do === "fail") {
        const { kind, code, retryAfterMs } = step;
        lease.failed(
          new ProviderError({ kind, code }, "no", { ...(retryAfterMs !== undefined && { retryAfterMs }) }),
        );
      }
      this.end(lease);
    }
    await this.clock.advance(0);
  }

  end(lease: KeyLease): void {
    this.leases.splice(this.leases.indexOf(lease), 1);
    lease.end();
    lease.end();
  }

  async #ask({ who, model, waitMs }: Extract<Step, { do: "ask" }>): Promise<void> {
    const conversation = `${who}-${(this.#names += 1)}`;
    this.waiting.add(conversation);
    const ask = {
      need: { model, tokens: 10 },
      conversation,
      protocol: "openai",
      wake: () => this.called.push(conversation) > 0,
    };
    void this.pool
      .acquire(ask, { signal: NEVER, waitMs })
      .then((answer) => this.#take(conversation, answer, model));
    await this.clock.advance(0);
  }

  #take(conversation: string, answer: KeyAnswer, model: string): void {
    this.waiting.delete(conversation);
    if (answer.type !== "lease") return this.pool.withdraw(conversation);
    this.leases.push(answer.lease);
    this.#check(answer.lease, model);
  }

  /** The key that was just lent must be one that people see as usable, for this model too. */
  #check({ fingerprint }: KeyLease, model: string): void {
    const shown = this.pool.shown().find((each) => each.fingerprint === fingerprint);
    if (!shown) return void this.problems.push("a key was lent that is not there");
    const { state, models, inFlight, concurrency } = shown;
    if (state !== "ready" && state !== "probing") this.problems.push(`a ${state} key was lent`);
    if (models.some((each) => each.model === model))
      this.problems.push("a key was lent for a model that it sits out");
    if (inFlight > (state === "probing" ? 1 : (concurrency ?? Number.POSITIVE_INFINITY))) {
      this.problems.push(`a ${state} key has ${inFlight} leases`);
    }
  }

  /** Leases of each key are as many as it is said to have, whoever ended them and how often. */
  balance(): void {
    for (const { fingerprint, inFlight } of this.pool.shown()) {
      const held = this.leases.filter((each) => each.fingerprint === fingerprint).length;
      if (inFlight !== held) this.problems.push(`${fingerprint} counts ${inFlight} leases of ${held}`);
    }
    const { leases } = this.pool.counts();
    if (leases !== this.leases.length)
      this.problems.push(`${leases} leases are counted of ${this.leases.length}`);
  }
}

describe("any history of a pool", () => {
  it("keeps K1 and K2, and leaves nobody waiting once requests end and time passes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...KEY_STRATEGIES),
        fc.array(step, { minLength: 5, maxLength: 60 }),
        async (strategy, steps) => {
          const world = new World(strategy);
          for (const each of steps) {
            await world.do(each);
            world.balance();
          }
          // Everybody lets go, and nobody is refused any more: whoever waits in place is answered.
          for (let round = 0; round < 50 && (world.leases.length > 0 || world.waiting.size > 0); round++) {
            while (world.leases[0]) {
              world.leases[0].succeeded();
              world.end(world.leases[0]);
            }
            await world.clock.advance(100_000);
          }
          expect([...world.waiting]).toEqual([]);
          world.balance();
          expect(world.pool.counts().waiting).toBe(0);
          expect(world.problems).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("serves all of many who want one place, in the order in which they first came", async () => {
    const clock = new SimulatedClock();
    const pool = new KeyPool({
      provider: "p",
      strategy: "least_in_flight",
      clock,
      random: { next: () => 0 },
    });
    pool.sync([plan("only", { concurrency: 1 })]);
    const served: number[] = [];
    const work = async (who: number): Promise<void> => {
      for (;;) {
        let come = (): void => {};
        const woken = new Promise<void>((resolve) => (come = resolve));
        const wake = (): boolean => {
          come();
          return true;
        };
        const ask = { need: { model: "m", tokens: 1 }, conversation: `${who}`, protocol: "openai", wake };
        const answer = await pool.acquire(ask, { signal: NEVER, waitMs: 100 });
        if (answer.type === "lease") {
          served.push(who);
          await new Promise<void>((resolve) => void clock.after(5000, resolve));
          answer.lease.succeeded();
          return answer.lease.end();
        }
        // It goes elsewhere and comes back a little after it was called.
        await woken;
        await new Promise<void>((resolve) => void clock.after(20, resolve));
      }
    };
    const all = Array.from({ length: 20 }, (_, who) => work(who));
    await clock.drain();
    await Promise.all(all);
    expect(served).toEqual(Array.from({ length: 20 }, (_, who) => who));
    expect(pool.counts()).toEqual({ leases: 0, waiting: 0 });
  });
});
