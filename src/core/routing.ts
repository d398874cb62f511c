// The words of routing: which models may stand in for each other, and who may see the data that goes with it.
// A route is a list of models in the order in which they are to be tried. It decides nothing; runtime/routing.ts does.

/** Between this box and a cloud, which way a task may go when its model cannot serve it. */
export const FALLBACKS = ["none", "cloud_to_local", "local_to_cloud", "both"] as const;
export type Fallback = (typeof FALLBACKS)[number];

/** What an agent may ask of its model. */
export const NEEDS = ["tools", "thinking", "vision"] as const;
export type Need = (typeof NEEDS)[number];

export interface RoutingSettings {
  readonly fallback: Fallback;
  /** Micros that one task may spend in a cloud that it fell back to; `null` for no limit of its own. */
  readonly maxCostMicros: number | null;
  /** A predicted wait longer than this makes a task leave a local queue; `null` for never. */
  readonly maxWaitMs: number | null;
  /** A model server of this box that is away for longer fails the tasks that it held; `null` for never. */
  readonly maxOutageMs: number | null;
  /** Other names of models: each stands for one or several `provider/model`, in the order of its route. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

export const DEFAULT_ROUTING: RoutingSettings = {
  fallback: "cloud_to_local",
  maxCostMicros: null,
  maxWaitMs: null,
  maxOutageMs: null,
  aliases: {},
};
