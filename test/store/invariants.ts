// What must hold of any store whatever was asked of it, checked from one reading to the next, without a model.

import type { InboxEntry, Store } from "../../src/store/store.ts";

/** Contract: `broken` reads the store and returns what does not hold, in words; it remembers the reading. */
export class Invariants {
  readonly #entries = new Map<string, InboxEntry>();
  readonly #epochs = new Map<string, number>();
  readonly #ends = new Map<string, string>();

  async broken(store: Store): Promise<readonly string[]> {
    const broken: string[] = [];
    const { items } = await store.list({});
    this.#forgetBut(new Set(items.map(({ spec }) => spec.id)));
    for (const { spec, state, epoch, end } of items) {
      const seqs = (await store.events({ after: 0, taskId: spec.id })).map((event) => event.seq);
      if (seqs.some((seq, at) => seq !== (seqs[0] ?? 0) + at))
        broken.push(`D4 ${spec.id} has events ${seqs.join()}`);
      if (epoch < (this.#epochs.get(spec.id) ?? 0))
        broken.push(`D3 the epoch of ${spec.id} fell to ${epoch}`);
      this.#epochs.set(spec.id, epoch);
      const ended = this.#ends.get(spec.id) ?? state;
      if (ended !== state) broken.push(`D6 ${spec.id} was ${ended} and is ${state}`);
      if (end !== null) this.#ends.set(spec.id, state);
      broken.push(...this.#brokenEntries(await store.inbox(spec.id, 0)));
    }
    const cursors = (await store.events({ after: 0 })).map((event) => event.cursor);
    if (cursors.some((cursor, at) => at > 0 && cursor <= (cursors[at - 1] ?? 0)))
      broken.push(`D4 ${cursors.join()}`);
    return broken;
  }

  /** What was pruned may be submitted anew, and begins anew. */
  #forgetBut(ids: ReadonlySet<string>): void {
    for (const id of this.#epochs.keys()) if (!ids.has(id)) this.#epochs.delete(id);
    for (const id of this.#ends.keys()) if (!ids.has(id)) this.#ends.delete(id);
    for (const [key, { taskId }] of this.#entries) if (!ids.has(taskId)) this.#entries.delete(key);
  }

  #brokenEntries(entries: readonly InboxEntry[]): readonly string[] {
    const broken: string[] = [];
    // What comes of a child and what somebody wrote may have one id.
    const ids = entries.map(({ message: { kind, id } }) =>
      kind === "completion" || kind === "question" ? `${kind} ${id}` : id,
    );
    if (new Set(ids).size < ids.length) broken.push(`D5 an id has two entries: ${ids.join()}`);
    for (const [at, entry] of entries.entries()) {
      const key = `${entry.taskId} ${entry.position}`;
      const before = this.#entries.get(key);
      if (entry.position !== at + 1) broken.push(`D5 entry ${key} is in place ${at + 1}`);
      const settled = before !== undefined && before.state !== "queued";
      if (settled && JSON.stringify(before) !== JSON.stringify(entry))
        broken.push(`D5 entry ${key} was taken twice`);
      this.#entries.set(key, entry);
    }
    return broken;
  }
}
