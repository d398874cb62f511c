// A real store with something in the way: every call may be held up, refused, or acknowledged late. What is not in
// the way goes through, so that the contract stays the inner store's.

import { delay, type Clock } from "../../src/base/clock.ts";
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

/** A store on another machine: every call takes up to `mostMs` there and as long back, by this source of chance. */
export function distantStore(
  inner: Store,
  {
    clock,
    mostMs,
    chance,
  }: { readonly clock: Clock; readonly mostMs: number; readonly chance: () => number },
): Store {
  const travel = (): Promise<void> => delay(clock, Math.floor(chance() * (mostMs + 1)));
  return wrappedStore(inner, { before: travel, after: travel });
}
