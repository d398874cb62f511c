// The API as one caller has it: asks whether the caller may, then does it. Keeps A2 of core/api.ts: a caller bound to
// a task sees that task and its descendants, and everything else does not exist for it.

import { InvalidRequestError, NotFoundError } from "../base/errors.ts";
import { newId, type Random } from "../base/ids.ts";
import type {
  Caller,
  CancelReceipt,
  CancelRequest,
  CollectRequest,
  DelegateRequest,
  EventsQuery,
  HistoryQuery,
  ListQuery,
  Page,
  Scope,
  SessionMessage,
  SessionRequest,
  SteerReceipt,
  SteerRequest,
  TaskHandle,
  TaskResult,
  TaskView,
  TranscriptQuery,
  TreeNode,
  TroupeApi,
} from "../core/api.ts";
import type { BoxApi } from "../core/box-api.ts";
import type { EventFrame, StoredEvent } from "../core/event.ts";
import type { TranscriptRow } from "../core/message.ts";
import type { Answer } from "../core/question.ts";
import type { Store } from "../store/store.ts";
import type { EventStreams, Sight } from "./event-stream.ts";
import { answerMail } from "./answering.ts";
import { senderOf } from "./mail.ts";
import type { Reading } from "./reading.ts";
import { notASession, type Sessions } from "./sessions.ts";
import type { Tasks } from "./tasks.ts";

/** Events of a page, where nobody says. */
const HISTORY_PAGE = 500;

export interface BoundApiOptions {
  readonly caller: Caller;
  readonly tasks: Tasks;
  readonly sessions: Sessions;
  readonly reading: Reading;
  readonly box: BoxApi;
  readonly store: Store;
  readonly streams: EventStreams;
  readonly random: Random;
}

export class BoundApi implements TroupeApi {
  readonly #caller: Caller;
  readonly #options: BoundApiOptions;

  constructor(options: BoundApiOptions) {
    this.#options = options;
    this.#caller = options.caller;
  }

  async delegate(request: DelegateRequest): Promise<TaskHandle> {
    return (await this.delegateBatch([request]))[0] as TaskHandle;
  }

  async delegateBatch(requests: readonly DelegateRequest[]): Promise<readonly TaskHandle[]> {
    this.#need("control");
    for (const { parentId } of requests) if (parentId !== undefined) await this.#reach(parentId);
    return this.#options.tasks.delegateBatch(requests, this.#caller);
  }

  async check(taskId: string): Promise<TaskView> {
    this.#need("read");
    await this.#reach(taskId);
    return this.#options.reading.view(taskId);
  }

  async list(query: ListQuery = {}): Promise<Page<TaskView>> {
    this.#need("read");
    const { taskId } = this.#caller;
    if (taskId === null) return this.#options.reading.list(query);
    // A task lists its own children; a deeper look names a parent in its subtree.
    const parentId = query.parentId ?? taskId;
    await this.#reach(parentId);
    return this.#options.reading.list({ ...query, parentId });
  }

  async steer(taskId: string, request: SteerRequest): Promise<SteerReceipt> {
    this.#need("control");
    await this.#reach(taskId);
    return this.#options.tasks.send(taskId, {
      kind: "steer",
      id: request.steerId ?? newId("steer", this.#options.random),
      from: senderOf(this.#caller),
      text: request.message,
      interrupt: request.interrupt ?? false,
    });
  }

  async collect(taskId: string, request: CollectRequest = {}): Promise<TaskResult> {
    this.#need("read");
    await this.#reach(taskId);
    return this.#options.tasks.collect(taskId, request);
  }

  async cancel(taskId: string, request: CancelRequest = {}): Promise<CancelReceipt> {
    this.#need("control");
    await this.#reach(taskId);
    return this.#options.tasks.cancel(taskId, request, senderOf(this.#caller));
  }

  async tree(rootId?: string): Promise<readonly TreeNode[]> {
    this.#need("read");
    const root = rootId ?? this.#caller.taskId ?? undefined;
    if (root !== undefined) await this.#reach(root);
    return this.#options.reading.tree(root);
  }

