// A provider with several keys, as one task sees it: each request takes a key of the pool, and moves on to the next
// that could serve it when a key is refused.
//
// R1. Another key is tried only before the first token, and only where the refusal says that it could help; no try is
//     counted for it and nothing is waited for.
// R2. A request holds one key lease at a time, and gives it back in every case.
// R3. No wait for a key is longer than a moment while the generation lease is held: the task is told to come back, and
//     is called when its turn has come.

import type { EventData } from "../core/event.ts";
import { ProviderError } from "../base/errors.ts";
import type { KeyLease } from "../credentials/key-lease.ts";
import type { KeyAnswer, KeyAsk, KeyPool } from "../credentials/key-pool.ts";
import type { Rotation } from "../credentials/pool-signal.ts";
import type { GenerateOptions, GenerateRequest, Provider, ProviderEvent } from "../../providers/provider.ts";
import { estimateTokens } from "./compaction.ts";
import type { KeyPatience } from "./key-patience.ts";

/** Waiting this long where it is costs less than giving the generation lease back. */
const MOMENT_MS = 2_000;
/** When a task that waits for a busy key looks again by itself; it is called before, as a rule. */
const BUSY_MS = 30_000;

/** A generation that went on with another key; keys by fingerprint. */
export type KeyRotation = EventData["credential.rotated"];

/** Who generates. */
export interface KeyCaller {
  /** The conversation: it stays with its key. */
  readonly conversation: string;
  /** Milliseconds until nobody wants the answer any more; `null` for no such time. */
  readonly deadlineLeftMs: () => number | null;
  readonly rotated: (rotation: KeyRotation) => void;
  /** A key is free for a generation that was told to come back; false when it does not come any more. */
  readonly wake: () => boolean;
}

export interface KeyedProviderOptions {
  readonly name: string;
  /** What answers everything that is no generation. */
  readonly client: Provider;
  readonly clientOf: (fingerprint: string) => Provider;
  readonly pool: KeyPool;
  readonly patience: KeyPatience;
  readonly caller: KeyCaller;
  /** Wall-clock milliseconds, to name times. */
  readonly now: () => number;
}

/** A key that was refused before the first token. */
interface Refused {
  readonly lease: KeyLease;
  readonly error: ProviderError;
  readonly rotation: Rotation;
}

export class KeyedProvider implements Provider {
  readonly type: string;
  readonly baseUrl: string;
  readonly #options: KeyedProviderOptions;

  constructor(options: KeyedProviderOptions) {
    this.#options = options;
    this.type = options.client.type;
    this.baseUrl = options.client.baseUrl;
  }

  /**
   * Contract: as every provider's, and when no key can be used a ProviderError: `keys_cooling` and `keys_busy` with
   * `held_up` among their details while waiting helps, `keys_cooling`, `keys_exhausted` or `keys_refused` when it does not.
   */
  async *generate(request: GenerateRequest, { signal }: GenerateOptions): AsyncGenerator<ProviderEvent> {
    const { pool, caller, name } = this.#options;
    const ask: KeyAsk = {
      need: { model: request.model, tokens: estimateTokens(request.messages) },
      conversation: caller.conversation,
      protocol: this.type,
      wake: caller.wake,
    };
    const first = await pool.acquire(ask, { signal, waitMs: MOMENT_MS });
    let lease = this.#leaseOf(first);
    const tried = new Set<string>();
    const told = { started: false };
    for (;;) {
      const refused: Refused | null = yield* this.#attempt({ lease, request, signal, told });
      if (refused === null) return;
      const isSecondElsewhere = refused.rotation === "once" && tried.size > 0;
      tried.add(lease.fingerprint);
      if (isSecondElsewhere) throw refused.error;
      const next = pool.take(ask, tried);
      lease = this.#leaseAfter(refused, next);
      const { code, message } = refused.error;
      const { fingerprint: from } = refused.lease;
      caller.rotated({ provider: name, model: request.model, from, code, message, to: lease.fingerprint });
    }
  }

  server(signal: AbortSignal): ReturnType<Provider["server"]> {
    return this.#options.client.server(signal);
  }

  models(signal: AbortSignal): ReturnType<Provider["models"]> {
    return this.#options.client.models(signal);
  }

  describe(model: string, signal: AbortSignal): ReturnType<Provider["describe"]> {
    return this.#options.client.describe(model, signal);
  }

  loaded(signal: AbortSignal): ReturnType<Provider["loaded"]> {
    return this.#options.client.loaded(signal);
  }

  preload(...args: Parameters<Provider["preload"]>): Promise<void> {
    return this.#options.client.preload(...args);
  }

