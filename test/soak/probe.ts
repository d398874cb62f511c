// Loaded into the server under soak before its own code: answers each message with what the process holds, after a
// collection of garbage, so that what is counted is what something still refers to.

import { EventEmitter } from "node:events";
import { readdirSync } from "node:fs";
import { queryObjects } from "node:v8";

export interface Sample {
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Buffers outside of the heap. */
  readonly externalBytes: number;
  readonly files: number;
  readonly timers: number;
  /** What else keeps the process alive: sockets, requests, handles. */
  readonly handles: number;
  /** Listeners of the process itself. */
  readonly listeners: number;
  /** Objects that listeners gather on. */
  readonly signals: number;
  readonly emitters: number;
  readonly promises: number;
}

function sample(): Sample {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  const timers = resources.filter((name) => name === "Timeout" || name === "Immediate").length;
  return {
    rssBytes: rss,
    heapBytes: heapUsed,
    externalBytes: external,
    files: filesOpen(),
    timers,
    handles: resources.length - timers,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
    signals: queryObjects(AbortSignal, { format: "count" }),
    emitters: queryObjects(EventEmitter, { format: "count" }),
    promises: queryObjects(Promise, { format: "count" }),
  };
}

/** Where no /proc is, nothing is counted. */
function filesOpen(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

process.on("message", () => process.send?.(sample()));
// The server alone decides how long the process lives.
process.channel?.unref();
