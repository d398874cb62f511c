// Claims as a store in memory hands them out: with what a task needs to go on, and once more to one who asks again.
//
// Q1. The last answer to each owner that named its request is kept, so that its repetition takes nothing (D1).

import { Claims } from "./claims.ts";
import type { MemoryTask } from "./memory-task.ts";
import { badQuery } from "./refusals.ts";
import type { Claim, Store } from "./store.ts";

interface Answer {
  readonly request: string;
  readonly claims: readonly Claim[];
}

/** Contract: `claim` and `renew` throw InvalidRequestError `bad_ttl_ms`. */
export class MemoryClaims extends Claims<MemoryTask> {
  readonly #answers = new Map<string, Answer>();

  claim(options: Parameters<Store["claim"]>[0]): readonly Claim[] {
    const { owner, request, ttlMs } = options;
    checkTtl(ttlMs);
    const before = this.#answers.get(owner);
    if (before !== undefined && before.request === request) return before.claims;
    const claims = Object.freeze(this.take(options).map((task) => claimOf(task, owner)));
    if (request !== undefined) this.#answers.set(owner, { request, claims });
    return claims;
  }

  override renew(owner: string, ttlMs: number): readonly string[] {
    checkTtl(ttlMs);
    return super.renew(owner, ttlMs);
  }
}

function claimOf(task: MemoryTask, owner: string): Claim {
  const resume = task.record.epoch === 0 ? null : task.resumePoint;
  task.record = Object.freeze({ ...task.record, epoch: task.record.epoch + 1 });
  const { epoch, seq } = task.record;
  return Object.freeze({ taskId: task.id, owner, epoch, seq, record: task.record, resume });
}

function checkTtl(ttlMs: number): void {
  if (!(ttlMs > 0)) throw badQuery("ttl_ms", "milliseconds above 0", ttlMs);
}
