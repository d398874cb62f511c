// Puts a recording together from a running Troupe: views, events, transcripts and the machines that the tasks went
// through. Secrets were taken out before any of it was stored; nothing is taken from files or from the environment.

import { LimitError } from "../../base/errors.ts";
import type { Page, TaskView, TroupeApi } from "../../core/api.ts";
import {
  MOST_EVENTS,
  MOST_ROWS,
  MOST_TASKS,
  RECORDING_FORMAT,
  RECORDING_VERSION,
  type Recording,
} from "./recording.ts";

export interface CollectOptions {
  readonly taskId: string;
  /** With everything below it. */
  readonly whole: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const PAGE = 200;
/** The machine that every task goes through. */
const MACHINE = "agent";

/** Contract: throws NotFoundError for an unknown task, LimitError `recording_too_large`, and what the API throws. */
export async function collectRecording(api: TroupeApi, options: CollectOptions): Promise<Recording> {
  const { taskId, whole, now } = options;
  const root = await api.check(taskId);
  const [status, machine] = await Promise.all([api.status(), api.machine(MACHINE)]);
  const tasks = whole ? await subtreeOf(api, root) : [root];
  const ids = new Set(tasks.map((task) => task.taskId));
  const query = whole ? { rootId: root.rootId } : { taskId };
  const events = await all(
    (after) => api.history({ ...query, limit: PAGE, ...after }),
    MOST_EVENTS,
    "events",
  );
  const transcripts: Recording["transcripts"][number][] = [];
  for (const { taskId: id } of tasks) {
    const left = MOST_ROWS - transcripts.length;
    const rows = await all((after) => api.transcript(id, { limit: PAGE, ...after }), left, "messages");
    transcripts.push(...rows);
  }
  return {
    format: RECORDING_FORMAT,
    version: RECORDING_VERSION,
    madeAt: now,
    madeBy: status.version,
    storeId: status.storeId,
    rootId: taskId,
    tasks,
    events: events.filter((event) => ids.has(event.taskId)),
    transcripts,
    machines: [machine],
  };
}

/** The task with everything below it, parents first. */
async function subtreeOf(api: TroupeApi, root: TaskView): Promise<readonly TaskView[]> {
  const views: TaskView[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<TaskView> = await api.list({
      rootId: root.rootId,
      limit: PAGE,
      ...(cursor !== null && { cursor }),
    });
    views.push(...page.items);
    cursor = page.items.length === 0 ? null : page.nextCursor;
    if (views.length > MOST_TASKS) throw tooLarge(MOST_TASKS, "tasks");
  } while (cursor !== null);
  const below = Map.groupBy(views, ({ parentId }) => parentId);
  const found: TaskView[] = [];
  for (let level: readonly TaskView[] = [root]; level.length > 0;) {
    found.push(...level);
    level = level.flatMap(({ taskId }) => below.get(taskId) ?? []);
  }
  return found;
}

/** Every page of what is asked for; `after` is the place of the last item. */
async function all<T>(
  ask: (after: { readonly after?: number }) => Promise<Page<T>>,
  most: number,
  what: string,
): Promise<readonly T[]> {
  const items: T[] = [];
  let next: string | null = null;
  do {
    const page: Page<T> = await ask(next === null ? {} : { after: Number(next) });
    items.push(...page.items);
    next = page.nextCursor;
    if (items.length > most) throw tooLarge(most, what);
  } while (next !== null);
  return items;
}

function tooLarge(most: number, what: string): LimitError {
  return new LimitError(
    "recording_too_large",
    `Expected at most ${most} ${what} for one recording, got more. Export a task further down the tree.`,
    { details: { limit: most } },
  );
}
