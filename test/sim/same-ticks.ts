// One order of microtasks everywhere. `Promise.prototype.finally` takes as many turns of the queue as the language says
// on V8, and fewer on JavaScriptCore: whoever comes first would depend on the engine, and so would the log's hash.
// Written out in terms of `then`, it takes the same on both. For simulations only.

async function settled<T>(onFinally: (() => void) | null | undefined, outcome: () => T): Promise<T> {
  await onFinally?.();
  return outcome();
}

/** `finally` by the language's own words. */
export function plainFinally<T>(this: Promise<T>, onFinally?: (() => void) | null): Promise<T> {
  return this.then(
    (value) => settled(onFinally, () => value),
    (thrown: unknown) =>
      settled(onFinally, () => {
        throw thrown;
      }),
  );
}

/** Puts it in the place of the engine's own. */
export function useSameTicks(): void {
  Object.defineProperty(Promise.prototype, "finally", {
    value: plainFinally,
    configurable: true,
    writable: true,
  });
}