  async *events(query: EventsQuery = {}): AsyncGenerator<EventFrame> {
    this.#need("read");
    await this.#checkCursor(query.after);
    if (query.taskId !== undefined) await this.#reach(query.taskId);
    const bound = this.#caller.taskId;
    const { streams, tasks } = this.#options;
    if (bound === null || query.taskId !== undefined) return yield* streams.watch(query);
    const { rootId } = (await tasks.record(bound)).spec;
    yield* streams.watch({ rootId, ...query }, this.#sight(bound));
  }

  async history(query: HistoryQuery = {}): Promise<Page<StoredEvent>> {
    this.#need("read");
    await this.#checkCursor(query.after);
    for (const id of [query.taskId, query.rootId]) if (id !== undefined) await this.#reach(id);
    const { store, tasks } = this.#options;
    const bound = this.#caller.taskId;
    const own = bound === null ? {} : { rootId: (await tasks.record(bound)).spec.rootId };
    const sees = bound === null ? null : this.#sight(bound);
    const { limit = HISTORY_PAGE } = query;
    const events = await store.events({ ...own, ...query, after: query.after ?? 0, limit });
    const items: StoredEvent[] = [];
    for (const event of events) if (sees === null || (await sees(event.taskId))) items.push(event);
    return { items, nextCursor: events.length < limit ? null : String(events.at(-1)?.cursor) };
  }

  async transcript(taskId: string, query: TranscriptQuery = {}): Promise<Page<TranscriptRow>> {
    this.#need("read");
    await this.#reach(taskId);
    const limit = query.limit ?? 200;
    const items = await this.#options.store.transcript(taskId, { after: query.after ?? 0, limit });
    return { items, nextCursor: items.length < limit ? null : String(items.at(-1)?.index ?? 0) };
  }

  async createSession(request: SessionRequest = {}): Promise<TaskView> {
    this.#need("control");
    const record = await this.#options.tasks.createSession(request, this.#caller);
    return this.#options.reading.view(record.spec.id);
  }

  async sendMessage(sessionId: string, message: SessionMessage): Promise<SteerReceipt> {
    this.#need("control");
    await this.#reach(sessionId);
    const { tasks, random } = this.#options;
    if ((await tasks.record(sessionId)).spec.kind !== "session") throw notASession(sessionId);
    const id = message.messageId ?? newId("msg", random);
    return tasks.send(sessionId, { kind: "message", id, from: senderOf(this.#caller), text: message.text });
  }

  async stopSession(sessionId: string): Promise<CancelReceipt> {
    this.#need("control");
    await this.#reach(sessionId);
    return this.#options.sessions.stop(sessionId, senderOf(this.#caller));
  }

  async closeSession(sessionId: string): Promise<CancelReceipt> {
    this.#need("control");
    await this.#reach(sessionId);
    return this.#options.sessions.close(sessionId);
  }

  async answer(taskId: string, answer: Answer): Promise<SteerReceipt> {
    this.#need("control");
    await this.#reach(taskId);
    const { tasks } = this.#options;
    return tasks.send(taskId, await answerMail(taskId, answer, this.#options));
  }

  async reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void> {
    this.#need("control");
    await this.#reach(taskId);
    await this.#options.reading.reportProgress(taskId, progress);
  }

  async gpus(): ReturnType<BoxApi["gpus"]> {
    this.#need("read");
    return this.#options.box.gpus();
  }

  async providers(): ReturnType<BoxApi["providers"]> {
    this.#need("read");
    return this.#options.box.providers();
  }

  async machine(name: string): ReturnType<BoxApi["machine"]> {
    this.#need("read");
    return this.#options.box.machine(name);
  }

  async pause(paused: boolean): ReturnType<BoxApi["pause"]> {
    this.#need("admin");
    return this.#options.box.pause(paused);
  }

  async switchKey(fingerprint: string, disabled: boolean): ReturnType<BoxApi["switchKey"]> {
    this.#need("admin");
    return this.#options.box.switchKey(fingerprint, disabled);
  }

  async status(): ReturnType<BoxApi["status"]> {
    this.#need("read");
    return this.#options.box.status();
  }

  #need(scope: Scope): void {
    if (this.#caller.scopes.includes(scope)) return;
    throw new InvalidRequestError(
      "insufficient_scope",
      `This call needs the scope "${scope}", which ${this.#caller.name} does not have.`,
      {
        details: { scope },
      },
    );
  }

  /** Throws NotFoundError unless the task is the caller's own or below it. */
  async #reach(taskId: string): Promise<void> {
    await this.#options.tasks.record(taskId);
    const bound = this.#caller.taskId;
    if (bound === null || (await this.#isBelow(taskId, bound))) return;
    throw new NotFoundError(
      "task_not_found",
      `There is no task ${taskId} among those that this agent delegated. Call list_tasks.`,
      {
        details: { task_id: taskId },
      },
    );
  }

  async #isBelow(taskId: string, bound: string): Promise<boolean> {
    let id: string | null = taskId;
    while (id !== null && id !== bound) id = (await this.#options.tasks.record(id)).spec.parentId;
    return id === bound;
  }

  /** Which tasks of its tree a caller sees; looked up once for each. */
  #sight(bound: string): Sight {
    const known = new Map<string, Promise<boolean>>();
    return (taskId) => {
      const sees = known.get(taskId) ?? this.#isBelow(taskId, bound);
      known.set(taskId, sees);
      return sees;
    };
  }

  async #checkCursor(after: number | undefined): Promise<void> {
    if (after === undefined) return;
    const { newest } = await this.#options.store.bounds();
    if (after <= newest) return;
    throw new InvalidRequestError(
      "unknown_cursor",
      `Expected a cursor up to ${newest} and got ${after}: it belongs to another server, or to one that was started again. Begin without it.`,
    );
  }
}
