// Cancellation: small adapters around AbortSignal. Nothing here holds state beyond the signal it was given.

import type { Clock, Timer } from "./clock.ts";

/** A promise that settles as `work` does, or rejects with the signal's reason as soon as it aborts. */
export function withSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    work.catch(() => {});
    return Promise.reject(signal.reason as Error);
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", onAbort, { once: true });
    const done = (): void => signal.removeEventListener("abort", onAbort);
    work.then(
      (value) => {
        done();
        resolve(value);
      },
      (error: unknown) => {
        done();
        reject(error as Error);
      },
    );
  });
}

export interface LinkedAbort {
  readonly signal: AbortSignal;
  abort(reason: unknown): void;
  /** Forgets the parent; call it when the work has ended, so that a long-lived parent holds no listener. */
  release(): void;
}

/** A controller that aborts with its parent and can be aborted alone. */
export function linkedAbort(parent?: AbortSignal): LinkedAbort {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(parent?.reason);
  if (parent?.aborted) onAbort();
  else parent?.addEventListener("abort", onAbort, { once: true });
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    release: () => parent?.removeEventListener("abort", onAbort),
  };
}

export interface Deadline {
  /** Starts the countdown again. */
  renew(ms: number): void;
  cancel(): void;
}

/** Calls `expire` once when `ms` pass without `renew`; 0 or less means no deadline. */
export function deadline(clock: Clock, ms: number, expire: () => void): Deadline {
  let timer: Timer | undefined;
  const arm = (left: number): void => {
    timer?.cancel();
    timer = left > 0 ? clock.after(left, expire) : undefined;
  };
  arm(ms);
  return { renew: arm, cancel: () => timer?.cancel() };
}

export interface TimeLimit {
  readonly clock: Clock;
  /** 0 or less is no limit. */
  readonly ms: number;
  /** What the work is aborted with when the time is over. */
  readonly late: () => Error;
  /** Aborts the work too. */
  readonly signal?: AbortSignal;
}

/** What `work` comes to; its signal aborts when the time is over. It must end by itself when it does. */
export async function inTime<T>(limit: TimeLimit, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = linkedAbort(limit.signal);
  const end = deadline(limit.clock, limit.ms, () => abort.abort(limit.late()));
  try {
    return await work(abort.signal);
  } finally {
    end.cancel();
    abort.release();
  }
}
