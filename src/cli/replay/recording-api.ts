// A recording as a TroupeApi: everything that looks answers from it, as of the event it stands at; everything that would
// act is refused. Nothing of it waits for anything but its reader.
//
// A1. No call changes the recording, starts a task, or reaches beyond it.

import { ConflictError, NotFoundError } from "../../base/errors.ts";
import type {
  CollectRequest,
  EventsQuery,
  HistoryQuery,
  ListQuery,
  Page,
  TaskResult,
  TaskView,
  TranscriptQuery,
  TreeNode,
  TroupeApi,
} from "../../core/api.ts";
import type { BoxStatus, GpuView, MachineView, ProviderView } from "../../core/box-api.ts";
import type { EventFrame, StoredEvent } from "../../core/event.ts";
import { STATES, isTerminal, type State } from "../../core/lifecycle.ts";
import { textOf, type TranscriptRow } from "../../core/message.ts";
import { transcriptLines } from "./transcript-lines.ts";
import type { Recording } from "./recording.ts";
import { RecordedTasks, treesOf, type PastTasks } from "./state-at.ts";

const MOST_PER_PAGE = 200;
const DEFAULT_PAGE = 50;

export class RecordingApi implements TroupeApi {
  readonly recording: Recording;
  /** How many events have happened: all of them at first. */
  #at: number;
  #past: PastTasks | null = null;
  readonly #recorded: RecordedTasks;

  constructor(recording: Recording) {
    this.recording = recording;
    this.#recorded = new RecordedTasks(recording);
    this.#at = recording.events.length;
  }

  get at(): number {
    return this.#at;
  }

  /** Stands there from now on; what is beyond either end is the end. */
  standAt(count: number): void {
    this.#at = Math.max(0, Math.min(this.recording.events.length, count));
    this.#past = null;
  }

  /** The trees as they were then. */
  trees(rootId?: string): readonly TreeNode[] {
    return treesOf(this.#tasks, rootId);
  }

  get #tasks(): PastTasks {
    return (this.#past ??= this.#recorded.at(this.#at));
  }

  async check(taskId: string): Promise<TaskView> {
    const { view } = this.#find(taskId);
    return { ...view, tail: transcriptLines(this.#rows(taskId)) };
  }

  async list(query: ListQuery = {}): Promise<Page<TaskView>> {
    const { state, parentId, rootId, kind, cursor, limit = DEFAULT_PAGE } = query;
    const views = [...this.#tasks.values()]
      .map(({ view }) => view)
      .filter(
        (view) =>
          (state === undefined || view.state === state) &&
          (parentId === undefined || view.parentId === parentId) &&
          (rootId === undefined || view.rootId === rootId) &&
          (kind === undefined || view.kind === kind),
      );
    return pageOf(views, Number(cursor ?? 0), limit);
  }

  async tree(rootId?: string): Promise<readonly TreeNode[]> {
    if (rootId !== undefined) this.#find(rootId);
    return this.trees(rootId);
  }

  async collect(taskId: string, _request?: CollectRequest): Promise<TaskResult> {
    const { state, phase, failure, usage } = this.#find(taskId).view;
    const finished = isTerminal(state);
    const answer = this.#rows(taskId).findLast(({ message }) => message.role === "assistant");
    return {
      taskId,
      finished,
      state,
      phase,
      result: finished && failure === null && answer !== undefined ? textOf(answer.message) : null,
      truncated: false,
      failure,
      usage,
    };
  }

  async history({ after = 0, limit = MOST_PER_PAGE, taskId, rootId }: HistoryQuery = {}): Promise<
    Page<StoredEvent>
  > {
    const events = this.#events({ taskId, rootId }).filter(({ cursor }) => cursor > after);
    const items = events.slice(0, Math.min(limit, MOST_PER_PAGE));
    return { items, nextCursor: items.length < events.length ? String(items.at(-1)?.cursor ?? after) : null };
  }

  /** What happened, then nothing until the reader leaves: what is over has no news. */
  async *events({ after, taskId, rootId, signal }: EventsQuery = {}): AsyncGenerator<EventFrame> {
    if (after !== undefined) {
      for (const event of this.#events({ taskId, rootId }))
        if (event.cursor > after) yield { kind: "event", event };
    }
    await new Promise<void>((resolve) => {
      if (signal?.aborted === true) resolve();
      else signal?.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  async transcript(
    taskId: string,
    { after = 0, limit = DEFAULT_PAGE }: TranscriptQuery = {},
  ): Promise<Page<TranscriptRow>> {
    this.#find(taskId);
    const rows = this.#rows(taskId).filter(({ index }) => index > after);
    const items = rows.slice(0, Math.min(limit, MOST_PER_PAGE));
    return { items, nextCursor: items.length < rows.length ? String(items.at(-1)?.index ?? after) : null };
  }

  async machine(name: string): Promise<MachineView> {
    const machine = this.recording.machines.find((each) => each.name === name);
    if (machine !== undefined) return machine;
    throw new NotFoundError("machine_not_found", `There is no machine ${name} in this recording.`);
  }

  async gpus(): Promise<readonly GpuView[]> {
    return [];
  }

  async providers(): Promise<readonly ProviderView[]> {
    return [];
  }

  async status(): Promise<BoxStatus> {
    const { madeBy, madeAt, storeId, events } = this.recording;
    const tasks = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
    for (const { view } of this.#tasks.values()) tasks[view.state] += 1;
    return {
      version: madeBy,
      boxId: "recording",
      simulated: false,
      paused: false,
      tasks,
      startedAt: madeAt,
      durability: "none",
      storeId,
      newestCursor: events.at(-1)?.cursor ?? 0,
      unsafe: [],
      recordedAt: madeAt,
    };
  }

  // --- What would act (keeps A1).

  readonly delegate = refused;
  readonly delegateBatch = refused;
  readonly steer = refused;
  readonly cancel = refused;
  readonly createSession = refused;
  readonly sendMessage = refused;
  readonly stopSession = refused;
  readonly closeSession = refused;
  readonly answer = refused;
  readonly reportProgress = refused;
  readonly pause = refused;
  readonly switchKey = refused;

  // --- Inside.

  #find(taskId: string) {
    const found = this.#tasks.get(taskId);
    if (found !== undefined) return found;
    throw new NotFoundError("task_not_found", `There is no task ${taskId} in this recording, or not yet.`);
  }

  #events({ taskId, rootId }: { readonly taskId: string | undefined; readonly rootId: string | undefined }) {
    return this.recording.events.filter(
      (event) =>
        (taskId === undefined || event.taskId === taskId) &&
        (rootId === undefined || event.rootId === rootId),
    );
  }

  /** The messages that were there when the task's last event had happened. */
  #rows(taskId: string): readonly TranscriptRow[] {
    const { lastEvent } = this.#find(taskId).view;
    const rows = this.recording.transcripts.filter((row) => row.taskId === taskId && row.seq <= lastEvent);
    return rows.toSorted((a, b) => a.index - b.index);
  }
}

async function refused(): Promise<never> {
  throw new ConflictError(
    "recording",
    "This is a recording: it can be looked at, and nothing else can be done with it.",
  );
}

function pageOf<T>(items: readonly T[], from: number, limit: number): Page<T> {
  const start = Number.isSafeInteger(from) && from > 0 ? from : 0;
  const to = start + Math.min(limit, MOST_PER_PAGE);
  return { items: items.slice(start, to), nextCursor: to < items.length ? String(to) : null };
}
