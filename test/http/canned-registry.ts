// The tasks of the canned API by id and by idempotency key: who exists, who may still be spoken to.

import type { Clock } from "../../src/base/clock.ts";
import { ConflictError, InvalidRequestError, NotFoundError } from "../../src/base/errors.ts";
import { type IdPrefix, newId, type Random, seededRandom } from "../../src/base/ids.ts";
import type { DelegateRequest } from "../../src/core/api.ts";
import { type CannedTask, ended } from "./canned-task.ts";

export class CannedRegistry {
  readonly #clock: Clock;
  readonly #random: Random = seededRandom(7);
  readonly #tasks = new Map<string, CannedTask>();
  readonly #keys = new Map<string, { readonly body: string; readonly task: CannedTask }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(): CannedTask[] {
    return [...this.#tasks.values()];
  }

  id(prefix: IdPrefix): string {
    return newId(prefix, this.#random);
  }

  spawn(kind: "task" | "session", request: DelegateRequest): CannedTask {
    const parent = this.assertGood(request);
    const task: CannedTask = {
      id: this.id(kind === "task" ? "task" : "ses"),
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
    return task;
  }

  assertGood(request: DelegateRequest): CannedTask | null {
    if (request.goal.trim() === "") {
      throw new InvalidRequestError("empty_goal", "Expected a goal, got an empty one. Say what to do.");
    }
    return request.parentId === undefined ? null : this.alive(request.parentId);
  }

  replay(key: string | undefined, request: DelegateRequest): CannedTask | null {
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

  find(taskId: string): CannedTask {
    const task = this.#tasks.get(taskId);
    if (task) return task;
    throw new NotFoundError("task_not_found", `Expected a task of this box, got ${JSON.stringify(taskId)}.`, {
      details: { task_id: taskId },
    });
  }

  session(sessionId: string): CannedTask {
    const task = this.alive(sessionId);
    if (task.kind === "session") return task;
    throw new NotFoundError("session_not_found", `Expected a session, got the task ${sessionId}.`);
  }

  alive(taskId: string): CannedTask {
    const task = this.find(taskId);
    if (!ended(task)) return task;
    throw new ConflictError("task_ended", `Expected a task that runs, but ${taskId} is ${task.state}.`, {
      details: { state: task.state },
    });
  }
}
