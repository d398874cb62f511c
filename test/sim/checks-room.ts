// What must hold of the room that a box has: caps, slots that are conserved, nobody who waits beside room that is free,
// and nobody who is overtaken.

import type { LaneView } from "../../src/core/box-api.ts";
import type { Book } from "./book.ts";
import type { Check, StepView } from "./check.ts";
import { DEEPEST } from "./plan.ts";

/** `2 of 2 slots on gpu0 are generating`: how many are held, and how many there are. */
const HELD = /^(\d+) of (\d+) /;

/** The lane as the last step left it. */
function laneBefore({ backend, profile }: LaneView, { lanes }: Book): LaneView | undefined {
  return lanes.find((each) => each.backend === backend && each.profile === profile);
}

function overCap(lanes: readonly LaneView[], book: Book): string | null {
  for (const lane of lanes) {
    const before = laneBefore(lane, book);
    const slots = Math.max(lane.slots, before?.leases.length ?? 0);
    const places = Math.max(lane.maxChildren, before?.places.length ?? 0);
    if (lane.leases.length > slots) return `${lane.leases.length} leases for ${lane.slots} slots`;
    if (lane.places.length > places) return `${lane.places.length} places taken of ${lane.maxChildren}`;
  }
  return null;
}

function tooManyInFlight({ lanes, inFlight }: StepView, book: Book): string | null {
  for (const [backend, count] of inFlight) {
    const slots = lanes
      .filter((lane) => lane.backend === backend)
      .map((lane) => Math.max(lane.slots, laneBefore(lane, book)?.leases.length ?? 0))
      .reduce((sum, each) => sum + each, 0);
    if (count - book.leftBehind > slots)
      return `${count} generations in flight on ${slots} slots of ${backend}`;
  }
  return null;
}

function overChildSlots(book: Book): string | null {
  const held = new Map<string, number>();
  for (const [taskId, side] of book.sides) {
    // Who was at work or waited when the server died holds its slot without being admitted anew.
    const task = book.task(taskId);
    if (!task || task.end || task.spec.parentId === null) continue;
    // What only ends now, because it was on its way to its end or is to fail, comes back for nothing else.
    const isOver = book.diary.page(taskId).isEnding || task.spec.limits.onRestart === "fail";
    if (!side.admitted && (side.interrupted === "no" || isOver)) continue;
    held.set(task.spec.parentId, (held.get(task.spec.parentId) ?? 0) + 1);
  }
  for (const [parentId, count] of held) {
    // Those who were at work when the server stopped come back, however few may now.
    const most = Math.max(book.caps.childSlots, book.returning.get(parentId) ?? 0);
    if (count > most)
      return `${parentId} has ${count} children at work, and ${book.caps.childSlots} child slots`;
  }
  return null;
}

function holdersOf(lanes: readonly LaneView[], book: Book): string | null {
  for (const lane of lanes) {
    const places = new Set(lane.places);
    for (const { taskId } of lane.leases) {
      const task = book.task(taskId);
      if (!task || book.side(taskId).endHeard) return `${taskId} has ended, and holds a lease`;
      if (task.spec.kind === "task" && !places.has(taskId)) return `${taskId} holds a lease and no place`;
      if (lane.waiting.some((each) => each.taskId === taskId)) return `${taskId} holds a lease and waits`;
    }
    for (const taskId of lane.places) {
      if (book.side(taskId).endHeard) return `${taskId} has ended, and holds a place`;
    }
  }
  return null;
}

function idleRoom(lanes: readonly LaneView[]): string | null {
  for (const { waiting } of lanes) {
    for (const { taskId, reason } of waiting) {
      const [, held, limit] = HELD.exec(reason) ?? [];
      if (held !== undefined && Number(held) < Number(limit)) return `${taskId} waits, though ${reason}`;
    }
  }
  return null;
}

