// Who picks the key for each request: Troupe's credential pool, and the rules of others, written anew. All of them ask again for as long as it takes, so that they differ in time and in requests wasted.

import { delay, type Clock } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type { Random } from "../../src/base/ids.ts";
import { KeyPool } from "../../src/credentials/key-pool.ts";
import type { KeyLease } from "../../src/credentials/key-lease.ts";

export interface KeyWorld {
  readonly clock: Clock;
  readonly random: Random;
  /** In the order of the config. */
  readonly keys: readonly string[];
}

export interface KeyChooser {
  /** Sends one request, with one key after the other until it is served. Rejects with what no other key mends. */
  request(conversation: string, send: (key: string) => Promise<void>): Promise<void>;
  /** What is lent or waited for now: 0 when nothing is under way. */
  held(): number;
  close(): void;
}

export interface KeyContender {
  readonly name: string;
  readonly about: string;
  open(world: KeyWorld): KeyChooser;
}

const NEVER = new AbortController().signal;
const MODEL = "cloud-model";
/** How long the runtime lets a request wait in place before it asks again. */
const MOMENT_MS = 250;
const LEAST_WAIT_MS = 50;

export const troupePool: KeyContender = {
  name: "troupe",
  about: "Troupe's credential pool (src/credentials), least_in_flight",
  open: ({ clock, random, keys }) => {
    const pool = new KeyPool({ provider: "cloud", strategy: "least_in_flight", clock, random });
    const plan = { source: "env:KEY", weight: 1, concurrency: null, account: null };
    pool.sync(keys.map((fingerprint) => ({ ...plan, fingerprint })));
    const attempt = async (lease: KeyLease, send: (key: string) => Promise<void>): Promise<boolean> => {
      try {
        await send(lease.fingerprint);
        lease.succeeded();
        return true;
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        lease.failed(error);
        return false;
      } finally {
        lease.end();
      }
    };
    return {
      request: async (conversation, send) => {
        for (;;) {
          const ask = {
            need: { model: MODEL, tokens: 1 },
            conversation,
            protocol: "openai",
            wake: () => true,
          };
          const answer = await pool.acquire(ask, { signal: NEVER, waitMs: MOMENT_MS });
          if (answer.type === "lease") {
            if (await attempt(answer.lease, send)) return;
            continue;
          }
          const waitMs =
            answer.type === "cooling" ? answer.waitMs : answer.type === "none" ? answer.returnsInMs : 0;
          if (waitMs === null) throw new Error(`No key will ever do: ${answer.type}.`);
          await delay(clock, Math.max(LEAST_WAIT_MS, waitMs));
        }
      },
      held: () => pool.counts().leases,
      close: () => pool.close(),
    };
  },
};

/** Keys that sit something out, until when. */
class Bench {
  readonly #until = new Map<string, number>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  sitOut(key: string, ms: number): void {
    this.#until.set(key, this.#clock.monotonic() + ms);
  }

  open(keys: readonly string[]): readonly string[] {
    return keys.filter((key) => (this.#until.get(key) ?? 0) <= this.#clock.monotonic());
  }

  /** Waits until the first of them may be used again. */
  async wait(): Promise<void> {
    const first = Math.min(...this.#until.values());
    await delay(this.#clock, Math.max(LEAST_WAIT_MS, first - this.#clock.monotonic()));
  }
}

/** Tries what `pick` gives, and benches what was refused for as long as `penaltyMs` says. */
function benching(rule: {
  pick(open: readonly string[], world: KeyWorld): string;
  penaltyMs(error: ProviderError): number;
}): KeyContender["open"] {
  return (world) => {
    const bench = new Bench(world.clock);
    let held = 0;
    return {
      request: async (_conversation, send) => {
        held += 1;
        for (;;) {
          const open = bench.open(world.keys);
          if (open.length === 0) {
            await bench.wait();
            continue;
          }
          const key = rule.pick(open, world);
          try {
            await send(key);
            held -= 1;
            return;
          } catch (error) {
            if (!(error instanceof ProviderError)) throw error;
            bench.sitOut(key, rule.penaltyMs(error));
          }
        }
      },
      held: () => held,
      close: () => {},
    };
  };
}

const SECOND_MS = 1_000;
const HOUR_MS = 3_600 * SECOND_MS;

/** Hermes's table: 401 five minutes, everything else an hour, unless the server tells when; its cap of one is left out. */
export const hermesLike: KeyContender = {
  name: "Hermes-like",
  about: "the first key that does not sit out: 5 min after a 401, else what the server tells, else an hour",
  open: benching({
    pick: (open) => open[0] as string,
    penaltyMs: (error) => error.retryAfterMs ?? (error.providerKind === "auth" ? 300 * SECOND_MS : HOUR_MS),
  }),
};

export const liteLlmLike: KeyContender = {
  name: "LiteLLM-like",
  about: "any key at random that does not cool down, 5 s after every refusal",
  open: benching({
    pick: (open, { random }) => open[Math.floor(random.next() * open.length)] as string,
    penaltyMs: () => 5 * SECOND_MS,
  }),
};

/** One key after the other, whatever became of it before. */
export const roundRobinKeys: KeyContender = {
  name: "round robin",
  about: "one key after the other, with no memory of what became of it",
  open: ({ clock, keys }) => {
    let turn = 0;
    let held = 0;
    return {
      request: async (_conversation, send) => {
        held += 1;
        for (let tries = 1; ; tries += 1) {
          try {
            await send(keys[turn++ % keys.length] as string);
            held -= 1;
            return;
          } catch (error) {
            if (!(error instanceof ProviderError)) throw error;
          }
          if (tries % keys.length === 0) await delay(clock, SECOND_MS);
        }
      },
      held: () => held,
      close: () => {},
    };
  },
};

export const KEY_CONTENDERS: readonly KeyContender[] = [troupePool, hermesLike, liteLlmLike, roundRobinKeys];
