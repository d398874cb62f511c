// What must hold between any two calls, read from a witness's books against the scheduler's views.

import { agentKey, must, slotKey, type Witness } from "./witness.ts";

/** Children of each parent that hold one of its slots, and tasks of each agent that count against its cap. */
export type Held = ReadonlyMap<string, number>;

type Stage = "agent" | "slot" | "place";

/** Throws with the number of the invariant that is broken; returns what parents hold, for the next step. */
export function audit(witness: Witness, paused: boolean, before: Held): Held {
  for (const backend of witness.caps.keys()) {
    auditLeases(witness, backend);
    auditPlaces(witness, backend, paused);
    witness.checkPatience(backend);
  }
  auditCounts(witness);
  return auditParents(witness, before);
}

function auditLeases(witness: Witness, backend: string): void {
  const tasks = witness.of(backend);
  const { slots } = witness.caps.get(backend) ?? { slots: 0 };
  const ready = tasks.filter(
    ({ turn, request, hasPlace }) => turn !== null && (hasPlace || !request.needsPlace),
  );
  const leases = tasks.filter(({ lease }) => lease !== null);
  must(ready.length === 0 || leases.length >= slots, "S6: a ready turn beside a free lease");
  must(
    leases.every(({ turn, hasPlace, request }) => turn === null && (hasPlace || !request.needsPlace)),
    "S2: a waiting or parked task holds a lease",
  );
  const lane = witness.scheduler.lanes().find((view) => view.backend === backend);
  const shown = new Set(lane?.leases.map(({ leaseId }) => leaseId));
  must(
    shown.size === leases.length && leases.every(({ lease }) => lease !== null && shown.has(lease.leaseId)),
    "S3: the lane shows other leases than were granted and not released",
  );
}

function auditPlaces(witness: Witness, backend: string, paused: boolean): void {
  const { maxChildren } = witness.caps.get(backend) ?? { maxChildren: 0 };
  const lane = witness.scheduler.lanes().find((view) => view.backend === backend);
  const places = lane?.places.length ?? 0;
  must(
    places === witness.of(backend).filter(({ hasPlace }) => hasPlace).length,
    "places held are those of live tasks that are not parked",
  );
  for (const { request, turn, admitted, hasPlace } of witness.of(backend)) {
    const returns = admitted && turn !== null && request.needsPlace && !hasPlace;
    const arrives = !admitted && !paused && stageOf(witness, request.taskId) === "place";
    must(!arrives || request.needsPlace, "a task that needs no place waits for one");
    must(!(returns || arrives) || places >= maxChildren, "S6: somebody waits beside a free place");
  }
}

function auditCounts(witness: Witness): void {
  const counts = witness.scheduler.counts();
  const tasks = witness.of();
  const waiting = tasks.filter(({ turn, admitted }) => turn !== null || !admitted);
  must(counts.waiting === waiting.length, "counts everybody who waits");
  must(counts.leases === tasks.filter(({ lease }) => lease !== null).length, "counts leases");
  for (const { request, turn, admitted } of tasks) {
    const place = witness.scheduler.placeOf(request.taskId);
    must(
      (place !== null) === (turn !== null || !admitted),
      "a position for those who wait, and for them only",
    );
    must(place === null || (place.position >= 1 && place.position <= place.length), "a position in its line");
  }
}

function auditParents(witness: Witness, before: Held): Held {
  const held = new Map<string, number>();
  const add = (key: string): void => void held.set(key, (held.get(key) ?? 0) + 1);
  for (const { request, admitted } of witness.of()) {
    const stage = admitted ? null : stageOf(witness, request.taskId);
    if (request.parentId !== null && (stage === null || stage === "place")) add(slotKey(request));
    if (request.agentLimit !== undefined && stage !== "agent") add(agentKey(request));
  }
  const slots = [...held].filter(([key]) => key.startsWith("child slot")).map(([, count]) => count);
  must(
    witness.scheduler.counts().slots === slots.reduce((sum, count) => sum + count, 0),
    "counts the child slots that are held",
  );
  for (const [key, count] of held) {
    const limit = witness.newest.get(key) ?? 0;
    must(count <= Math.max(limit, before.get(key) ?? 0), `S1: ${count} of ${limit} for ${key}`);
  }
  for (const { request, admitted } of witness.of()) {
    const stage = admitted ? null : stageOf(witness, request.taskId);
    const key = stage === "slot" ? slotKey(request) : agentKey(request);
    const waits = stage === "slot" || stage === "agent";
    must(
      !waits || (held.get(key) ?? 0) >= (witness.newest.get(key) ?? 0),
      `S6: a task waits beside a free ${key}`,
    );
  }
  return held;
}

function stageOf(witness: Witness, taskId: string): Stage {
  const reason = witness.scheduler.placeOf(taskId)?.reason ?? "";
  if (reason.includes("child slot")) return "slot";
  return reason.includes(" under ") ? "agent" : "place";
}
