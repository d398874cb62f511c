// Claims on the SQLite store: who owns what is in memory (sqlite.ts Q2), the epoch is in the row, so that a task's
// former owner is fenced also after a restart.

import { messageOf } from "../base/errors.ts";
import { isTerminal } from "../core/lifecycle.ts";
import { badQuery } from "./refusals.ts";
import { troubleOf } from "./sqlite-errors.ts";
import type { Written } from "./sqlite-group.ts";
import { readResume } from "./sqlite-read.ts";
import type { Resumable } from "./sqlite-read.ts";
import type { OpenTask, Tasks } from "./sqlite-tasks.ts";
import type { Claim, Store } from "./store.ts";

const RAISE = "UPDATE heads SET epoch = epoch + 1 WHERE num = ?";

type ClaimOptions = Parameters<Store["claim"]>[0];

export class Claiming {
  readonly #tasks: Tasks;
  /** The last answer to each owner, for one who asks the same again. */
  readonly #answered = new Map<string, { readonly request: string; readonly claims: readonly Claim[] }>();

  constructor(tasks: Tasks) {
    this.#tasks = tasks;
  }

  /** Contract: within a transaction; throws InvalidRequestError `bad_ttl_ms` and what SQLite throws. */
  claim(options: ClaimOptions): Written<readonly Claim[]> {
    checkTtl(options.ttlMs);
    const { owner, request } = options;
    const before = this.#answered.get(owner);
    if (before !== undefined && before.request === request) return { value: before.claims };
    const found = new Map<OpenTask, Resumable>();
    const { taken, undo } = this.#tasks.claims.tryTake(options, (task) => {
      const row = this.#read(task);
      // A write of this group has ended it: memory is told of that after COMMIT, and lets it go then.
      if (row === null || isTerminal(row.record.state)) return false;
      found.set(task, row);
      return true;
    });
    try {
      const claims = taken.map((task) => this.#raise(found.get(task) as Resumable, owner));
      const apply = (): void => {
        if (request !== undefined) this.#answered.set(owner, { request, claims });
      };
      return { value: claims, undo, apply };
    } catch (thrown) {
      undo();
      throw thrown;
    }
  }

  /** Throws InvalidRequestError `bad_ttl_ms`. */
  heartbeat(owner: string, ttlMs: number): readonly string[] {
    checkTtl(ttlMs);
    return this.#tasks.claims.renew(owner, ttlMs);
  }

  /** `null` for a task whose rows cannot be read: it is held aside, and the others go on. */
  #read(task: OpenTask): Resumable | null {
    try {
      const row = readResume(this.#tasks, task.order);
      if (row !== null) return row;
      throw new RangeError(`Task number ${task.order} is open and has no row.`);
    } catch (thrown) {
      if (troubleOf(thrown) !== null) throw thrown;
      const facts = { task: task.id, found: messageOf(thrown) };
      this.#tasks.logger.error("a task cannot be read and is held aside; run `troupe db check`", facts);
      return null;
    }
  }

  #raise(found: Resumable, owner: string): Claim {
    const epoch = found.record.epoch + 1;
    this.#tasks.connection.run(RAISE, found.head.num);
    const record = Object.freeze({ ...found.record, epoch });
    this.#tasks.stage({ ...found.head, record: { ...found.head.record, epoch } });
    const { seq, spec } = record;
    return { taskId: spec.id, owner, epoch, seq, record, resume: epoch === 1 ? null : found.resume };
  }
}

function checkTtl(ttlMs: number): void {
  if (!(ttlMs > 0)) throw badQuery("ttl_ms", "milliseconds above 0", ttlMs);
}
