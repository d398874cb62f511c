// The keys of one provider and what became of each: who may use which now, and what a request's end teaches. The rules
// stand in pure functions (pool-key, pool-penalty, pool-health, pool-choice, pool-verdict); this class remembers and
// counts. Who has to wait is the pool's business (key-pool.ts).
//
// K1. No lease on a key that sits something out, and none beyond a key's cap; a key that has to prove itself has one.
// K2. Every lease ends exactly once, and is one of its key until then.
// K4. Time is monotonic; the wall clock is used to show and to keep ends, never to decide.
// K5. No secret is in here.

import type { Clock } from "../base/clock.ts";
import type { ProviderError } from "../base/errors.ts";
import type { Random } from "../base/ids.ts";
import type { KeyRecord, KeyStrategy } from "../core/key-state.ts";
import type { RateWindow } from "../core/rate-limits.ts";
import { KeyLease, type LeaseOwner } from "./key-lease.ts";
import { chosen, creditsAfter, type Candidate } from "./pool-choice.ts";
import { healthAfter, healthAfterSuccess, healthStanding, WELL, type Health } from "./pool-health.ts";
import { freshKey, type KeyNeed, type KeyPlan, type KeyState } from "./pool-key.ts";
import { charged, observed, penalised, succeeded, type Answered } from "./pool-penalty.ts";
import { recordsOf, restored } from "./pool-record.ts";
import { judgementOf, type Judgement } from "./pool-signal.ts";
import { shownKeys, type ShownKey } from "./pool-view.ts";
import { verdictOf, type Verdict } from "./pool-verdict.ts";

/** A conversation stays with its key while it was used so short a time ago: its prompt cache lives there. */
const STICKY_MS = 300_000;
/** Of more conversations than these, the ones that asked longest ago lose their key. */
const MOST_CONVERSATIONS = 4096;

const NO_KEYS: ReadonlySet<string> = new Set();

export interface KeyRingOptions {
  readonly provider: string;
  readonly strategy: KeyStrategy;
  readonly clock: Clock;
  readonly random: Pick<Random, "next">;
  /** Something that is kept has changed. */
  readonly onChange: () => void;
  /** A key has more room than before. */
  readonly onFreed: () => void;
}

/** Who asks for a key, and for what. */
export interface KeyRequest {
  readonly need: KeyNeed;
  /** The conversation: it stays with its key. */
  readonly conversation: string;
  /** How the server is spoken to. */
  readonly protocol: string;
}

interface Counted {
  key: KeyState;
  inFlight: number;
  usedAt: number;
  credit: number;
}

export class KeyRing implements LeaseOwner {
  readonly #options: KeyRingOptions;
  /** By fingerprint, in the order of the config. */
  #keys = new Map<string, Counted>();
  #health: Health = WELL;
  readonly #own = new Map<string, { readonly fingerprint: string; readonly at: number }>();
  /** How the server of each living lease is spoken to. */
  readonly #leases = new Map<KeyLease, string>();
  #uses = 0;

  constructor(options: KeyRingOptions) {
    this.#options = options;
  }

  /** The keys that there are now. One that stays keeps what is known of it; another key in its place is new. */
  sync(plans: readonly KeyPlan[]): void {
    const keys = new Map<string, Counted>();
    for (const plan of plans) {
      const known = this.#keys.get(plan.fingerprint);
      if (keys.has(plan.fingerprint)) continue;
      if (known) known.key = { ...known.key, plan };
      keys.set(plan.fingerprint, known ?? { key: freshKey(plan), inFlight: 0, usedAt: 0, credit: 0 });
    }
    const isSame = keys.size === this.#keys.size && [...keys.keys()].every((each) => this.#keys.has(each));
    this.#keys = keys;
    if (isSame) return;
    this.#options.onChange();
    this.#options.onFreed();
  }

  /** Switches a key off, or on again as if nothing had ever become of it. False for a key that is not here. */
  setDisabled(fingerprint: string, disabled: boolean): boolean {
    const counted = this.#keys.get(fingerprint);
    if (!counted) return false;
    counted.key = { ...freshKey(counted.key.plan), disabled };
    this.#options.onChange();
    this.#options.onFreed();
    return true;
  }

