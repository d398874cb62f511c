// Which waiting child goes on on another lane that could serve it as well, so that no backend is idle while an equal one
// has a queue. It decides between lanes only; how one goes is move.ts's.
//
// E1. Only who waits goes (S2), and only to where it gets at once what it waits for: nobody waits there (S4), and those
//     who are at work there leave a slot. Or to where its model can be loaded with nobody else's in the way.
// E2. It goes once it has waited there as long as going costs: its prompt read anew where it has run before, and its
//     model loaded. So a new child goes at once, one with a warm cache seldom, and no more is lost by going than by
//     waiting; back it goes by the same rule, and never twice in one moment.
// E3. Among parents the child of the one that has had least goes, over all lanes that would serve it alike (F3).
// E4. Nobody goes to where a generation has failed lately, or a load, nor to a server that is known to be away.

import { isBefore } from "./heap.ts";
import { accountOf, type Step } from "./flow.ts";
import { transfer } from "./move.ts";
import { fit, swapMs } from "./residence.ts";
import { isNobody } from "./roamers.ts";
import type { Ask, Lane, TaskEntry } from "./state.ts";

/** What it takes to go to a lane, and from when on somebody may. */
interface Entry {
  readonly costMs: number;
  readonly from: number;
}

/** One look over all who might go; who went in this command goes no further. */
interface Look {
  readonly step: Step;
  readonly went: Set<TaskEntry>;
  readonly touched: Lane[];
  /** When time alone may next let somebody go. */
  wakeAt: number;
}

/** Lets everybody go who may go now. Returns the lanes that somebody left or came to; `went` is this command's. */
export function spread(step: Step, went: Set<TaskEntry>): readonly Lane[] {
  const { state } = step;
  if (state.roaming.size === 0 && state.roamAt === Infinity) return NOBODY;
  const look: Look = { step, went, touched: [], wakeAt: Infinity };
  for (const lane of state.roaming) {
    if (!state.paused) sendNewcomers(look, lane);
    sendTurns(look, lane);
    if (isNobody(lane.roamers)) state.roaming.delete(lane);
  }
  state.roamAt = look.wakeAt;
  return look.touched;
}

const NOBODY: readonly Lane[] = [];

/** New children that wait for a place: all of a parent's are alike, and their prompts are in nobody's cache. */
function sendNewcomers(look: Look, lane: Lane): void {
  const { now } = look.step;
  const byCost = [...lane.roamers.fresh.keys()].toSorted((a, b) => costOf(a) - costOf(b));
  for (const to of byCost) {
    for (;;) {
      const tasks = lane.roamers.fresh.get(to);
      const entry = entryFor(to, "admission", now);
      const [first] = tasks ?? [];
      if (tasks === undefined || first === undefined || entry === null) break;
      const at = dueAt(first, entry);
      if (at > now) {
        look.wakeAt = Math.min(look.wakeAt, at);
        break;
      }
      const next = fairest(lane, tasks, look.went);
      if (next === null) break;
      go(look, next, to);
    }
  }
}

/** Turns: of those that may go the one whose prompt is read soonest. */
function sendTurns(look: Look, lane: Lane): void {
  const { now } = look.step;
  const tasks = [...lane.roamers.turns].toSorted((a, b) => a.readMs - b.readMs);
  for (const task of tasks) {
    if (look.went.has(task)) continue;
    let best: { readonly to: Lane; readonly at: number } | null = null;
    for (const to of task.equals) {
      const entry = to === lane ? null : entryFor(to, "turn", now);
      const at = entry === null ? Infinity : dueAt(task, entry);
      if (at < (best?.at ?? Infinity)) best = { to, at };
    }
    if (best === null) continue;
    if (best.at <= now) go(look, task, best.to);
    else look.wakeAt = Math.min(look.wakeAt, best.at);
  }
}

function go({ step, went, touched }: Look, task: TaskEntry, to: Lane): void {
  const from = task.lane;
  went.add(task);
  const { backend, profile } = to;
  const signal = { type: "moved", taskId: task.taskId, backend: backend.caps.backend, profile } as const;
  step.effects.push({ signal, task });
  transfer(step, task, { to, askedAt: task.ask?.askedAt ?? step.now });
  touched.push(from, to);
}

/** Keeps E2. */
function dueAt({ ask, lane, readMs }: TaskEntry, { costMs, from }: Entry): number {
  const isCached = lane.residence === null || isLoaded(lane);
  return Math.max(from, (ask?.here ?? Infinity) + costMs + (isCached ? readMs : 0));
}

/** What it takes to begin there; `null` where it would wait again, or nobody should come (E1, E4). */
function entryFor(to: Lane, kind: Ask["kind"], now: number): Entry | null {
  const { backend, places, leases, between, turns, residence } = to;
  if (backend.away) return null;
  if (!places.hasRoom || places.queue.size > 0 || residence?.passing === true) return null;
  // Who runs a tool there will be back.
  const expected = leases.held + between.size + turns.size;
  if (kind === "turn" && expected >= leases.limit) return null;
  if (residence === null || residence.state === "resident") {
    return leases.shut ? null : { costMs: 0, from: to.sickUntil };
  }
  const isComing = residence.state === "loading" || (residence.state === "absent" && canLoad(to, now));
  if (!isComing) return null;
  return {
    costMs: costOf(to),
    from: Math.max(to.sickUntil, now < residence.retryAt ? residence.retryAt : now),
  };
}

function costOf(to: Lane): number {
  return to.residence === null || to.residence.state === "resident" ? 0 : swapMs(to);
}

/** Whether nobody else's work is in the way of loading it. */
function canLoad(to: Lane, now: number): boolean {
  const others = [...to.backend.lanes.values()].filter((each) => each !== to && each.residence !== null);
  const isMoving = others.some(
    ({ residence }) => residence?.state !== "absent" && residence?.state !== "resident",
  );
  if (isMoving) return false;
  const residents = others.filter((each) => isLoaded(each));
  return fit(to.backend, [...residents, to], now) === true || others.every((each) => isQuiet(each));
}

function isQuiet({ leases, turns, between, places }: Lane): boolean {
  return leases.held + turns.size + between.size + places.held === 0;
}

function isLoaded({ residence }: Lane): boolean {
  return residence?.state === "resident" || residence?.state === "draining";
}

/** Keeps E3: higher classes first, then what parents have had, then the order of asking; `null` when all have gone. */
function fairest(lane: Lane, tasks: ReadonlySet<TaskEntry>, went: ReadonlySet<TaskEntry>): TaskEntry | null {
  const mayGo = ({ task }: Ask): boolean => tasks.has(task) && !went.has(task);
  const heads = [...lane.places.queue.heads()].filter(mayGo);
  const asks = heads.length > 0 ? heads : Array.from(tasks, ({ ask }) => ask).filter((ask) => ask !== null);
  let best: Ask | null = null;
  for (const ask of asks) if (mayGo(ask) && (best === null || isFairer(ask, best))) best = ask;
  return best?.task ?? null;
}

function isFairer(ask: Ask, other: Ask): boolean {
  if (ask.level !== other.level) return ask.level < other.level;
  const [had, otherHad] = [hadEverywhere(ask.task), hadEverywhere(other.task)];
  return had === otherHad ? isBefore(ask, other) : had < otherHad;
}

function hadEverywhere(task: TaskEntry): number {
  return task.equals.reduce((sum, { shares }) => sum + shares.of(accountOf(task)), 0);
}
