// A small real TroupeApi in memory: tasks that a test starts and ends by hand. It keeps the contract of core/api.ts
// (ids, receipts, idempotency, cursors, subtrees) and has no models, machines or scheduler.

import { withSignal } from "../../src/base/abort.ts";
import type { Clock } from "../../src/base/clock.ts";
import { CancelledError, ConflictError, InvalidRequestError, NotFoundError } from "../../src/base/errors.ts";
import { type IdPrefix, newId, type Random, seededRandom } from "../../src/base/ids.ts";
import type {
  CancelReceipt,
  CollectRequest,
  DelegateRequest,
  EventsQuery,
  ListQuery,
  SessionRequest,
  SteerReceipt,
  SteerRequest,
  TranscriptQuery,
  TroupeApi,
} from "../../src/core/api.ts";
import type { EventData, EventType } from "../../src/core/event.ts";
import { type State, STATES } from "../../src/core/lifecycle.ts";
import { CANNED_GPUS, CANNED_PROVIDERS, cannedMachine } from "./canned-box.ts";
import { CannedLog } from "./canned-log.ts";
import {
  addRow,
  type CannedTask,
  ended,
  handleOf,
  nodeOf,
  placeOf,
  resultOf,
  rootOf,
  subtree,
  viewOf,
} from "./canned-task.ts";

export interface CannedApiOptions {
  readonly clock: Clock;
  /** Events kept for readers that come late. */
  readonly keepEvents?: number;
}

export class CannedApi implements TroupeApi {
  readonly log: CannedLog;
  readonly #clock: Clock;
  readonly #random: Random = seededRandom(7);
  readonly #tasks = new Map<string, CannedTask>();
  readonly #keys = new Map<string, { readonly body: string; readonly task: CannedTask }>();
  #change = Promise.withResolvers<void>();
  #paused = false;

  constructor(options: CannedApiOptions) {
    this.#clock = options.clock;
    this.log = new CannedLog(options.keepEvents ?? 10_000);
  }

  // --- What a test does to tasks.