  unload(...args: Parameters<Provider["unload"]>): Promise<void> {
    return this.#options.client.unload(...args);
  }

  /** One request with one key; what it was refused with, where another key may be tried. */
  async *#attempt(attempt: {
    readonly lease: KeyLease;
    readonly request: GenerateRequest;
    readonly signal: AbortSignal;
    /** What its reader has heard already. */
    readonly told: { started: boolean };
  }): AsyncGenerator<ProviderEvent, Refused | null> {
    const { lease, request, signal, told } = attempt;
    let spoke = false;
    try {
      // The key may have come together with the abort.
      signal.throwIfAborted();
      for await (const event of this.#options.clientOf(lease.fingerprint).generate(request, { signal })) {
        if (event.type === "started") {
          lease.observed(event.limits ?? []);
          // It begins once, whatever key it goes on with.
          if (told.started) continue;
          told.started = true;
        } else spoke = true;
        if (event.type === "finished") {
          lease.succeeded();
          this.#options.patience.over(this.#options.caller.conversation);
        }
        yield event;
      }
      return null;
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof ProviderError)) throw thrown;
      const { rotation } = lease.failed(thrown);
      if (spoke || rotation === "never") throw thrown;
      return { lease, error: thrown, rotation };
    } finally {
      lease.end();
    }
  }

  /** The key to go on with. Contract: throws what the generation fails with, or waits for, when there is none. */
  #leaseAfter({ error, rotation }: Refused, answer: KeyAnswer): KeyLease {
    if (answer.type === "lease" || (rotation === "next" && answer.type !== "none")) {
      return this.#leaseOf(answer);
    }
    const { pool, patience, caller } = this.#options;
    pool.withdraw(caller.conversation);
    patience.over(caller.conversation);
    throw error;
  }

  #leaseOf(answer: KeyAnswer): KeyLease {
    const { patience, caller, pool } = this.#options;
    const { conversation } = caller;
    if (answer.type === "lease") return answer.lease;
    if (answer.type === "none") {
      patience.over(conversation);
      throw this.#nothingLeft(answer);
    }
    const wait = answer.type === "busy" ? { waitMs: BUSY_MS, reason: "all are busy" } : answer;
    // Others end their requests for sure; a time that is named is only worth waiting for while it is bearable.
    const left = answer.type === "busy" ? Number.POSITIVE_INFINITY : patience.left(conversation);
    const deadline = caller.deadlineLeftMs() ?? Number.POSITIVE_INFINITY;
    const heldUp = wait.waitMs <= Math.min(left, answer.type === "busy" ? left : deadline);
    if (!heldUp) {
      pool.withdraw(conversation);
      patience.over(conversation);
    }
    throw this.#waiting(answer.type, wait, heldUp);
  }

  #waiting(
    type: "busy" | "cooling",
    { waitMs, reason }: { readonly waitMs: number; readonly reason: string },
    heldUp: boolean,
  ): ProviderError {
    const { name } = this.#options;
    const at = this.#timeIn(waitMs);
    const when =
      type === "busy"
        ? "it goes on as soon as one is free"
        : `the first is back in ${Math.ceil(waitMs / 1000)} s (${at})`;
    const what = heldUp ? when : `${when}, which is longer than the task may wait`;
    const advice = "Add keys to `api_keys`, or ask for less at once (`slots`).";
    return new ProviderError(
      { kind: "rate_limited", code: `keys_${type}` },
      `Expected a key of ${name} that may be used now, got none (${reason}): ${what}. ${advice}`,
      {
        retryAfterMs: waitMs,
        details: { provider: name, held_up: heldUp, ...(type === "cooling" && { returns_at: at }) },
      },
    );
  }

  #nothingLeft({ returnsInMs, reason }: Extract<KeyAnswer, { type: "none" }>): ProviderError {
    const { name, pool } = this.#options;
    const isBroke = pool.shown().some(({ state }) => state === "exhausted");
    const at = returnsInMs === null ? null : this.#timeIn(returnsInMs);
    const when = at === null ? "None comes back by itself." : `The first is asked again at ${at}.`;
    return new ProviderError(
      isBroke ? { kind: "quota", code: "keys_exhausted" } : { kind: "auth", code: "keys_refused" },
      `Expected a key of ${name} that can be used, got none (${reason}). ${when} ` +
        "Put other keys into its `api_keys`, or see `troupe keys`.",
      { details: { provider: name, returns_at: at } },
    );
  }

  #timeIn(ms: number): string {
    return new Date(this.#options.now() + ms).toISOString();
  }
}
