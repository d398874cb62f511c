// Why a task waits, in words for the person who asks: what it waits for is taken, or what would serve it is not loaded
// and what is there instead.

import { stayMs } from "./affinity.ts";
import type { Ask, Lane, SchedulerState, TaskEntry, TaskGate } from "./state.ts";

/** Contract: the task waits at this gate. */
export function reasonFor(state: SchedulerState, gate: TaskGate, ask: Ask): string {
  const { task } = ask;
  const on = whereIs(task.lane);
  if (gate.kind === "lease" && gate.shut) return notLoaded(task.lane);
  if (gate.kind === "lease") return `${taken(gate, "slot", `${modelOf(task.lane)} on ${on}`)} generating`;
  if (gate.kind === "slot") return `${taken(gate, "child slot", ` of ${parentOf(task)}`)} taken`;
  if (gate.kind === "agent") {
    return `${taken(gate, "place", ` for ${task.agentKey ?? "its agent"} under ${parentOf(task)}`)} taken`;
  }
  const paused = state.paused && ask.kind === "admission";
  return paused ? "the box is paused" : `${taken(gate, "place", `${modelOf(task.lane)} on ${on}`)} taken`;
}

/** `2 of 2 slots on gpu0 are`. */
function taken(gate: TaskGate, unit: string, where: string): string {
  const units = gate.limit === 1 ? unit : `${unit}s`;
  return `${gate.held} of ${gate.limit} ${units}${where} ${gate.held === 1 ? "is" : "are"}`;
}

function parentOf(task: TaskEntry): string {
  return task.parentId ?? "the box";
}

/** Slots and places are counted for each model that is loaded by itself. */
function modelOf({ profile }: Lane): string {
  return profile === "" ? "" : ` for ${profile}`;
}

function whereIs({ backend }: Lane): string {
  return backend.caps.gpu ?? backend.caps.backend;
}

/** `qwen3:8b@4096 is not loaded on gpu0: llama3:8b@4096 is, with 2 generations in flight`. */
function notLoaded(lane: Lane): string {
  const { profile, backend, residence } = lane;
  const on = whereIs(lane);
  if (residence?.state === "loading") return `${profile} is being loaded on ${on}`;
  if (residence?.state === "unloading") return `${profile} is being unloaded on ${on}`;
  if (residence !== null && residence.failures > 0 && residence.state === "absent") {
    const tries = residence.failures === 1 ? "a try" : `${residence.failures} tries`;
    return `${profile} could not be loaded on ${on} in ${tries}; it is tried again`;
  }
  if (residence?.state === "draining") {
    const by = backend.housing.making?.lane.profile;
    return `${profile} is draining on ${on}${by === undefined ? "" : ` for ${by}`}, with ${inFlight(lane)}`;
  }
  const others = [...backend.lanes.values()].flatMap((other) => {
    const is = other === lane ? null : presence(other);
    return is === null ? [] : [`${other.profile} ${is}`];
  });
  const instead = others.length > 0 ? `: ${others.join(", ")}` : "";
  return `${profile} is not loaded on ${on}${instead}`;
}

function inFlight({ leases }: Lane): string {
  return `${leases.held} ${leases.held === 1 ? "generation" : "generations"} in flight`;
}

/** What a person waits for who had turns stopped there before. */
function untilRedone({ stopped }: Lane): string {
  if (stopped.size === 0) return "";
  const turns = stopped.size === 1 ? "a turn that was" : `${stopped.size} turns that were`;
  return ` and ${stayMs(stopped) / 1_000} s for ${turns} stopped before`;
}

/** What is there of a profile instead of the one that somebody waits for; `null` for one that is not. */
function presence(lane: Lane): string | null {
  switch (lane.residence?.state) {
    case "resident":
      return lane.leases.held === 0 ? "is" : `is, with ${inFlight(lane)}${untilRedone(lane)}`;
    case "draining":
      return `is draining, with ${inFlight(lane)}`;
    case "loading":
      return "is being loaded";
    case "unloading":
      return "is being unloaded";
    default:
      return null;
  }
}
