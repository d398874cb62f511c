// What a recording says of its tasks at one of its events: the dashboard's fold of the events up to it, over the tasks' last
// views. It adds to that fold only the words that a terminal shows, and changes nothing of the recording.

import type { Item } from "../../../web/model/item.js";
import { forestAt } from "../../../web/model/forest.js";
import type { TaskView, TreeNode } from "../../core/api.ts";
import type { StoredEvent } from "../../core/event.ts";
import { NO_USAGE, type Usage } from "../../core/limits.ts";
import { toWire, type Wire } from "../../core/wire.ts";
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

export class RecordedTasks {
  readonly #recording: Recording;
  /** As the fold takes them; made once, since a recording has many moments. */
  #events: readonly Wire<StoredEvent>[] | null = null;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /**
   * The tasks after the first `count` events; those that nothing had happened to yet are left out. A task without any event
   * in the recording (what is kept of events is bounded) is as its view says.
   */
  at(count: number): PastTasks {
    const { tasks, events } = this.#recording;
    this.#events ??= toWire(events);
    const known = new Set(events.map(({ taskId }) => taskId));
    const { items } = forestAt(this.#events, count > 0 ? (events[count - 1]?.cursor ?? Infinity) : -1);
    const told = lastWords(events.slice(0, count));
    const isLast = count >= events.length;
    const found = new Map<string, PastTask>();
    for (const view of tasks) {
      const item = items.get(view.taskId);
      if (item === undefined && known.has(view.taskId)) continue;
      const past = isLast || item === undefined ? view : pastView(view, item);
      found.set(view.taskId, { view: past, last: told.get(view.taskId) ?? null, children: [] });
    }
    const below = Map.groupBy([...found.values()], ({ view }) => view.parentId);
    for (const [taskId, past] of found) {
      const children = (below.get(taskId) ?? []).map(({ view }) => view.taskId);
      found.set(taskId, { ...past, view: { ...past.view, children }, children });
    }
    return found;
  }
}

/** What was told last of each task, for those of which anything was. */
function lastWords(events: readonly StoredEvent[]): ReadonlyMap<string, string> {
  const told = new Map<string, string>();
  for (const event of events) {
    const text = eventText(event);
    if (text !== null) told.set(event.taskId, text);
  }
  return told;
}

function pastView(view: TaskView, item: Item): TaskView {
  const usage = usageOf(item);
  const upTo = (at: number | null): number | null => (at !== null && at <= item.heardAt ? at : null);
  return {
    ...view,
    model: item.provider === "" ? view.model : { ...view.model, provider: item.provider, model: item.model },
    state: item.state,
    phase: item.phase,
    run: item.run,
    turn: item.turn,
    lastEvent: item.seq,
    usage,
    progress: item.progress,
    spending: { ...view.spending, subtree: usage },
    steers: view.steers.filter((steer) => steer.time <= item.heardAt),
    failure: upTo(view.finishedAt) === null ? null : view.failure,
    queuePosition: null,
    waitsFor: null,
    startedAt: upTo(view.startedAt),
    finishedAt: upTo(view.finishedAt),
    releasedAt: upTo(view.releasedAt),
  };
}

function usageOf({ promptTokens, outputTokens, generations, toolCalls }: Item): Usage {
  return { ...NO_USAGE, promptTokens, outputTokens, generations, toolCalls };
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
