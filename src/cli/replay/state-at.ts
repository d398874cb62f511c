// What a recording says of its tasks at one of its events: a fold of the events up to it over the tasks' last views. Pure.

import type { TaskView, TreeNode } from "../../core/api.ts";
import type { EventData, StoredEvent } from "../../core/event.ts";
import { addUsage, NO_USAGE, type Usage } from "../../core/limits.ts";
import type { Progress } from "../../core/task.ts";
import { eventText } from "../task-lines.ts";
import type { Recording } from "./recording.ts";

/** A task at a moment of the past. */
export interface PastTask {
  readonly view: TaskView;
  /** The last thing that happened to it, in words. */
  readonly last: string | null;
  readonly children: readonly string[];
}

export type PastTasks = ReadonlyMap<string, PastTask>;

interface Folded {
  last: StoredEvent | null;
  told: string | null;
  model: string | null;
  progress: Progress | null;
  usage: Usage;
}

/**
 * The tasks after the first `count` events; those that nothing had happened to yet are left out. A task without any event
 * in the recording (what is kept of events is bounded) is as its view says.
 */
export function tasksAt(recording: Recording, count: number): PastTasks {
  const { tasks, events } = recording;
  const known = new Set(events.map(({ taskId }) => taskId));
  const folds = new Map<string, Folded>();
  for (const event of events.slice(0, count)) {
    const fold = folds.get(event.taskId) ?? {
      last: null,
      told: null,
      model: null,
      progress: null,
      usage: NO_USAGE,
    };
    folds.set(event.taskId, taken(fold, event));
  }
  const isLast = count >= events.length;
  const found = new Map<string, PastTask>();
  for (const view of tasks) {
    const fold = folds.get(view.taskId);
    if (fold === undefined && known.has(view.taskId)) continue;
    const past = isLast || fold === undefined ? view : pastView(view, fold);
    found.set(view.taskId, { view: past, last: fold?.told ?? null, children: [] });
  }
  const below = Map.groupBy([...found.values()], ({ view }) => view.parentId);
  for (const [taskId, past] of found) {
    const children = (below.get(taskId) ?? []).map(({ view }) => view.taskId);
    found.set(taskId, { ...past, view: { ...past.view, children }, children });
  }
  return found;
}

function taken(fold: Folded, event: StoredEvent): Folded {
  fold.last = event;
  fold.told = eventText(event) ?? fold.told;
  switch (event.type) {
    case "task.rerouted":
      fold.model = (event.data as EventData["task.rerouted"]).to;
      break;
    case "task.progressed":
      fold.progress = { ...(event.data as EventData["task.progressed"]), time: event.time };
      break;
    case "turn.finished": {
      const { promptTokens, outputTokens } = event.data as EventData["turn.finished"];
      fold.usage = addUsage(fold.usage, { promptTokens, outputTokens, generations: 1 });
      break;
    }
    case "tool.finished":
      fold.usage = addUsage(fold.usage, { toolCalls: 1 });
      break;
  }
  return fold;
}

function pastView(view: TaskView, { last, model, progress, usage }: Folded): TaskView {
  if (last === null) return view;
  const { time } = last;
  const upTo = (at: number | null): number | null => (at !== null && at <= time ? at : null);
  const slash = model?.indexOf("/") ?? -1;
  return {
    ...view,
    model:
      model === null
        ? view.model
        : { ...view.model, provider: model.slice(0, slash), model: model.slice(slash + 1) },
    state: last.state,
    phase: last.phase,
    run: last.run,
    turn: last.turn,
    lastEvent: last.seq,
    usage,
    progress,
    spending: { ...view.spending, subtree: usage },
    steers: view.steers.filter((steer) => steer.time <= time),
    failure: upTo(view.finishedAt) === null ? null : view.failure,
    queuePosition: null,
    waitsFor: null,
    startedAt: upTo(view.startedAt),
    finishedAt: upTo(view.finishedAt),
    releasedAt: upTo(view.releasedAt),
  };
}

/** The trees of these tasks: all, or the one under a task. */
export function treesOf(tasks: PastTasks, rootId?: string): readonly TreeNode[] {
  const grow = ({ view, last, children }: PastTask): TreeNode => ({
    taskId: view.taskId,
    kind: view.kind,
    agent: view.agent,
    goal: view.goal,
    model: view.model.model,
    state: view.state,
    phase: view.phase,
    queuePosition: view.queuePosition,
    waitsFor: view.waitsFor,
    progress: view.progress,
    lastLine: last ?? view.tail.at(-1) ?? null,
    usage: view.usage,
    spending: view.spending,
    createdAt: view.createdAt,
    failure: view.failure,
    startedAt: view.startedAt,
    finishedAt: view.finishedAt,
    lastEvent: view.lastEvent,
    children: children.flatMap((id) => tasks.get(id) ?? []).map(grow),
  });
  const isRoot = ({ view }: PastTask): boolean =>
    rootId === undefined ? view.parentId === null || !tasks.has(view.parentId) : view.taskId === rootId;
  return [...tasks.values()].filter(isRoot).map(grow);
}
