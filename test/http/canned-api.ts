// A small real TroupeApi in memory: tasks that a test starts and ends by hand. It keeps the contract of core/api.ts
// (ids, receipts, idempotency, cursors, subtrees) and has no models, machines or scheduler.

import { withSignal } from "../../src/base/abort.ts";
import type { Clock } from "../../src/base/clock.ts";
import { CancelledError, ConflictError } from "../../src/base/errors.ts";
import type {
  CancelReceipt,
  CollectRequest,
  DelegateRequest,
  EventsQuery,
  HistoryQuery,
  ListQuery,
  SessionRequest,
  SteerReceipt,
  SteerRequest,
  TranscriptQuery,
  TroupeApi,
} from "../../src/core/api.ts";
import type { EventData, EventType } from "../../src/core/event.ts";
import type { State } from "../../src/core/lifecycle.ts";
import { CANNED_GPUS, CANNED_PROVIDERS, cannedKeys, cannedMachine, cannedStatus } from "./canned-box.ts";
import { CannedLog } from "./canned-log.ts";
import { CannedRegistry } from "./canned-registry.ts";
import {
  addRow,
  type CannedTask,
  ended,
  handleOf,
  isListed,
  nodeOf,
  placeOf,
  receiptFor,
  resultOf,
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
  readonly #registry: CannedRegistry;
  #change = Promise.withResolvers<void>();
  #paused = false;

  constructor(options: CannedApiOptions) {
    this.#clock = options.clock;
    this.#registry = new CannedRegistry(options.clock);
    this.log = new CannedLog(options.keepEvents ?? 10_000);
  }

  // --- What a test does to tasks.

  start(taskId: string): void {
    const task = this.#registry.find(taskId);
    if (task.startedAt !== null) return;
    Object.assign(task, { state: "running", phase: "generating", startedAt: this.#clock.now(), turn: 1 });
    this.#emit(task, "task.started", {});
  }

  finish(taskId: string, result: string): void {
    this.start(taskId);
    const task = this.#registry.find(taskId);
    addRow(task, "assistant", result);
    this.#end(task, { state: "done", result });
    this.#emit(task, "task.done", { resultChars: result.length, truncated: false });
  }

  /** A message of its own, whole; one that asks waits for a person from then on. */
  say(taskId: string, text: string, isQuestion = false): void {
    this.start(taskId);
    const task = this.#registry.find(taskId);
    addRow(task, "assistant", text);
    if (isQuestion) task.phase = "waiting_input";
    this.#emit(task, "turn.finished", { reason: "stop", toolCalls: 0, promptTokens: 1, outputTokens: 1 });
  }

  fail(taskId: string, code: string, message: string): void {
    this.start(taskId);
    const task = this.#registry.find(taskId);
    this.#end(task, { state: "failed", failure: { code, message, retryable: false } });
    this.#emit(task, "task.failed", { code, message });
  }

  // --- TaskApi.

  async delegate(request: DelegateRequest) {
    const found = this.#registry.replay(request.idempotencyKey, request);
    if (found) return handleOf(found, false);
    const task = this.#spawn("task", request);
    return handleOf(task, true);
  }

  async delegateBatch(requests: readonly DelegateRequest[]) {
    for (const request of requests) this.#registry.assertGood(request);
    return Promise.all(requests.map((request) => this.delegate(request)));
  }

  async check(taskId: string) {
    const task = this.#registry.find(taskId);
    return viewOf(task, this.log.lastSeq(taskId));
  }

  async list(query: ListQuery = {}) {
    const all = this.#registry.all().filter((task) => isListed(task, query));
    const from = Number(query.cursor ?? "0");
    const to = from + (query.limit ?? 50);
    return {
      items: all.slice(from, to).map((task) => viewOf(task, this.log.lastSeq(task.id))),
      nextCursor: to < all.length ? String(to) : null,
    };
  }

  async steer(taskId: string, request: SteerRequest): Promise<SteerReceipt> {
    const task = this.#registry.alive(taskId);
    return this.#take(task, { steerId: this.#registry.id("steer"), ...request });
  }

  async collect(taskId: string, request: CollectRequest = {}) {
    const task = this.#registry.find(taskId);
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
    const task = this.#registry.find(taskId);
    return { taskId, cancelled: this.#cancelAll(subtree(task)), state: task.state };
  }

  async tree(rootId?: string) {
    if (rootId !== undefined) return [nodeOf(this.#registry.find(rootId))];
    const all = this.#registry.all();
    return all.filter((task) => task.parent === null).map(nodeOf);
  }

  events(query: EventsQuery = {}) {
    return this.log.read(query);
  }

  async history(query: HistoryQuery = {}) {
    for (const id of [query.taskId, query.rootId]) if (id !== undefined) this.#registry.find(id);
    return this.log.page(query);
  }

  async transcript(taskId: string, query: TranscriptQuery = {}) {
    const after = query.after ?? 0;
    const { rows } = this.#registry.find(taskId);
    const items = rows.slice(after, after + (query.limit ?? 100));
    const last = after + items.length;
    return { items, nextCursor: last < rows.length ? String(last) : null };
  }

  async createSession(request: SessionRequest = {}) {
    const { idempotencyKey, ...rest } = request;
    const body: DelegateRequest = { goal: "(session)", role: "orchestrator", ...rest };
    const key = idempotencyKey === undefined ? undefined : `session ${idempotencyKey}`;
    const task =
      this.#registry.replay(key, body) ??
      this.#spawn("session", key === undefined ? body : { ...body, idempotencyKey: key });
    if (task.startedAt === null) {
      Object.assign(task, { state: "running", phase: "waiting_input", startedAt: this.#clock.now() });
    }
    return this.check(task.id);
  }

  async sendMessage(sessionId: string, message: { readonly text: string; readonly messageId?: string }) {
    const task = this.#registry.session(sessionId);
    return this.#take(task, {
      message: message.text,
      steerId: message.messageId ?? this.#registry.id("msg"),
    });
  }

  async stopSession(sessionId: string): Promise<CancelReceipt> {
    const task = this.#registry.session(sessionId);
    return { taskId: sessionId, cancelled: this.#cancelAll(subtree(task).slice(1)), state: task.state };
  }

  async closeSession(sessionId: string): Promise<CancelReceipt> {
    this.#registry.session(sessionId);
    return this.cancel(sessionId);
  }

  async answer(taskId: string, answer: { readonly text: string }): Promise<SteerReceipt> {
    const task = this.#registry.alive(taskId);
    if (task.phase !== "waiting_input") {
      throw new ConflictError("not_waiting", `Expected task ${taskId} to wait for a person, it does not.`);
    }
    return this.#take(task, { message: answer.text, steerId: this.#registry.id("msg") });
  }

  async reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void> {
    const task = this.#registry.alive(taskId);
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

  readonly switchKey = cannedKeys;

  async pause(paused: boolean) {
    this.#paused = paused;
    return { paused };
  }

  async status() {
    return cannedStatus(this.#registry.all(), this.#paused, this.log.newest);
  }

  // --- Inside.

  #spawn(kind: "task" | "session", request: DelegateRequest): CannedTask {
    const task = this.#registry.spawn(kind, request);
    if (kind === "task") addRow(task, "user", request.goal);
    this.#emit(task, "task.spawned", { goal: request.goal, agent: "default", model: "canned-1", depth: 0 });
    return task;
  }

  #take(task: CannedTask, steer: SteerRequest & { readonly steerId: string }): SteerReceipt {
    const { message, steerId, interrupt = false } = steer;
    const before = task.steers.find((receipt) => receipt.steerId === steerId);
    if (before) return before;
    const time = this.#clock.now();
    const receipt = receiptFor(task, steer, time);
    task.steers.push(receipt);
    addRow(task, "user", message);
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

  #rouse(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers<void>();
  }
}
