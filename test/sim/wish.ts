// What a person wants to have begun, and the request that begins it.

import type { DelegateRequest } from "../../src/core/api.ts";
import type { Root } from "./world.ts";

/** What a person wants to have begun, and how far that is. */
export interface Wish {
  readonly root: Root;
  readonly index: number;
  goal: string;
  /** The task or session, once its spawn was acknowledged. */
  taskId: string | null;
  /** The session was told its goal. */
  told: boolean;
  busy: boolean;
}

export function keyOf({ index }: Wish): string {
  return `key ${index}`;
}

export function requestOf(wish: Wish): DelegateRequest {
  const { plan, onRestart, retryLimit, budget, deadlineMs, maxTurns, keyed } = wish.root;
  return {
    goal: wish.goal,
    role: plan.children.length > 0 ? "orchestrator" : "leaf",
    ...(plan.agent && { agent: plan.agent }),
    onRestart,
    ...(retryLimit > 0 && { retryLimit }),
    ...(budget && { budget }),
    ...(deadlineMs !== null && { deadlineMs }),
    ...(maxTurns !== null && { maxTurns }),
    ...(keyed && { idempotencyKey: keyOf(wish) }),
  };
}
