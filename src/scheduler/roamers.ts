// Who waits on a lane and could run on another one as well, and what is known of lanes that may take them. Books only;
// spread.ts decides.

import { figure } from "./adaptive-window.ts";
import type { GenerationSample } from "./scheduler.ts";
import type { Ask, Lane, Roamers, SchedulerState, TaskEntry } from "./state.ts";

/** Where a generation failed, nobody comes from elsewhere for so long, unless one ends well before. */
export const SICK_MS = 60_000;
/** Weight of the newest first turn in what reading a token takes. */
const NEWEST = 0.3;

const FAILED: ReadonlySet<GenerationSample["outcome"]> = new Set(["busy", "oom", "timeout", "error"]);

/** It begins to wait for its lane, or goes on to wait for another thing there. */
export function beginRoaming(state: SchedulerState, ask: Ask, now: number): void {
  const { task } = ask;
  ask.here ??= now;
  if (task.equals.length === 0 || !task.needsPlace) return;
  const { roamers } = task.lane;
  state.roaming.add(task.lane);
  if (ask.kind === "turn") return void roamers.turns.add(task);
  for (const lane of task.equals) {
    if (lane === task.lane) continue;
    const fresh = roamers.fresh.get(lane) ?? new Set();
    roamers.fresh.set(lane, fresh.add(task));
  }
}

/** It waits for its lane no more. */
export function endRoaming({ task, kind }: Ask): void {
  if (task.equals.length === 0) return;
  const { turns, fresh } = task.lane.roamers;
  if (kind === "turn") return void turns.delete(task);
  for (const lane of task.equals) {
    const tasks = fresh.get(lane);
    tasks?.delete(task);
    if (tasks?.size === 0) fresh.delete(lane);
  }
}

export function isNobody({ fresh, turns }: Roamers): boolean {
  return turns.size + fresh.size === 0;
}

/** What one generation on this lane tells of its health, and of what its prompts cost to read. */
export function noteGeneration(
  lane: Lane,
  { task, sample }: { readonly task: TaskEntry | null; readonly sample: GenerationSample },
  now: number,
): void {
  if (FAILED.has(sample.outcome)) lane.sickUntil = now + SICK_MS;
  if (sample.outcome !== "ok") return;
  lane.sickUntil = -Infinity;
  const tokens = figure(sample.promptTokens);
  if (task === null || tokens === 0) return;
  const coldMs = figure(sample.promptMs) || figure(sample.firstTokenMs ?? 0);
  // Nothing of a first prompt is cached but what all have in common.
  if (task.spentMs === 0 && coldMs > 0) {
    const tokenMs = coldMs / tokens;
    lane.readTokenMs =
      lane.readTokenMs === 0 ? tokenMs : lane.readTokenMs + NEWEST * (tokenMs - lane.readTokenMs);
  }
  task.readMs = (tokens + figure(sample.outputTokens)) * lane.readTokenMs;
}
