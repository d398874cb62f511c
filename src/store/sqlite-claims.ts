// Claims on the SQLite store: who owns what is in memory (sqlite.ts Q2), the epoch is in the row, so that a task's
// former owner is fenced also after a restart.

import { badQuery } from "./refusals.ts";
import type { Written } from "./sqlite-group.ts";
import { readResume } from "./sqlite-read.ts";
import type { Tasks } from "./sqlite-tasks.ts";
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
    const { taken, undo } = this.#tasks.claims.tryTake(options);
    try {
      const claims = taken.map((task) => this.#raise(task.order, owner));
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

  #raise(num: number, owner: string): Claim {
    const found = readResume(this.#tasks, num);
    if (found === null) throw new RangeError(`Task number ${num} is open and has no row.`);
    const epoch = found.record.epoch + 1;
    this.#tasks.connection.run(RAISE, num);
    const record = Object.freeze({ ...found.record, epoch });
    this.#tasks.stage({ ...found.head, record: { ...found.head.record, epoch } });
    const { seq, spec } = record;
    return { taskId: spec.id, owner, epoch, seq, record, resume: epoch === 1 ? null : found.resume };
  }
}

function checkTtl(ttlMs: number): void {
  if (!(ttlMs > 0)) throw badQuery("ttl_ms", "milliseconds above 0", ttlMs);
}
