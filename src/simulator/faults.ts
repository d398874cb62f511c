// What goes wrong with a simulated server, on order. The box asks before it loads, places and answers; nothing here
// happens by itself or by chance.

import { ProviderError } from "../base/errors.ts";

/** The server's process has ended: sockets break, and until it is back nobody answers. */
export function serverGone(): ProviderError {
  return new ProviderError(
    { kind: "network", code: "connection_refused" },
    "connect ECONNREFUSED: the simulated server is down.",
  );
}

/** Whether that is what happened. */
export function isServerGone(error: unknown): boolean {
  return error instanceof ProviderError && error.code === "connection_refused";
}

/** The words of a runner whose card has no memory left. */
export function outOfMemory(): ProviderError {
  return new ProviderError(
    { kind: "overloaded", code: "out_of_memory" },
    "llama runner process has terminated: cudaMalloc failed: out of memory",
    { status: 500 },
  );
}

/** The words of a load that made no progress for too long. */
export function loadTimedOut(): ProviderError {
  return new ProviderError(
    { kind: "timeout", code: "load_timeout" },
    "timed out waiting for llama runner to start - progress 0.00 - ",
    { status: 500 },
  );
}

/** Faults that wait for their occasion. */
export class Faults {
  /** So many loads to come run out of memory. */
  loadsOutOfMemory = 0;
  /** So many loads to come make no progress, and fail after the load timeout. */
  loadsStalled = 0;
  /** Whether the queue for models that are not loaded stands still (ollama#17408); a restart ends it. */
  wedged = false;
  /** Whether nobody listens. */
  down = false;
  /** Names of models that were deleted. */
  readonly deleted = new Set<string>();

  /** Takes one of the loads that are to fail. */
  takeLoad(): "out_of_memory" | "stalled" | null {
    if (this.loadsStalled > 0) {
      this.loadsStalled -= 1;
      return "stalled";
    }
    if (this.loadsOutOfMemory === 0) return null;
    this.loadsOutOfMemory -= 1;
    return "out_of_memory";
  }
}
