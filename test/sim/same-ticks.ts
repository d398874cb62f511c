// One order of microtasks everywhere. `Promise.prototype.finally` takes as many turns of the queue as the language says
// on V8, and fewer on JavaScriptCore: whoever comes first would depend on the engine, and so would the log's hash.
// Written out in terms of `then`, it takes the same on both. For simulations only.

type OnFinally = (() => unknown) | null | undefined;

async function settled<T>(onFinally: OnFinally, outcome: () => T): Promise<T> {
  const given = onFinally?.();
  await Promise.resolve(given);
  return outcome();
}

/** `finally` by the language's own words. */
export function plainFinally<T>(this: Promise<T>, onFinally?: OnFinally): Promise<T> {
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
  Reflect.set(Promise.prototype, "finally", plainFinally);
}
