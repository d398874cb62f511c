// What can be done with tasks, without the question who may: BoundApi asks that. Every write is in the store before
// the call returns; the hosts are told after.

import { linkedAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import {
  CancelledError,
  ConflictError,
  InvalidRequestError,
  LimitError,
  NotFoundError,
} from "../base/errors.ts";
import { newId, sha256, type Random } from "../base/ids.ts";
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
import { leastBudget, MAX_BATCH, MAX_STEER_CHARS, type TreeBudget } from "../core/limits.ts";
import type { Settings } from "../core/settings.ts";
import type { ModelRef, TaskRecord, TaskSpec } from "../core/task.ts";
import { keyReused } from "../store/refusals.ts";
import type { InboxMessage, Store, SubmitReceipt } from "../store/store.ts";
import type { Household } from "./household.ts";
import { identityOf, type Identity } from "./identity.ts";
import { routeFactsOf, spawnNote } from "./placing.ts";
import type { RouteFacts } from "./routing.ts";
import { agentBudget, loweredNote } from "./spawn-budget.ts";
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
  readonly #routeFacts: RouteFacts;

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#routeFacts = routeFactsOf(options.checkProvider, options.household);
  }

  /** Spawns all requests or none: everything is checked, room too, before anything is stored. */
  async delegateBatch(requests: readonly DelegateRequest[], caller: Caller): Promise<readonly TaskHandle[]> {
    if (requests.length === 0 || requests.length > MAX_BATCH) {
      throw new InvalidRequestError(
        "batch_size",
        `Expected 1 to ${MAX_BATCH} tasks in one call and got ${requests.length}. Delegate in several calls.`,
      );
    }
    this.#checkOpen(caller);
    const specs = new Map<string, TaskSpec>();
    const fresh: TaskSpec[] = [];
    const ids: string[] = [];
    for (const request of requests) {
      const { id, requestHash } = identityOf("task", request, { caller, random: this.#options.random });
      ids.push(id);
      const before = specs.get(id) ?? (await this.#known(id, request.idempotencyKey))?.spec;
      if (before && before.requestHash !== requestHash) throw keyReused(before);
      const spec = before ?? (await this.#childSpec(request, caller, { id, requestHash }));
      if (!before) fresh.push(spec);
      specs.set(id, spec);
    }
    const { household } = this.#options;
    const receipts = await household.admission.during(fresh, async () => {
      const accepted = await this.#submit([...specs.values()], caller);
      // Accepted is accepted: a store that cannot be claimed from now is asked again later.
      await household.claimSoon();
      return new Map(accepted.map((receipt) => [receipt.record.spec.id, receipt]));
    });
    return ids.map((id, at) => this.#handle(receipts.get(id) as SubmitReceipt, requests[at]));
  }

  async createSession(request: SessionRequest, caller: Caller): Promise<TaskRecord> {
    this.#checkOpen(caller);
    const { settings, random } = this.#options;
    const identity = identityOf("ses", request, { caller, random });
    const agent = request.agent === undefined ? settings.sessionAgent : this.#agent(request.agent);
    const spec = sessionSpec(request, this.#facts(identity, agent, null), settings);
    const { household } = this.#options;
    const known = await this.#known(spec.id, request.idempotencyKey);
    return household.admission.during(known ? [] : [spec], async () => {
      const [receipt] = await this.#submit([spec], caller);
      await household.claimSoon();
      return (receipt as SubmitReceipt).record;
    });
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
    message: Exclude<InboxMessage, { kind: "completion" | "question" | "cancel" }>,
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
        // One that is here needs no claim, and whoever waits for it none that waits for the store.
        if (!this.host(taskId)) await household.claim();
        if (this.host(taskId)) await household.family.whenEnded(taskId, abort.signal);
      }
    } finally {
      timer?.cancel();
      abort.release();
    }
    if (request.signal?.aborted) throw new CancelledError("The wait was called off; the task goes on.");
    const record = await this.record(taskId);
    if (record.end && record.readAt === null) this.#noteRead(taskId);
    return resultOf(record, this.host(taskId)?.words ?? record);
  }

  /** Nobody waits for it: should it be lost, the result is kept for longer than it need be. */
  #noteRead(taskId: string): void {
    const { store, clock } = this.#options;
    store.markRead(taskId, clock.now()).catch(() => {});
  }

  /** Marks the subtree, parents first, then lets it go; the request itself is in the store first. */
  async cancel(taskId: string, request: CancelRequest, from: string): Promise<CancelReceipt> {
    const { store, household, random } = this.#options;
    const reason = request.reason ?? "cancelled by request";
    const force = request.force ?? false;
    household.checkRunning();
    if (!this.host(taskId)) await household.claim();
    const record = await this.record(taskId);
    if (record.end) return { taskId, cancelled: [], state: record.state };
    // To one that is on its way to its end too: until that is in the store a restart would undo it. One order is enough.
    const isOrdered =
      this.host(taskId)?.ending === true &&
      (await store.inbox(taskId, 0)).some(({ message }) => message.kind === "cancel");
    if (!isOrdered)
      await store.send(taskId, { kind: "cancel", id: newId("msg", random), from, reason, force });
    const members = household.family.subtree(taskId);
    for (const member of members) member.cancel(reason, force);
    const state = this.host(taskId)?.words.state ?? (await this.record(taskId)).state;
    return { taskId, cancelled: members.map((member) => member.id), state };
  }

  /** What an idempotency key has made before: it is not asked a second time whether it may be made. */
  #known(id: string, key: string | undefined): Promise<TaskRecord | null> {
    return key === undefined ? Promise.resolve(null) : this.#options.store.get(id);
  }

  async #childSpec(request: DelegateRequest, caller: Caller, identity: Identity): Promise<TaskSpec> {
    const parentId = request.parentId ?? caller.taskId;
    const allowance = parentId === null ? null : await this.#allowanceUnder(parentId);
    // Last of all, so that it is as it stands.
    const parent = parentId === null ? null : await this.record(parentId);
    const { settings } = this.#options;
    const agent = request.agent === undefined ? settings.childAgent : this.#agent(request.agent);
    const facts = this.#facts(identity, agent, parent);
    const around = facts.parent && allowance && { ...facts.parent, allowance };
    return childSpec(request, { ...facts, parent: around }, settings);
  }

  /** What the budgets of a task and of all above it allow together. */
  async #allowanceUnder(taskId: string): Promise<TreeBudget> {
    const budgets: TreeBudget[] = [];
    for (let at: string | null = taskId; at !== null;) {
      const { spec }: TaskRecord = await this.record(at);
      if (spec.budget) budgets.push(spec.budget);
      at = spec.parentId;
    }
    return leastBudget(budgets);
  }

  #facts(identity: Identity, agent: AgentDefinition | undefined, parent: TaskRecord | null): SpawnFacts {
    const { clock, knownToolsets } = this.#options;
    if (agent && !this.#hashes.has(agent)) this.#hashes.set(agent, sha256(JSON.stringify(agent)));
    return {
      ...identity,
      now: clock.now(),
      parent: parent && {
        spec: parent.spec,
        state: parent.state,
        ending: this.host(parent.spec.id)?.ending ?? parent.end !== null,
      },
      knownToolsets,
      routing: this.#routeFacts,
      hashOf: (pinned) => this.#hashes.get(pinned) ?? "",
    };
  }

  /** After `close` a task would be accepted and never begun. What a turn under way asks for waits for the next start. */
  #checkOpen(caller: Caller): void {
    this.#options.household.checkRunning();
    if (this.#options.household.draining && caller.taskId === null) {
      throw new LimitError(
        "draining",
        "The server is stopping and takes no new tasks. Ask again when it has started; what it has goes on then.",
      );
    }
  }

  #agent(name: string): AgentDefinition | undefined {
    return this.#options.settings.agents.find((each) => each.name === name);
  }

  /**
   * All of them or none. A person is told of a store that is away; a model would take it that nothing was begun, so its
   * call waits.
   */
  #submit(specs: readonly TaskSpec[], caller: Caller): Promise<readonly SubmitReceipt[]> {
    for (const { model } of specs) this.#options.household.health.chosen(model);
    const tasks = specs.map((spec) => {
      const model = `${spec.model.provider}/${spec.model.model}`;
      const data = { goal: spec.goal, agent: spec.agent.name, model, depth: spec.depth };
      return { spec, event: { type: "task.spawned", data } } as const;
    });
    const { store, household } = this.#options;
    const submit = (): Promise<readonly SubmitReceipt[]> => store.submitAll(tasks);
    return caller.taskId === null ? submit() : household.patience.call("submitAll", submit);
  }

  #handle({ record, created }: SubmitReceipt, request: DelegateRequest | undefined): TaskHandle {
    const { settings, household } = this.#options;
    const { id, agent: pinned, budget } = record.spec;
    const agent = this.#agent(pinned.name) ?? settings.childAgent;
    const notes = [
      spawnNote(record.spec, settings),
      loweredNote(budget, { ...agentBudget(agent, settings), ...request?.budget }),
    ];
    const words = this.host(id)?.words ?? record;
    return {
      taskId: id,
      state: words.state,
      phase: words.phase,
      queuePosition: household.scheduler.placeOf(id)?.position ?? null,
      created,
      link: linkOf(settings, id),
      async: agent.async,
      note: notes.filter((note) => note !== null).join(" ") || null,
    };
  }
}

/** Where a person can look at a task; null while nothing serves. */
export function linkOf(settings: Settings, taskId: string): string | null {
  return settings.link === null ? null : `${settings.link}/#/task/${taskId}`;
}
