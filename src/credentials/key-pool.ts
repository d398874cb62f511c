// The keys of one provider, for requests that may have to wait for one. The ring knows which key may be used
// (key-ring.ts) and the queue who is next (pool-queue.ts); this class brings them together and keeps the timer.
//
// K3. Nobody starves: whoever asked first is served first, and no newcomer takes the room of one who was called.

import type { Clock, Timer } from "../base/clock.ts";
import type { Random } from "../base/ids.ts";
import type { KeyRecord, KeyStrategy } from "../core/key-state.ts";
import type { KeyLease } from "./key-lease.ts";
import { KeyRing, type KeyRequest } from "./key-ring.ts";
import type { KeyPlan } from "./pool-key.ts";
import { PoolQueue } from "./pool-queue.ts";
import type { ShownKey } from "./pool-view.ts";

export interface KeyPoolOptions {
  readonly provider: string;
  readonly strategy: KeyStrategy;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  /** Something that is kept has changed. */
  readonly onChange?: () => void;
}

/** Who asks for a key, and may have to wait for it. */
export interface KeyAsk extends KeyRequest {
  /** Called once when a key is free, for one that was told to wait and went away; false when it does not come any more. */
  readonly wake: () => boolean;
}

export type KeyAnswer =
  | { readonly type: "lease"; readonly lease: KeyLease }
  | { readonly type: "busy" }
  | { readonly type: "cooling"; readonly waitMs: number; readonly reason: string }
  | { readonly type: "none"; readonly returnsInMs: number | null; readonly reason: string };

export class KeyPool {
  readonly #clock: Clock;
  readonly #ring: KeyRing;
  readonly #queue = new PoolQueue<KeyAnswer>();
  /** What those in the queue asked for. */
  readonly #asks = new Map<string, KeyAsk>();
  #timer: Timer | null = null;
  #closed = false;

  constructor({ onChange = () => {}, ...options }: KeyPoolOptions) {
    this.#clock = options.clock;
    this.#ring = new KeyRing({ ...options, onChange, onFreed: () => this.#serve() });
  }

  /** The keys that there are now. One that stays keeps what is known of it; another key in its place is new. */
  sync(plans: readonly KeyPlan[]): void {
    this.#ring.sync(plans);
  }

  /**
   * A key for one request, or why there is none now. Whoever is told to wait keeps its turn for a while. `tried` are the
   * keys that this very request was refused with.
   */
  take(ask: KeyAsk, tried?: ReadonlySet<string>): KeyAnswer {
    const { conversation, wake } = ask;
    // Somebody waits in place for what this one wants, and was first.
    const answer = this.#queue.waitsBefore(conversation)
      ? this.#serveOthersFirst(ask, tried)
      : this.#answer(ask, tried);
    if (answer.type === "busy" || answer.type === "cooling") {
      this.#asks.set(conversation, ask);
      this.#queue.leave(conversation, wake, this.#clock.monotonic());
      this.#arm();
    } else this.#forget(conversation);
    return answer;
  }

  /**
   * The same, waiting in place for at most `waitMs` while that can help.
   * Contract: rejects with the signal's reason once it aborts, and then holds nothing.
   */
  acquire(
    ask: KeyAsk,
    options: { readonly signal: AbortSignal; readonly waitMs: number },
  ): Promise<KeyAnswer> {
    const { signal, waitMs } = options;
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    const first = this.take(ask);
    if (first.type === "lease" || first.type === "none") return Promise.resolve(first);
    if (first.type === "cooling" && first.waitMs > waitMs) return Promise.resolve(first);
    const clock = this.#clock;
    return new Promise((resolve, reject) => {
      const settle = (answer: KeyAnswer): void => {
        timer.cancel();
        signal.removeEventListener("abort", onAbort);
        this.#asks.delete(ask.conversation);
        resolve(answer);
      };
      const onAbort = (): void => {
        timer.cancel();
        this.#forget(ask.conversation);
        reject(signal.reason as Error);
        this.#serve();
      };
      const timer = clock.after(waitMs, () => {
        signal.removeEventListener("abort", onAbort);
        this.#queue.leave(ask.conversation, ask.wake, clock.monotonic());
        resolve(this.take(ask));
      });
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue.join({ conversation: ask.conversation, wake: ask.wake, settle }, clock.monotonic());
      this.#asks.set(ask.conversation, ask);
      this.#arm();
    });
  }

