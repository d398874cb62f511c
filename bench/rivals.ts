// Rivals that the benchmarks run beside Troupe. They live in a package of their own (bench/package.json), so that a
// checkout without them still type-checks: only the few members that are used are declared here.

/** What is used of p-queue. */
export interface PQueue {
  add<T>(job: () => Promise<T>): Promise<T>;
  onIdle(): Promise<void>;
}

/** A p-queue with a cap. Contract: rejects with what to type when the rivals are not installed. */
export async function newPQueue(concurrency: number): Promise<PQueue> {
  const specifier: string = "p-queue";
  const loaded = (await import(specifier).catch((cause: unknown) => {
    throw new Error("Expected the rivals to be installed: run `npm run bench -- NAME`.", { cause });
  })) as { readonly default: new (options: { readonly concurrency: number }) => PQueue };
  return new loaded.default({ concurrency });
}