  start(taskId: string): void {
    const task = this.#find(taskId);
    if (task.startedAt !== null) return;
    Object.assign(task, { state: "running", phase: "generating", startedAt: this.#clock.now(), turn: 1 });
    this.#emit(task, "task.started", {});
  }

  finish(taskId: string, result: string): void {
    this.start(taskId);
    const task = this.#find(taskId);
    addRow(task, "assistant", result);
    this.#end(task, { state: "done", result });
    this.#emit(task, "task.done", { resultChars: result.length, truncated: false });
  }

  fail(taskId: string, code: string, message: string): void {
    this.start(taskId);
    const task = this.#find(taskId);
    this.#end(task, { state: "failed", failure: { code, message, retryable: false } });
    this.#emit(task, "task.failed", { code, message });
  }

  // --- TaskApi.

  async delegate(request: DelegateRequest) {
    const found = this.#replay(request.idempotencyKey, request);
    if (found) return handleOf(found, false);
    const task = this.#spawn("task", request);
    return handleOf(task, true);
  }

  async delegateBatch(requests: readonly DelegateRequest[]) {
    for (const request of requests) this.#assertGood(request);
    return Promise.all(requests.map((request) => this.delegate(request)));
  }

  async check(taskId: string) {
    const task = this.#find(taskId);
    return viewOf(task, this.log.lastSeq(taskId));
  }

  async list(query: ListQuery = {}) {
    const all = [...this.#tasks.values()].filter(
      (task) =>
        (query.state === undefined || task.state === query.state) &&
        (query.kind === undefined || task.kind === query.kind) &&
        (query.parentId === undefined || task.parent?.id === query.parentId) &&
        (query.rootId === undefined || rootOf(task).id === query.rootId),
    );
    const from = Number(query.cursor ?? "0");
    const to = from + (query.limit ?? 50);
    return {
      items: all.slice(from, to).map((task) => viewOf(task, this.log.lastSeq(task.id))),
      nextCursor: to < all.length ? String(to) : null,
    };
  }

  async steer(taskId: string, request: SteerRequest): Promise<SteerReceipt> {
    const task = this.#alive(taskId);
    return this.#take(
      task,
      request.message,
      request.steerId ?? this.#id("steer"),
      request.interrupt ?? false,
    );
  }

  async collect(taskId: string, request: CollectRequest = {}) {
    const task = this.#find(taskId);
    const { timeoutMs, signal } = request;
    let late = false;
    const timer =
      timeoutMs === undefined
        ? undefined
        : this.#clock.after(timeoutMs, () => {
            late = true;
            this.#rouse();
          });
    try {
      while (!ended(task) && !late && timeoutMs !== 0) {
        const { promise } = this.#change;
        await (signal ? withSignal(promise, signal) : promise).catch(() => {
          throw new CancelledError();
        });
      }
      return resultOf(task);
    } finally {
      timer?.cancel();
    }
  }

  async cancel(taskId: string): Promise<CancelReceipt> {
    const task = this.#find(taskId);
    return { taskId, cancelled: this.#cancelAll(subtree(task)), state: task.state };
  }

  async tree(rootId?: string) {
    if (rootId !== undefined) return [nodeOf(this.#find(rootId))];
    return [...this.#tasks.values()].filter((task) => task.parent === null).map(nodeOf);
  }

  events(query: EventsQuery = {}) {
    return this.log.read(query);
  }

  async transcript(taskId: string, query: TranscriptQuery = {}) {
    const after = query.after ?? 0;
    const { rows } = this.#find(taskId);
    const items = rows.slice(after, after + (query.limit ?? 100));
    const last = after + items.length;
    return { items, nextCursor: last < rows.length ? String(last) : null };
  }

  async createSession(request: SessionRequest = {}) {
    const { idempotencyKey, ...rest } = request;
    const body: DelegateRequest = { goal: "(session)", role: "orchestrator", ...rest };
    const key = idempotencyKey === undefined ? undefined : `session ${idempotencyKey}`;
    const task =
      this.#replay(key, body) ??
      this.#spawn("session", key === undefined ? body : { ...body, idempotencyKey: key });
    if (task.startedAt === null) {
      Object.assign(task, { state: "running", phase: "waiting_input", startedAt: this.#clock.now() });
    }
    return this.check(task.id);
  }

  async sendMessage(sessionId: string, message: { readonly text: string; readonly messageId?: string }) {
    const task = this.#session(sessionId);
    return this.#take(task, message.text, message.messageId ?? this.#id("msg"), false);
  }

  async stopSession(sessionId: string): Promise<CancelReceipt> {
    const task = this.#session(sessionId);
    return { taskId: sessionId, cancelled: this.#cancelAll(subtree(task).slice(1)), state: task.state };
  }

  async closeSession(sessionId: string): Promise<CancelReceipt> {
    this.#session(sessionId);
    return this.cancel(sessionId);
  }

  async answer(taskId: string, answer: { readonly text: string }): Promise<SteerReceipt> {
    const task = this.#alive(taskId);
    if (task.phase !== "waiting_input") {
      throw new ConflictError("not_waiting", `Expected task ${taskId} to wait for a person, it does not.`);
    }
    return this.#take(task, answer.text, this.#id("msg"), false);
  }

  async reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void> {
    const task = this.#alive(taskId);
    const { percent = null, note = null, partial = null } = progress;
    task.progress = { percent, note, partial, time: this.#clock.now() };
    this.#emit(task, "task.progressed", { percent, note, partial });
  }

  // --- BoxApi.

  async gpus() {
    return CANNED_GPUS;
  }

  async providers() {
    return CANNED_PROVIDERS;
  }

  async machine(name: string) {
    return cannedMachine(name);
  }

  async pause(paused: boolean) {
    this.#paused = paused;
    return { paused };
  }

  async status() {
    const tasks = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<State, number>;
    for (const task of this.#tasks.values()) tasks[task.state] += 1;
    return {
      version: "0.0.0-canned",
      boxId: "box_canned",
      simulated: true,
      paused: this.#paused,
      tasks,
      startedAt: 0,
      durability: "none" as const,
    };
  }

  // --- Inside.

  #spawn(kind: "task" | "session", request: DelegateRequest): CannedTask {
    const parent = this.#assertGood(request);
    const task: CannedTask = {
      id: this.#id(kind === "task" ? "task" : "ses"),
      kind,
      parent,
      request,
      createdAt: this.#clock.now(),
      children: [],
      steers: [],
      rows: [],
      state: "spawned",
      phase: "queued",
      turn: 0,
      progress: null,
      result: null,
      failure: null,
      startedAt: null,
      finishedAt: null,
    };
    parent?.children.push(task);
    this.#tasks.set(task.id, task);
    if (request.idempotencyKey !== undefined) {
      const { idempotencyKey, ...body } = request;
      this.#keys.set(idempotencyKey, { body: JSON.stringify(body), task });
    }
    if (kind === "task") addRow(task, "user", request.goal);
    this.#emit(task, "task.spawned", { goal: request.goal, agent: "default", model: "canned-1", depth: 0 });
    return task;
  }

  #assertGood(request: DelegateRequest): CannedTask | null {
    if (request.goal.trim() === "") {
      throw new InvalidRequestError("empty_goal", "Expected a goal, got an empty one. Say what to do.");
    }
    return request.parentId === undefined ? null : this.#alive(request.parentId);
  }

  #replay(key: string | undefined, request: DelegateRequest): CannedTask | null {
    const before = key === undefined ? undefined : this.#keys.get(key);
    if (!before) return null;
    const { idempotencyKey: _key, ...body } = request;
    if (before.body === JSON.stringify(body)) return before.task;
    throw new ConflictError(
      "idempotency_key_reused",
      `Expected the request that the key ${key} was used for, got another. Use a new key.`,
      { details: { task_id: before.task.id } },
    );
  }

  #take(task: CannedTask, text: string, steerId: string, interrupt: boolean): SteerReceipt {
    const before = task.steers.find((receipt) => receipt.steerId === steerId);
    if (before) return before;
    const time = this.#clock.now();
    const receipt = {
      steerId,
      taskId: task.id,
      state: "queued",
      interrupt,
      turn: null,
      reason: null,
      time,
    } as const;
    task.steers.push(receipt);
    addRow(task, "user", text);
    this.#emit(task, "steer.queued", { steerId, interrupt });
    return receipt;
  }

  #cancelAll(tasks: readonly CannedTask[]): string[] {
    const marked = tasks.filter((task) => !ended(task));
    for (const task of marked) {
      this.#end(task, { state: "cancelled" });
      this.#emit(task, "task.cancelled", { reason: "asked", resultKept: false });
    }
    return marked.map((task) => task.id);
  }

  #end(task: CannedTask, end: Partial<Pick<CannedTask, "result" | "failure">> & { state: State }): void {
    Object.assign(task, { phase: null, finishedAt: this.#clock.now(), ...end });
    this.#rouse();
  }

  #emit<T extends EventType>(task: CannedTask, type: T, data: EventData[T]): void {
    this.log.append(placeOf(task, this.#clock.now()), type, data);
  }

  #find(taskId: string): CannedTask {
    const task = this.#tasks.get(taskId);
    if (task) return task;
    throw new NotFoundError("task_not_found", `Expected a task of this box, got ${JSON.stringify(taskId)}.`, {
      details: { task_id: taskId },
    });
  }

  #session(sessionId: string): CannedTask {
    const task = this.#alive(sessionId);
    if (task.kind === "session") return task;
    throw new NotFoundError("session_not_found", `Expected a session, got the task ${sessionId}.`);
  }

  #alive(taskId: string): CannedTask {
    const task = this.#find(taskId);
    if (!ended(task)) return task;
    throw new ConflictError("task_ended", `Expected a task that runs, but ${taskId} is ${task.state}.`, {
      details: { state: task.state },
    });
  }

  #id(prefix: IdPrefix): string {
    return newId(prefix, this.#random);
  }

  #rouse(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}
