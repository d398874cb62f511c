// The models of a world, drawn from a stream of its own: most worlds have one that is always there. In others two local
// models share a memory that they may not fit into together, a route leads to a cloud, or both, and things happen to
// the servers. Plain data; nothing here runs.

import { FALLBACKS, type Fallback } from "../../src/core/routing.ts";
import type { Dice } from "./dice.ts";
import type { Plan } from "./plan.ts";

/** What happens to a model server, or is done to it by others. */
export type MishapKind =
  | "a model is removed"
  | "it is pulled again"
  | "it is started again"
  | "it goes down"
  | "its loads hang"
  | "its next load fails"
  | "it turns everybody away"
  | "another program uses its own model"
  | "another program uses ours"
  | "it puts out what nobody uses";

export interface Mishap {
  readonly kind: MishapKind;
  readonly atMs: number;
  readonly backend: "gpu" | "cloud";
  readonly model: string;
  /** How long it lasts, where it does. */
  readonly ms: number;
}

/** Where a task may go, from its first model on. */
export interface RoutesOfBox {
  readonly children: readonly string[];
  /** `null`: sessions have one model. */
  readonly sessions: readonly string[] | null;
  /** What each incarnation allows; the last one stays. */
  readonly fallbacks: readonly Fallback[];
  readonly maxCostMicros: number | null;
  readonly maxWaitMs: number | null;
  readonly escalate: boolean;
}

export interface Box {
  /** How many of the local models are in memory at once; `null` where nothing is loaded at our command. */
  readonly room: number | null;
  /** Whether Troupe is told how much memory there is. */
  readonly isRoomKnown: boolean;
  readonly loadMs: number;
  readonly keepMs: number;
  readonly routes: RoutesOfBox | null;
  readonly mishaps: readonly Mishap[];
  /** The share of the local models' generations that come to nothing. */
  readonly poor: number;
}

/** The agent that runs on the other local model. */
export const OTHER_AGENT = "other";
export const LOCAL_MODELS = ["child", "parent"] as const;
export const CLOUD_MODEL = "big";

const SHARE = 0.2;
const ROUTES: readonly (readonly string[])[] = [
  ["gpu/child", "cloud/big"],
  ["gpu/child", "cloud/big"],
  ["gpu/child", "cloud/big", "gpu/parent"],
  ["gpu/child", "gpu/parent", "cloud/big"],
  ["cloud/big", "gpu/child"],
];
const MISHAPS: readonly MishapKind[] = [
  "a model is removed",
  "a model is removed",
  "it is pulled again",
  "it is pulled again",
  "it is started again",
  "it is started again",
  "it goes down",
  "it goes down",
  "its loads hang",
  "its next load fails",
  "another program uses its own model",
  "another program uses its own model",
  "another program uses ours",
  "it puts out what nobody uses",
];

/** What makes a task leave its model. */
const MISHAPS_OF_ROUTES: readonly MishapKind[] = [
  ...MISHAPS,
  "a model is removed",
  "a model is removed",
  "it turns everybody away",
  "it turns everybody away",
  "it turns everybody away",
  "it turns everybody away",
];

/** The models of a world; `null` for one that is always there. */
export function drawBox(dice: Dice, actingMs: number): Box | null {
  if (!dice.chance(SHARE)) return null;
  const isManaged = dice.chance(0.7);
  const routes = !isManaged || dice.chance(0.4) ? drawRoutes(dice) : null;
  const count = dice.pick([0, 1, 2, 4, 6]);
  return {
    room: isManaged ? dice.pick([1, 1, 1, 2]) : null,
    isRoomKnown: dice.chance(0.75),
    loadMs: dice.pick([0, 30, 250, 1_000]),
    keepMs: dice.pick([400, 300_000, 300_000]),
    routes,
    mishaps: dice.several(routes ? count + 2 : count, () => drawMishap(dice, { actingMs, routes })),
    poor: routes?.escalate === true ? dice.pick([0, 0.1, 0.5]) : 0,
  };
}

function drawRoutes(dice: Dice): RoutesOfBox {
  const isSteady = dice.chance(0.7);
  const fallbacks = dice.several(isSteady ? 1 : 4, () => dice.pick(FALLBACKS));
  return {
    children: dice.pick(ROUTES),
    sessions: dice.chance(0.3) ? ["gpu/parent", "cloud/big"] : null,
    fallbacks,
    maxCostMicros: dice.pick([null, null, 1_500, 2_500, 4_000]),
    maxWaitMs: dice.pick([null, null, null, 500]),
    escalate: dice.chance(0.4),
  };
}

function drawMishap(
  dice: Dice,
  { actingMs, routes }: { readonly actingMs: number; readonly routes: RoutesOfBox | null },
): Mishap {
  const isEarly = routes !== null || dice.chance(0.5);
  return {
    kind: dice.pick(routes === null ? MISHAPS : MISHAPS_OF_ROUTES),
    atMs: isEarly && dice.chance(0.6) ? dice.between(0, 600) : dice.between(0, actingMs),
    backend: routes !== null && dice.chance(0.3) ? "cloud" : "gpu",
    model: dice.pick(LOCAL_MODELS),
    ms: dice.pick([50, 600, 3_000]),
  };
}

/** The same tree with some of its agents on the other local model. */
export function withAgents(plan: Plan, dice: Dice): Plan {
  const children = plan.children.map((child) => withAgents(child, dice));
  return { ...plan, children, agent: dice.chance(0.45) ? OTHER_AGENT : null };
}
