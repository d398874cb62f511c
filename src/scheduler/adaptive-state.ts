// What is known of the cap of one load profile, and why it is what it is. Plain data and how it begins; the rules by
// which it moves are in adaptive-cap.ts.

import { EMPTY_WINDOW, type CapWindow, type Measured } from "./adaptive-window.ts";

/** How long a cap is held at first before another one is tried. */
export const HOLD_MS = 30_000;

/** Why the cap is what it is. */
export type CapReason =
  | { readonly kind: "guess" }
  /** More were tried, and are kept for now. */
  | { readonly kind: "faster"; readonly than: number }
  | { readonly kind: "trying"; readonly than: number }
  /** `tried` at once were not faster. */
  | { readonly kind: "no_faster"; readonly tried: number }
  /** More than the cap wait for a slot of the server. */
  | { readonly kind: "server_full" }
  /** The server is shared: its queue is not of our making. */
  | { readonly kind: "shared" }
  | { readonly kind: "failed"; readonly outcome: "busy" | "oom" | "timeout" }
  | { readonly kind: "slow_stream" }
  | { readonly kind: "late" }
  /** More may be in flight than ever are. */
  | { readonly kind: "not_needed" }
  | { readonly kind: "most" };

/** Plain data: the same samples at the same times give the same states. */
export interface CapState {
  readonly cap: number;
  readonly most: number;
  readonly reason: CapReason;
  /** When the cap became what it is, in milliseconds of the scheduler's clock. */
  readonly changedAt: number;
  /** When the first generation that began since then has ended; `null` until then. */
  readonly settledAt: number | null;
  /** When it was last cut for a failure. */
  readonly cutAt: number | null;
  readonly window: CapWindow;
  /** What the cap was before, while the present one is on trial. */
  readonly trial: Measured | null;
  /** What was measured when the cap came to rest; `null` while nothing was. */
  readonly rest: CapWindow | null;
  /** The lowest cap known not to be worth it. */
  readonly ceiling: number | null;
  /** By how many the next trial is higher; doubles while trials succeed. */
  readonly stride: number;
  readonly holdUntil: number;
  readonly holdMs: number;
}

/** A load profile of which nothing is known: `first` in flight, never more than `most`. Never throws (C1). */
export function createCap(first: number, most: number): CapState {
  const bound = whole(most);
  return {
    cap: Math.min(whole(first), bound),
    most: bound,
    reason: { kind: "guess" },
    changedAt: 0,
    settledAt: 0,
    cutAt: null,
    window: EMPTY_WINDOW,
    trial: null,
    rest: null,
    ceiling: null,
    stride: 1,
    holdUntil: 0,
    holdMs: HOLD_MS,
  };
}

/** The same state under another bound. */
export function withMost(state: CapState, most: number): CapState {
  const bound = whole(most);
  if (state.cap <= bound) return { ...state, most: bound };
  return { ...createCap(bound, bound), changedAt: state.changedAt, reason: { kind: "most" } };
}

/** Keeps C1 for bounds that nobody checked. */
function whole(count: number): number {
  return Number.isFinite(count) && count >= 1 ? Math.floor(count) : 1;
}
