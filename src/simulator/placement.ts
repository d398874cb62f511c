// Where a model's bytes go, and which model goes when there is no room. Pure: the box holds the state.
// The rules are Ollama's: one GPU if the model fits in 80 % of what is free there, else all of them together, else
// something is unloaded; an empty box takes any model, and what does not fit stays outside the VRAM.

import type { SimulatedGpu, SimulatedModel } from "./config.ts";

/** Share of the free VRAM that a model may be predicted to need while others are loaded. */
export const FIT_SHARE = 0.8;

/** Bytes on each GPU, by its id. */
export type Placement = ReadonlyMap<string, number>;

/** What placing and evicting must know of a model in memory. */
export interface Occupant {
  readonly model: SimulatedModel;
  readonly placement: Placement;
  readonly users: number;
  readonly keepAliveMs: number;
}

/** Weights and key-value cache of all slots. */
export function predictedBytes(model: SimulatedModel, contextTokens: number, slots: number): number {
  return model.sizeBytes + model.kvBytesPerToken * contextTokens * slots;
}

/** Bytes of a GPU that no occupant has. */
export function freeBytes(gpu: SimulatedGpu, occupants: readonly Occupant[]): number {
  let free = gpu.vramBytes;
  for (const occupant of occupants) free -= occupant.placement.get(gpu.id) ?? 0;
  return free;
}

/** Where a model goes: what it needs, and whether it was told to take one GPU, or all of them. */
export interface PlacementWish {
  readonly bytes: number;
  /** The number of a GPU in the list (`main_gpu`): no other one is looked at. */
  readonly mainGpu?: number;
  readonly spread?: boolean;
}

/** Where `bytes` go; `null` when something must be unloaded first. */
export function place(
  { bytes, mainGpu, spread = false }: PlacementWish,
  gpus: readonly SimulatedGpu[],
  occupants: readonly Occupant[],
): Placement | null {
  const pinned = mainGpu === undefined ? undefined : gpus[mainGpu];
  const free = (pinned ? [pinned] : gpus)
    .map((gpu) => ({ id: gpu.id, bytes: freeBytes(gpu, occupants) }))
    .toSorted((a, b) => b.bytes - a.bytes);
  const share = occupants.length === 0 ? 1 : FIT_SHARE;
  const roomiest = free[0];
  if (roomiest && !spread && bytes <= roomiest.bytes * share) return new Map([[roomiest.id, bytes]]);
  const total = free.reduce((sum, gpu) => sum + gpu.bytes, 0);
  if (bytes > total * share && occupants.length > 0) return null;
  // Spread in proportion to what is free; in an empty box that is too small, the rest stays in main memory.
  const held = Math.min(bytes, total);
  return new Map(free.map((gpu) => [gpu.id, total === 0 ? 0 : Math.floor((held * gpu.bytes) / total)]));
}

/** Whom Ollama would unload: any idle one first, by the shortest keep-alive, then by name. Not the least used. */
export function chooseVictim<T extends Occupant>(occupants: readonly T[]): T | null {
  const endless = (occupant: T): number =>
    occupant.keepAliveMs < 0 ? Number.POSITIVE_INFINITY : occupant.keepAliveMs;
  const sorted = occupants.toSorted((a, b) =>
    endless(a) === endless(b) ? (a.model.name < b.model.name ? -1 : 1) : endless(a) - endless(b),
  );
  return sorted.find((occupant) => occupant.users === 0) ?? sorted[0] ?? null;
}
