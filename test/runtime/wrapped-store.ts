// A real store with something in the way: every call may be held up, refused, or acknowledged late. What is not in
// the way goes through, so that the contract stays the inner store's.

import { delay, type Clock } from "../../src/base/clock.ts";
import { StoreError } from "../../src/base/errors.ts";
import type { Store } from "../../src/store/store.ts";

/** The calls of the contract that answer with a promise. */
export type StoreCall = {
  [K in keyof Store]: Store[K] extends (...args: never[]) => Promise<unknown> ? K : never;
}[keyof Store];

export interface InTheWay {
  /** Before the call reaches the store; what it throws, the caller gets. */
  readonly before?: (call: StoreCall, args: readonly unknown[]) => Promise<void> | void;
  /** After the store has done it and before the caller hears of it. */
  readonly after?: (call: StoreCall, args: readonly unknown[]) => Promise<void> | void;
}

/** The store with `inTheWay` before and after each of its calls. */
export function wrappedStore(inner: Store, inTheWay: InTheWay): Store {
  return new Proxy(inner, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const method = member.bind(target) as (...args: unknown[]) => unknown;
      if (name === "onWrite") return method;
      return async (...args: unknown[]) => {
        await inTheWay.before?.(name as StoreCall, args);
        const answer = await method(...args);
        await inTheWay.after?.(name as StoreCall, args);
        return answer;
      };
    },
  });
}

export interface Distance {
  readonly clock: Clock;
  /** Milliseconds that a call takes at most, each way. */
  readonly mostMs: number;
  /** The share of calls that fail on the way there, and as many on the way back, though they were made. */
  readonly lossy: number;
  readonly chance: () => number;
}

/**
 * A store on another machine, over a line that is slow and loses calls. Submits get through: whether a lost one made
 * a task is for its caller to find out, by its idempotency key.
 */
export function distantStore(inner: Store, { clock, mostMs, lossy, chance }: Distance): Store {
  const travel = async (safe: boolean): Promise<void> => {
    if (mostMs > 0) await delay(clock, Math.floor(chance() * (mostMs + 1)));
    if (!safe && chance() < lossy) throw new StoreError("busy", "The line broke.");
  };
  return wrappedStore(inner, {
    before: (call) => travel(call === "submitAll"),
    after: (call) => travel(call === "submitAll"),
  });
}
