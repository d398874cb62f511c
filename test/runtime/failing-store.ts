// A box whose store fails when a test says so: the real store behind, and the log in the hand.

import { StoreError } from "../../src/base/errors.ts";
import { lineLogger } from "../../src/base/log.ts";
import { ROOMY } from "./conversation.ts";
import { rig, type Rig, type RigOptions } from "./rig.ts";
import { wrappedStore, type StoreCall } from "./wrapped-store.ts";

interface Failing {
  readonly times?: number;
  /** Before the store has done it, or after. */
  readonly when?: "before" | "after";
  readonly taskId?: string;
}

export interface Watched extends Rig {
  readonly lines: readonly string[];
  /** Lets the next calls of this kind fail, all of them without a number; gives the end of it. */
  fail(what: StoreCall, how?: Failing): () => void;
}

/** A roomy box under watch. */
export function watched(options: Omit<RigOptions, "wrapStore" | "logger">): Watched {
  const lines: string[] = [];
  const plans = new Set<Failing & { readonly what: StoreCall; left: number }>();
  const hit =
    (when: "before" | "after") =>
    (what: StoreCall, args: readonly unknown[]): void => {
      const named =
        typeof args[0] === "string" ? args[0] : (args[0] as { taskId?: string } | undefined)?.taskId;
      for (const plan of plans) {
        if (plan.what !== what || (plan.when ?? "before") !== when || plan.left === 0) continue;
        if (plan.taskId !== undefined && plan.taskId !== named) continue;
        plan.left -= 1;
        throw new StoreError("busy", "The disk is full.");
      }
    };
  const made = rig({
    settings: { backends: ROOMY },
    ...options,
    logger: lineLogger((line) => lines.push(line), "warn"),
    wrapStore: (store) => wrappedStore(store, { before: hit("before"), after: hit("after") }),
  });
  return {
    ...made,
    lines,
    fail: (what, how = {}) => {
      const plan = { ...how, what, left: how.times ?? Infinity };
      plans.add(plan);
      return () => void plans.delete(plan);
    },
  };
}