/** Within one parent and class, whoever waits for a place is let in in order. */
function overtaken(lanes: readonly LaneView[], book: Book): string | null {
  for (const lane of lanes) {
    const before = laneBefore(lane, book);
    if (!before) continue;
    const now = new Map(lane.waiting.map((each) => [each.taskId, each]));
    const places = new Set(lane.places);
    const passed = new Map<string, string>();
    for (const { taskId, class: schedulingClass, wants } of before.waiting) {
      const task = book.task(taskId);
      if (wants !== "place" || !task || task.spec.kind === "session" || book.side(taskId).admitted) continue;
      const line = `${task.spec.parentId} ${schedulingClass}`;
      const still = now.get(taskId);
      if (still?.wants === "place" && still.class === schedulingClass) {
        if (!passed.has(line)) passed.set(line, taskId);
      } else if (places.has(taskId) && passed.has(line)) {
        return `${taskId} got its place before ${passed.get(line)}, which had waited longer`;
      }
    }
  }
  return null;
}

export const ROOM_CHECKS: readonly Check[] = [
  {
    id: "I3",
    name: "caps hold",
    means:
      "Leases never exceed slots, nor places the cap, nor generations in flight the slots; also when it was lowered.",
    step: ({ lanes, inFlight }, book) => {
      const over = overCap(lanes, book);
      if (over) return over;
      return tooManyInFlight({ lanes, inFlight }, book);
    },
  },
  {
    id: "I3",
    name: "child slots hold",
    means: "No parent has more children at work than it has child slots.",
    step: (_, book) => overChildSlots(book),
  },
  {
    id: "I4",
    name: "holders live",
    means: "Whoever holds a lease or a place has not ended; a lease needs a place; nobody holds and waits.",
    step: ({ lanes }, book) => holdersOf(lanes, book),
  },
  {
    id: "I4",
    name: "everything is given back",
    means: "When all is over nothing is held, nobody waits and nothing is in flight.",
    rest: ({ held, inFlight }) => {
      const left = Object.entries(held).filter(([, count]) => count > 0);
      if (left.length > 0) return `still held: ${JSON.stringify(Object.fromEntries(left))}`;
      return inFlight > 0 ? `${inFlight} generations in flight` : null;
    },
  },
  {
    id: "I4",
    name: "every end is followed by its release",
    means: "Of each task that has ended it is known when the last thing that it held was given back.",
    rest: ({ tasks }) => {
      const kept = [...tasks].find(([, { record }]) => record.releasedAt === null);
      return kept ? `${kept[0]} was never released` : null;
    },
  },
  {
    id: "I15",
    name: "no idle room",
    means: "Nobody waits for a slot or a place while one is free: what was accepted starts (S6).",
    step: ({ lanes }) => idleRoom(lanes),
  },
  {
    id: "I16",
    name: "nothing is left behind",
    means: "When all is over no timer of a task is armed.",
    rest: ({ timers }) => (timers > 0 ? `${timers} timers more than a server without work has` : null),
  },
  {
    id: "I17",
    name: "depth is bounded",
    means: "No task lies deeper than max_spawn_depth.",
    on: {
      submitted: ({ spec }) => (spec.depth > DEEPEST ? `${spec.id} lies at depth ${spec.depth}` : null),
    },
  },
  {
    id: "I17",
    name: "turns and runs are bounded",
    means: "A run has no more turns than max_turns, and a task no more runs than retries and restarts allow.",
    on: {
      committed: ({ taskId, write }, book) => {
        const task = book.task(taskId);
        if (!task || write.run === undefined || task.spec.kind === "session") return null;
        const most = 1 + task.spec.limits.retryLimit + book.lives;
        return write.run > most ? `${taskId} begins run ${write.run}, and may have ${most}` : null;
      },
    },
  },
  {
    id: "I23",
    name: "nobody is overtaken",
    means:
      "Of one parent's children in one class, nobody gets a place before an older one that waits for it too.",
    step: ({ lanes }, book) => overtaken(lanes, book),
  },
  {
    id: "I29",
    name: "no deadlock with the least room",
    means: "A world with one slot, one place and one child slot ends like any other.",
    rest: ({ tasks }, { caps }) => {
      if (caps.slots * caps.places * caps.childSlots > 1) return null;
      const open = [...tasks].find(([, { record }]) => !record.end);
      return open ? `${open[0]} has not ended` : null;
    },
  },
];
