// Group commit: writes that come together share one transaction, so that one sync of the disk is for all of them.
//
// G1. Nobody is answered before COMMIT: not who succeeded, and not who was refused, since a refusal may rest on what
//     another write of the group did.
// G2. A write that is refused has written nothing, and the others stand: no savepoints, which would cost a copy of every
//     page. One that fails half-way is a defect; then all are rolled back, and each is carried out by itself. When the
//     medium fails, all of the group fail, nothing is written, and what memory was told is undone, last first.
// G3. Calls are carried out in the order in which they were made.
// G4. When somebody else has written the file, what memory says of it is not so any more: nothing is written from then on.
// G5. A group of which nobody needs the disk's word is committed without waiting for it. The log keeps the order: what is
//     synced later has it too, and a power loss can only take it when nothing came after it.

import { settle } from "../base/clock.ts";
import { toTroupeError } from "../base/errors.ts";
import type { StoredEvent } from "../core/event.ts";
import type { Connection } from "./sqlite-connection.ts";
import { ownedByAnother } from "./refusals.ts";
import { callErrorOf, troubleOf } from "./sqlite-errors.ts";
import type { Durability } from "./store.ts";

/** What a write did inside its transaction. */
export interface Written<T> {
  readonly value: T;
  readonly events?: readonly StoredEvent[];
  /** Tells memory, after COMMIT. Never throws. */
  readonly apply?: () => void;
  /** Takes back what memory was told already, when there will be no COMMIT. Never throws. */
  readonly undo?: () => void;
}

/** What an answer waits for: the disk, as the store's durability says; COMMIT alone; or nothing but its turn. */
type Needs = "disk" | "commit" | "turn";

interface Item {
  readonly work: () => Written<unknown>;
  /** One that needs its turn alone runs by itself, between transactions. */
  readonly needs: Needs;
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: unknown) => void;
}

interface Done {
  readonly item: Item;
  readonly written: Written<unknown> | null;
  readonly refusal: unknown;
}

/** Writes of one transaction: so many at most, so that no group keeps the event loop for long. */
const MAX_GROUP = 256;

/** Sets memory back to where it stood. Never throws. */
export type Restore = () => void;

/** What memory does with the transactions of its store. */
export interface Memory {
  /** Remembers where it stands; what it returns sets it back. */
  mark(): Restore;
  /** What the writes left for after COMMIT holds from now on. */
  committed(): void;
}

export interface GroupCommitOptions {
  readonly connection: Connection;
  /** What the connection was opened with. */
  readonly durability: Durability;
  readonly memory: Memory;
  /** Told of the events of a group after COMMIT, when all its writers have their answer. */
  readonly announce: (events: readonly StoredEvent[]) => void;
}

/** A write failed when it had written: by the rule that checks come first, a defect. */
class HalfWritten extends Error {}

