// What can be done with tasks, without the question who may: BoundApi asks that. Every write is in the store before
// the call returns; the hosts are told after.

import { linkedAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { ConflictError, InvalidRequestError, NotFoundError } from "../base/errors.ts";
import { derivedId, newId, sha256, type Random } from "../base/ids.ts";
import type { AgentDefinition } from "../core/agent.ts";
import type {
  Caller,
  CancelReceipt,
  CancelRequest,
  CollectRequest,
  DelegateRequest,
  SessionRequest,
  SteerReceipt,
  TaskHandle,
  TaskResult,
} from "../core/api.ts";
import { MAX_BATCH, MAX_STEER_CHARS } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import type { ModelRef, TaskRecord, TaskSpec } from "../core/task.ts";
import type { InboxMessage, Store } from "../store/store.ts";
import type { Household } from "./household.ts";
import { childSpec, sessionSpec, type SpawnFacts } from "./spawning.ts";
import type { TaskHost } from "./task-host.ts";
import { receiptOf, resultOf } from "./views.ts";

export interface TasksOptions {
  readonly settings: Settings;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly household: Household;
  readonly knownToolsets: ReadonlySet<string>;
  /** Throws when the model's provider cannot be used: found out at spawn, not at the first call. */
  readonly checkProvider: (ref: ModelRef) => void;
}

export class Tasks {
  readonly #options: TasksOptions;
  readonly #hashes = new Map<AgentDefinition, string>();

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /** Spawns all requests or none: everything is checked before anything is stored. */
  async delegateBatch(requests: readonly DelegateRequest[], caller: Caller): Promise<readonly TaskHandle[]> {
    if (requests.length === 0 || requests.length > MAX_BATCH) {
      throw new InvalidRequestError(
        "batch_size",
        `Expected 1 to ${MAX_BATCH} tasks in one call and got ${requests.length}. Delegate in several calls.`,
      );
    }
    const specs: TaskSpec[] = [];
    for (const request of requests) specs.push(await this.#childSpec(request, caller));
    for (const spec of specs) this.#options.checkProvider(spec.model);
    const receipts = [];
    for (const spec of specs) receipts.push(await this.#submit(spec));
    await this.#options.household.claim();
    return receipts.map(({ record, created }) => this.#handle(record, created));
  }

  async createSession(request: SessionRequest, caller: Caller): Promise<TaskRecord> {
    const agent =
      request.agent === undefined ? this.#options.settings.sessionAgent : this.#agent(request.agent);
    const facts = this.#facts("ses", { request, caller, agent, parent: null });
    const spec = sessionSpec(request, facts, this.#options.settings);
    this.#options.checkProvider(spec.model);
    const { record } = await this.#submit(spec);
    await this.#options.household.claim();
    return record;
  }

  /** The record of a task as it stands. Throws NotFoundError `task_not_found`. */
  async record(taskId: string): Promise<TaskRecord> {
    const record = this.host(taskId)?.journal.record ?? (await this.#options.store.get(taskId));
    if (record) return record;
    throw new NotFoundError(
      "task_not_found",
      `There is no task ${taskId}. List them with list_tasks, or GET /v1/tasks.`,
      {
        details: { task_id: taskId },
      },
    );
  }

  host(taskId: string): TaskHost | undefined {
    return this.#options.household.family.get(taskId);
  }

  /** Puts mail into a task's inbox and tells its host. Throws ConflictError `task_ended`. */
  async send(
    taskId: string,
    message: Exclude<InboxMessage, { kind: "completion" | "cancel" }>,
  ): Promise<SteerReceipt> {
    if (message.text.trim() === "" || message.text.length > MAX_STEER_CHARS) {
      throw new InvalidRequestError(
        "bad_message",
        `Expected a message of 1 to ${MAX_STEER_CHARS} characters and got ${message.text.length}.`,
      );
    }
    const sent = await this.#options.store.send(taskId, message);
    const receipt = sent.entry ? receiptOf(sent.entry) : null;
    if (!receipt) {
      throw new ConflictError(
        "task_ended",
        `The task ${taskId} has ended (${sent.state}) and takes no messages. Delegate a new one.`,
        { details: { task_id: taskId, state: sent.state } },
      );
    }
    if (!sent.duplicate) void this.host(taskId)?.announceMail();
    return receipt;
  }

  async collect(taskId: string, request: CollectRequest): Promise<TaskResult> {
    const { household, clock } = this.#options;
    const abort = linkedAbort(request.signal);
    const { timeoutMs } = request;
    const timer =
      timeoutMs === undefined || timeoutMs <= 0
        ? null
        : clock.after(timeoutMs, () => abort.abort("the wait is over"));
    try {
      if (timeoutMs !== 0) {
        await household.claim();
        if (this.host(taskId)) await household.family.whenEnded(taskId, abort.signal);
      }
    } finally {
      timer?.cancel();
      abort.release();
    }
    const record = await this.record(taskId);
    return resultOf(record, this.host(taskId)?.words ?? record);
  }

  /** Marks the subtree, parents first, then lets it go; the request itself is in the store first. */
  async cancel(taskId: string, request: CancelRequest, from: string): Promise<CancelReceipt> {
    const { store, household, random } = this.#options;
    const reason = request.reason ?? "cancelled by request";
    const force = request.force ?? false;
    await household.claim();
    const record = await this.record(taskId);
    if (record.end) return { taskId, cancelled: [], state: record.state };
    await store.send(taskId, { kind: "cancel", id: newId("msg", random), from, reason, force });
    const members = household.family.subtree(taskId);
    for (const member of members) member.cancel(reason, force);
    const state = this.host(taskId)?.words.state ?? (await this.record(taskId)).state;
    return { taskId, cancelled: members.map((member) => member.id), state };
  }

  /** `/stop`: the session listens again; its children are cancelled and tell it so with its next turn only. */
  async stopSession(sessionId: string): Promise<CancelReceipt> {
    const { family } = this.#options.household;
    const host = await this.#sessionHost(sessionId);
    const children = family.liveChildren(sessionId);
    const members = children.flatMap((childId) => family.subtree(childId));
    host.hush(children);
    for (const member of members) member.cancel("stopped by the person", false);
    host.send({ type: "stop" });
    return { taskId: sessionId, cancelled: members.map((member) => member.id), state: host.words.state };
  }

  async closeSession(sessionId: string): Promise<CancelReceipt> {
    const record = await this.record(sessionId);
    if (record.end) return { taskId: sessionId, cancelled: [], state: record.state };
    const host = await this.#sessionHost(sessionId);
    const { family } = this.#options.household;
    const cancelled = family.subtree(sessionId).map((member) => member.id);
    const ended = family.whenEnded(sessionId);
    host.send({ type: "close" });
    await ended;
    return { taskId: sessionId, cancelled: cancelled.filter((id) => id !== sessionId), state: "done" };
  }

  async #sessionHost(sessionId: string): Promise<TaskHost> {
    const record = await this.record(sessionId);
    if (record.spec.kind !== "session") throw notASession(sessionId);
    const host = this.host(sessionId);
    if (host && !host.ending) return host;
    throw new ConflictError(
      "task_ended",
      `The session ${sessionId} has ended (${record.state}). Open a new one.`,
      {
        details: { task_id: sessionId, state: record.state },
      },
    );
  }

  async #childSpec(request: DelegateRequest, caller: Caller): Promise<TaskSpec> {
    const parentId = request.parentId ?? caller.taskId;
    const parent = parentId === null ? null : await this.record(parentId);
    const { settings } = this.#options;
    const agent = request.agent === undefined ? settings.childAgent : this.#agent(request.agent);
    const facts = this.#facts("task", { request, caller, agent, parent });
    return childSpec(request, facts, settings);
  }

  #facts(
    prefix: "task" | "ses",
    from: {
      readonly request: DelegateRequest | SessionRequest;
      readonly caller: Caller;
      readonly agent: AgentDefinition | undefined;
      readonly parent: TaskRecord | null;
    },
  ): SpawnFacts {
    const { random, clock, knownToolsets } = this.#options;
    const { request, caller, agent, parent } = from;
    const key = request.idempotencyKey;
    if (agent && !this.#hashes.has(agent)) this.#hashes.set(agent, sha256(JSON.stringify(agent)));
    return {
      id:
        key === undefined
          ? newId(prefix, random)
          : derivedId(prefix, `${caller.taskId ?? caller.name}\n${key}`),
      requestHash: key === undefined ? "" : sha256(canonical(request)),
      now: clock.now(),
      parent: parent && {
        spec: parent.spec,
        state: parent.state,
        ending: this.host(parent.spec.id)?.ending ?? parent.end !== null,
      },
      knownToolsets,
      hashOf: (pinned) => this.#hashes.get(pinned) ?? "",
    };
  }

  #agent(name: string): AgentDefinition | undefined {
    return this.#options.settings.agents.find((each) => each.name === name);
  }

  #submit(spec: TaskSpec): Promise<{ readonly record: TaskRecord; readonly created: boolean }> {
    const model = `${spec.model.provider}/${spec.model.model}`;
    return this.#options.store.submit(spec, {
      type: "task.spawned",
      data: { goal: spec.goal, agent: spec.agent.name, model, depth: spec.depth },
    });
  }

  #handle(record: TaskRecord, created: boolean): TaskHandle {
    const { settings, household } = this.#options;
    const { id, agent } = record.spec;
    const words = this.host(id)?.words ?? record;
    return {
      taskId: id,
      state: words.state,
      phase: words.phase,
      queuePosition: household.scheduler.placeOf(id)?.position ?? null,
      created,
      link: linkOf(settings, id),
      async: this.#agent(agent.name)?.async ?? settings.childAgent.async,
    };
  }
}

export function notASession(taskId: string): InvalidRequestError {
  return new InvalidRequestError(
    "not_a_session",
    `Expected a session and ${taskId} is a task. Steer it instead (steer_task, POST /v1/tasks/${taskId}/steer).`,
  );
}

/** Where a person can look at a task; null while nothing serves. */
export function linkOf(settings: Settings, taskId: string): string | null {
  return settings.link === null ? null : `${settings.link}/v1/tasks/${taskId}`;
}

/** JSON with sorted keys, so that equal requests have equal hashes. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    item !== null && typeof item === "object" && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