  /** A conversation that waits elsewhere wants no key any more. */
  withdraw(conversation: string): void {
    this.#forget(conversation);
    this.#serve();
  }

  /** Switches a key off, or on again as if nothing had ever become of it. False for a key that is not here. */
  setDisabled(fingerprint: string, disabled: boolean): boolean {
    return this.#ring.setDisabled(fingerprint, disabled);
  }

  /** What is known of the keys from before; of two ends the later holds. */
  restore(records: readonly KeyRecord[]): void {
    this.#ring.restore(records);
  }

  /** What the store should keep. */
  records(): readonly KeyRecord[] {
    return this.#ring.records();
  }

  /** Every key as people see it, in the order of the config. */
  shown(): readonly ShownKey[] {
    return this.#ring.shown();
  }

  counts(): { readonly leases: number; readonly waiting: number } {
    return { leases: this.#ring.leases, waiting: this.#queue.size };
  }

  /** Arms no timer any more. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #answer(ask: KeyAsk, tried?: ReadonlySet<string>): KeyAnswer {
    const now = this.#clock.monotonic();
    const verdict = this.#ring.verdict(ask, tried);
    if (verdict.type === "open") {
      // K3: room that is kept for those who were called is not there.
      if (verdict.room <= this.#queue.calledBefore(ask.conversation, now)) return { type: "busy" };
      return { type: "lease", lease: this.#ring.lend(ask, verdict.candidates) };
    }
    if (verdict.type === "busy") return { type: "busy" };
    if (verdict.type === "cooling") return { ...verdict, waitMs: Math.max(0, verdict.until - now) };
    const { until, reason } = verdict;
    return { type: "none", reason, returnsInMs: until === null ? null : Math.max(0, until - now) };
  }

  /** Those before it are served first; then it is told what is left. */
  #serveOthersFirst(ask: KeyAsk, tried?: ReadonlySet<string>): KeyAnswer {
    this.#serve();
    return this.#queue.waitsBefore(ask.conversation) ? { type: "busy" } : this.#answer(ask, tried);
  }

  #forget(conversation: string): void {
    this.#queue.forget(conversation);
    this.#asks.delete(conversation);
  }

  #serve(): void {
    const now = this.#clock.monotonic();
    this.#queue.serve(now, {
      take: (conversation) => {
        const answer = this.#answer(this.#asks.get(conversation) as KeyAsk);
        return answer.type === "lease" || answer.type === "none" ? answer : undefined;
      },
      hasRoom: (conversation) => {
        const ask = this.#asks.get(conversation);
        const verdict = ask && this.#ring.verdict(ask);
        return verdict?.type === "open" && verdict.room > this.#queue.calledBefore(conversation, now);
      },
    });
    // Nobody else forgets what those asked for who were let go.
    for (const each of this.#asks.keys()) if (!this.#queue.has(each)) this.#asks.delete(each);
    this.#arm();
  }

  /** Looks again when the first of what those in the queue wait for is over. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#queue.size === 0 || this.#closed) return;
    const now = this.#clock.monotonic();
    // Those who want the same model wait for the same keys.
    const byModel = new Map([...this.#asks.values()].map((ask) => [ask.need.model, ask]));
    const ends = [...byModel.values()].map((ask) => {
      const verdict = this.#ring.verdict(ask);
      return verdict.type === "open" ? null : verdict.until;
    });
    const known = [...ends, this.#queue.nextEnd()].filter((end) => end !== null);
    if (known.length === 0) return;
    this.#timer = this.#clock.after(Math.max(1, Math.min(...known) - now), () => this.#serve());
  }
}