/** Contract: `add` never throws; it rejects with what the write threw, or with StoreError of the medium's trouble. */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  #queue: Item[] = [];
  #scheduled = false;
  /** What SQLite counts writes of others with; `null` when it may have counted something else. */
  #foreignWrites: number | null;
  #owned = true;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#foreignWrites = foreignWrites(options.connection);
  }

  /** Queues a write. */
  add<T>(work: () => Written<T>): Promise<T> {
    return this.#push(work, "disk");
  }

  /** Queues a write that tells nobody outside this process, and may be lost with its power (G5). */
  addUnsynced<T>(work: () => Written<T>): Promise<T> {
    return this.#push(work, "commit");
  }

  /** Queues something that only memory is told, in its turn (G3). */
  addVolatile<T>(work: () => T): Promise<T> {
    return this.#push(() => ({ value: work() }), "turn");
  }

  /** Carries out all that is queued, now. */
  flush(): void {
    while (this.#queue.length > 0) this.#next();
  }

  #push<T>(work: () => Written<T>, needs: Needs): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({ work, needs, resolve: resolve as Item["resolve"], reject });
      this.#schedule();
    });
  }

  /** After the events that the loop has at hand, so that those who come in the same round share the group. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    void settle().then(() => {
      this.#scheduled = false;
      if (this.#queue.length > 0) this.#next();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  /** All that need the same, as far as they follow each other: who needs no disk must not wait for those who do (G5). */
  #next(): void {
    const { needs } = this.#queue[0] as Item;
    const other = this.#queue.findIndex((item) => item.needs !== needs);
    const alike = other < 0 ? this.#queue.length : other;
    const group = this.#queue.splice(0, needs === "turn" ? 1 : Math.min(alike, MAX_GROUP));
    if (needs === "turn") answer(attempt(group[0] as Item));
    else this.#commit(group);
  }

  #commit(group: readonly Item[]): void {
    let done: readonly Done[];
    try {
      done = this.#transaction(group);
    } catch (thrown) {
      if (thrown instanceof HalfWritten && group.length > 1) {
        // Each by itself, so that nobody fails with it (G2).
        for (const item of group) this.#commit([item]);
        return;
      }
      const failure = toTroupeError(callErrorOf(thrown instanceof HalfWritten ? thrown.cause : thrown));
      for (const item of group) item.reject(failure);
      return;
    }
    for (const { written } of done) written?.apply?.();
    this.#options.memory.committed();
    for (const each of done) answer(each);
    this.#options.announce(done.flatMap(({ written }) => written?.events ?? []));
  }

  /** Throws what fails the whole group, when nothing of it is left. */
  #transaction(group: readonly Item[]): readonly Done[] {
    const { connection, memory } = this.#options;
    const restore = memory.mark();
    const done: Done[] = [];
    const isSynced = group[0]?.needs === "disk";
    try {
      if (!isSynced) this.#sync("normal");
      connection.run("BEGIN IMMEDIATE");
      this.#checkOwned();
      for (const item of group) done.push(this.#carryOut(item));
      connection.run("COMMIT");
      return done;
    } catch (thrown) {
      rollBack(connection);
      // A medium that failed makes SQLite drop its cache, which it counts like a write of somebody else.
      this.#foreignWrites = null;
      for (const { written } of done.toReversed()) written?.undo?.();
      restore();
      throw thrown;
    } finally {
      if (!isSynced) this.#sync("full");
    }
  }

  /** Only where every group is synced is there one to leave out. */
  #sync(mode: "full" | "normal"): void {
    const { connection, durability } = this.#options;
    if (durability === "full") connection.exec(`PRAGMA synchronous = ${mode}`);
  }

  /** Keeps G4. Throws StoreError `database_owned`. */
  #checkOwned(): void {
    const now = foreignWrites(this.#options.connection);
    this.#owned &&= this.#foreignWrites === null || now === this.#foreignWrites;
    this.#foreignWrites = now;
    if (!this.#owned) throw ownedByAnother();
  }

  /** Throws what fails the whole group; a refusal is kept for later (G1). */
  #carryOut(item: Item): Done {
    const { connection, memory } = this.#options;
    const restore = memory.mark();
    const before = connection.changes;
    const done = attempt(item);
    if (done.written !== null) return done;
    if (troubleOf(done.refusal) !== null || !connection.inTransaction) throw done.refusal;
    if (connection.changes !== before) throw new HalfWritten("", { cause: done.refusal });
    restore();
    return done;
  }
}

function foreignWrites(connection: Connection): number {
  return connection.get<{ data_version: number }>("PRAGMA data_version")?.data_version ?? 0;
}

function attempt(item: Item): Done {
  try {
    return { item, written: item.work(), refusal: null };
  } catch (refusal) {
    return { item, written: null, refusal };
  }
}

function answer({ item, written, refusal }: Done): void {
  if (written === null) item.reject(toTroupeError(callErrorOf(refusal)));
  else item.resolve(written.value);
}

function rollBack(connection: Connection): void {
  try {
    // SQLite has rolled back by itself after some failures.
    if (connection.inTransaction) connection.run("ROLLBACK");
  } catch {
    // The failure that brought us here is the one to tell.
  }
}
