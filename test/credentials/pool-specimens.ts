// Keys, requests and refusals for the tests of the pool's rules.

import { ProviderError, type ProviderErrorKind, type ProviderErrorOptions } from "../../src/base/errors.ts";
import { freshKey, type KeyPlan, type KeyState } from "../../src/credentials/pool-key.ts";
import type { Answered } from "../../src/credentials/pool-penalty.ts";

export const NEED = { model: "m", tokens: 100 } as const;

export function plan(fingerprint: string, more: Partial<KeyPlan> = {}): KeyPlan {
  return {
    fingerprint,
    source: `env:${fingerprint.toUpperCase()}`,
    weight: 1,
    concurrency: null,
    account: null,
    ...more,
  };
}

export function key(more: Partial<KeyPlan> = {}): KeyState {
  return freshKey(plan("k", more));
}

/** A request that was sent a millisecond ago, alone, without jitter. */
export function at(now: number, more: Partial<Answered> = {}): Answered {
  return { need: NEED, sentAt: now - 1, inFlight: 1, now, jitter: 0, ...more };
}

export function refusal(
  kind: ProviderErrorKind,
  options: ProviderErrorOptions & { readonly code?: string } = {},
): ProviderError {
  return new ProviderError({ kind, code: options.code ?? kind }, "Expected an answer, got none.", options);
}
