// What only a session can be told: to drop what it does, and to close.

import { newId, type Random } from "../base/ids.ts";
import { ConflictError, InvalidRequestError } from "../base/errors.ts";
import type { CancelReceipt } from "../core/api.ts";
import type { Store } from "../store/store.ts";
import type { Household } from "./household.ts";
import type { TaskHost } from "./task-host.ts";
import type { Tasks } from "./tasks.ts";

const STOPPED = "stopped by the person";

export interface SessionsOptions {
  readonly tasks: Tasks;
  readonly household: Household;
  readonly store: Store;
  readonly random: Random;
}

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #tasks: Tasks;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#tasks = options.tasks;
  }

  /** `/stop`: the session listens again; its children are cancelled and tell it so with its next turn only. */
  async stop(sessionId: string, from: string): Promise<CancelReceipt> {
    const { household, store, random } = this.#options;
    const { family } = household;
    household.checkRunning();
    const host = await this.#host(sessionId);
    const children = family.liveChildren(sessionId);
    const members = children.flatMap((childId) => family.subtree(childId));
    host.hush(children);
    for (const member of members) member.cancel(STOPPED, false);
    host.send({ type: "stop" });
    // Said only when a restart would not undo it: which mail waits for the person is in the state, even if it stays.
    host.journal.stage({ ...host.words, snapshot: host.stored() });
    for (const childId of children) {
      const id = newId("msg", random);
      await store.send(childId, { kind: "cancel", id, from, reason: STOPPED, force: false });
    }
    await host.journal.flush();
    return { taskId: sessionId, cancelled: members.map((member) => member.id), state: host.words.state };
  }

  /** Resolves when the session has ended; closing one that is ending waits for the same end. */
  async close(sessionId: string): Promise<CancelReceipt> {
    const record = await this.#tasks.record(sessionId);
    if (record.spec.kind !== "session") throw notASession(sessionId);
    const host = this.#tasks.host(sessionId);
    if (record.end || !host) return { taskId: sessionId, cancelled: [], state: record.state };
    const { household } = this.#options;
    const { family } = household;
    household.checkRunning();
    const members = host.ending ? [] : family.subtree(sessionId);
    const ended = family.whenEnded(sessionId);
    host.send({ type: "close" });
    await ended;
    const cancelled = members.map((member) => member.id).filter((id) => id !== sessionId);
    return { taskId: sessionId, cancelled, state: (await this.#tasks.record(sessionId)).state };
  }

  async #host(sessionId: string): Promise<TaskHost> {
    const record = await this.#tasks.record(sessionId);
    if (record.spec.kind !== "session") throw notASession(sessionId);
    const host = this.#tasks.host(sessionId);
    if (host && !host.ending) return host;
    const state = record.end ? record.state : "ending";
    throw new ConflictError("task_ended", `The session ${sessionId} has ended (${state}). Open a new one.`, {
      details: { task_id: sessionId, state },
    });
  }
}

export function notASession(taskId: string): InvalidRequestError {
  return new InvalidRequestError(
    "not_a_session",
    `Expected a session and ${taskId} is a task. Steer it instead (steer_task, POST /v1/tasks/${taskId}/steer).`,
  );
}