  /** What is known of the keys from before; of two ends the later holds. */
  restore(records: readonly KeyRecord[]): void {
    const at = this.#moment();
    const own = records.filter(({ provider }) => provider === this.#options.provider);
    for (const counted of this.#keys.values()) counted.key = restored(counted.key, own, at);
  }

  /** What the store should keep. */
  records(): readonly KeyRecord[] {
    const at = this.#moment();
    return [...this.#keys.values()].flatMap(({ key }) => recordsOf(this.#options.provider, key, at));
  }

  /** Every key as people see it, in the order of the config. */
  shown(): readonly ShownKey[] {
    return shownKeys([...this.#keys.values()], this.#moment());
  }

  get leases(): number {
    return this.#leases.size;
  }

  succeeded(lease: KeyLease): void {
    const at = this.#answered(lease);
    this.#health = healthAfterSuccess(this.#health, at);
    this.#change(lease.fingerprint, (key) => succeeded(key, at));
  }

  failed(lease: KeyLease, error: ProviderError): Judgement {
    const judgement = judgementOf(error, this.#leases.get(lease) ?? "");
    const { signal } = judgement;
    const at = this.#answered(lease);
    this.#health = healthAfter(this.#health, signal, at);
    const account = this.#keys.get(lease.fingerprint)?.key.plan.account ?? null;
    // Money and rate limits are counted for the account; a key is refused, or lacks a model, by itself.
    const shared = account !== null && (signal.about === "rate" || signal.about === "money");
    for (const { key } of this.#keys.values()) {
      const isIt = key.plan.fingerprint === lease.fingerprint;
      if (!isIt && !(shared && key.plan.account === account)) continue;
      const inFlight = isIt ? at.inFlight : 0;
      this.#change(key.plan.fingerprint, (before) => penalised(before, signal, { ...at, inFlight }));
    }
    return judgement;
  }

  observed(lease: KeyLease, windows: readonly RateWindow[]): void {
    const at = { need: lease.need, now: this.#options.clock.monotonic() };
    this.#change(lease.fingerprint, (key) => observed(key, windows, at));
  }

  ended(lease: KeyLease): void {
    this.#leases.delete(lease);
    const counted = this.#keys.get(lease.fingerprint);
    if (counted) counted.inFlight = Math.max(0, counted.inFlight - 1);
    this.#options.onFreed();
  }

  /** Which keys may take this request, those it was `tried` with aside, or why none may. */
  verdict({ need, conversation }: KeyRequest, tried: ReadonlySet<string> = NO_KEYS): Verdict {
    const now = this.#options.clock.monotonic();
    const own = this.#own.get(conversation);
    const facts = {
      keys: [...this.#keys.values()],
      health: healthStanding(this.#health, need.model, now),
      own: own !== undefined && now - own.at <= STICKY_MS ? own.fingerprint : null,
      tried,
      now,
    };
    return verdictOf(facts, need);
  }

  /** Lends one of the candidates of a verdict that was asked for just now. */
  lend({ need, conversation, protocol }: KeyRequest, candidates: readonly Candidate[]): KeyLease {
    const { strategy, clock } = this.#options;
    const taken = chosen(strategy, candidates) as Candidate;
    const counted = this.#keys.get(taken.fingerprint) as Counted;
    for (const [fingerprint, credit] of creditsAfter(taken, candidates)) {
      (this.#keys.get(fingerprint) as Counted).credit = credit;
    }
    const sentAt = clock.monotonic();
    counted.inFlight += 1;
    counted.usedAt = this.#uses += 1;
    counted.key = charged(counted.key, need);
    this.#remember(conversation, taken.fingerprint, sentAt);
    const { fingerprint, source } = counted.key.plan;
    const lease = new KeyLease(this, { fingerprint, source, need, sentAt });
    this.#leases.set(lease, protocol);
    return lease;
  }

  #remember(conversation: string, fingerprint: string, at: number): void {
    this.#own.delete(conversation);
    this.#own.set(conversation, { fingerprint, at });
    const oldest = this.#own.keys().next();
    if (this.#own.size > MOST_CONVERSATIONS && !oldest.done) this.#own.delete(oldest.value);
  }

  #answered(lease: KeyLease): Answered {
    return {
      need: lease.need,
      sentAt: lease.sentAt,
      inFlight: this.#keys.get(lease.fingerprint)?.inFlight ?? 1,
      now: this.#options.clock.monotonic(),
      jitter: this.#options.random.next(),
    };
  }

  #change(fingerprint: string, change: (key: KeyState) => KeyState): void {
    const counted = this.#keys.get(fingerprint);
    if (!counted) return;
    const before = counted.key;
    counted.key = change(before);
    const { penalty, models } = counted.key;
    if (penalty !== before.penalty || models !== before.models) this.#options.onChange();
  }

  #moment(): { readonly now: number; readonly wall: number } {
    const { clock } = this.#options;
    return { now: clock.monotonic(), wall: clock.now() };
  }
}
