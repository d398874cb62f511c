// Who is next among those who wait for one thing: levels by priority; within a level the group that has had least, and
// groups that have had the same in turn; within a group the lowest rank. It grants nothing and knows no clock.
//
// Q1. Bounded bypass (S4): while a level below the strict ones has somebody waiting, at most
//     BYPASS_LIMIT + (levels - 1) takes from other such levels go before the next take from it.
//     Proof: after BYPASS_LIMIT of them it is overdue; of the overdue levels the longest passed over goes first, and
//     a level that was served starts again at 0, so each other level can go before it once more at most.
// Q2. Strict levels go before all others and are not counted as bypass.
// Q3. `take`, `push` and `remove` are O(levels + log n). A position is O(1) while entries only joined at the end
//     and left at the front since the last one was asked for, and O(n log n) after any other change.

import { Heap, isBefore, type HeapItem } from "./heap.ts";

/** How often a waiting level may be passed over before it is overdue. */
export const BYPASS_LIMIT = 8;

export interface QueueEntry extends HeapItem {
  /** 0 is the highest priority. Level and group must not change while the entry waits. */
  level: number;
  /** Groups of one level take turns. */
  group: string;
  /** Kept by the queue. */
  orderIndex: number;
  /** Kept by the queue. */
  orderEpoch: number;
}

interface Group<T extends QueueEntry> extends HeapItem {
  readonly key: string;
  readonly entries: Heap<T>;
}

interface Level<T extends QueueEntry> {
  size: number;
  /** Takes from other levels since this one was last served, while somebody waited here. */
  passed: number;
  readonly groups: Map<string, Group<T>>;
  /** Ranked by what each has had, then by turn: who was served longest ago is first. */
  readonly ring: Heap<Group<T>>;
}

/** What groups have had, where they are to be served alike; all the same where nobody counts. */
export interface Dues {
  /** Lowest first. */
  of(group: string): number;
  /** What being served adds to it at once. */
  readonly each: number;
}

/** A group while the order is played. */
interface Turn<T> extends HeapItem {
  readonly entries: readonly T[];
  next: number;
}

interface Standing {
  size: number;
  passed: number;
}

/** Which levels go before all others, and how many are served at all; the rest stay closed. */
interface Span {
  readonly strict: number;
  readonly open: number;
}

/**
 * The line before one gate.
 * Contract: never throws. An entry waits in one queue at most; `remove` and `position` are only for entries that wait
 * here. Deterministic: the same calls in the same order give the same order of service.
 */
export class WaitQueue<T extends QueueEntry> {
  readonly #levels: Level<T>[];
  #span: Span;
  #size = 0;
  #turn = 0;
  #epoch = 0;
  #firstIndex = 0;
  #nextIndex = 0;
  /** The last entry in the order of service; `undefined` when the order must be found anew. */
  #last: T | undefined;
  readonly #dues: Dues;

  constructor(options: { readonly levels: number; readonly strict: number; readonly dues?: Dues }) {
    this.#dues = options.dues ?? { of: () => 0, each: 0 };
    this.#levels = Array.from({ length: options.levels }, () => ({
      size: 0,
      passed: 0,
      groups: new Map(),
      ring: new Heap(),
    }));
    this.#span = { strict: options.strict, open: options.levels };
  }

  get size(): number {
    return this.#size;
  }

  /** Only the first `levels` levels are served from now on; the others keep their places. */
  open(levels: number): void {
    this.#span = { strict: this.#span.strict, open: levels };
    this.#forgetOrder();
  }

  push(entry: T): void {
    const level = this.#levels[entry.level] as Level<T>;
    this.#index(entry, level);
    let group = level.groups.get(entry.group);
    if (group === undefined) {
      const rank = this.#dues.of(entry.group);
      group = { key: entry.group, entries: new Heap(), rank, tie: this.#turn++, heapIndex: -1 };
      level.groups.set(entry.group, group);
      level.ring.push(group);
    }
    group.entries.push(entry);
    level.size++;
    this.#size++;
  }

  /** Takes out an entry that is not served: it was withdrawn, or it moves to another level. */
  remove(entry: T): void {
    if (entry.orderEpoch === this.#epoch) this.#forgetOrder();
    this.#drop(entry, false);
  }

  /** What this group has had is another now, or what being served adds. */
  due(key: string): void {
    this.#forgetOrder();
    for (const level of this.#levels) {
      const group = level.groups.get(key);
      if (group === undefined) continue;
      level.ring.remove(group);
      group.rank = this.#dues.of(key);
      level.ring.push(group);
    }
  }

  /** Of each group on each open level its first. */
  *heads(): Iterable<T> {
    for (const { ring } of this.#levels.slice(0, this.#span.open)) {
      for (const { entries } of ring.items) yield entries.peek() as T;
    }
  }

  /** Takes out the next entry; `undefined` when nobody waits on an open level. */
  take(): T | undefined {
    const index = chooseLevel(this.#levels, this.#span);
    if (index < 0) return undefined;
    countBypass(this.#levels, index, this.#span);
    const level = this.#levels[index] as Level<T>;
    const entry = level.ring.peek()?.entries.peek() as T;
    if (entry.orderEpoch === this.#epoch) this.#firstIndex++;
    this.#drop(entry, true);
    return entry;
  }

  /** 1 is next, as things stand. The entry must wait here. */
  position(entry: T): number {
    if (entry.orderEpoch !== this.#epoch) this.#restoreOrder();
    return entry.orderIndex - this.#firstIndex + 1;
  }

  /**
   * Everybody in the order in which they would be served if nobody else came: the same rules, played on copies of the
   * counters.
   */
  order(): readonly T[] {
    const lists = this.#levels.map((level) => rotation(level.ring, this.#dues.each));
    const standings: Standing[] = this.#levels.map(({ size, passed }) => ({ size, passed }));
    const taken = lists.map(() => 0);
    const order: T[] = [];
    let span = this.#span;
    while (order.length < this.#size) {
      const index = chooseLevel(standings, span);
      if (index < 0) {
        span = { ...span, open: this.#levels.length }; // The closed levels follow those that are served now.
        continue;
      }
      countBypass(standings, index, span);
      const standing = standings[index] as Standing;
      standing.size--;
      if (standing.size === 0) standing.passed = 0;
      const at = taken[index] as number;
      order.push((lists[index] as T[])[at] as T);
      taken[index] = at + 1;
    }
    return order;
  }

  #drop(entry: T, served: boolean): void {
    const level = this.#levels[entry.level] as Level<T>;
    const group = level.groups.get(entry.group) as Group<T>;
    group.entries.remove(entry);
    entry.orderEpoch = -1;
    // Only a group that was served loses its turn; one that somebody left keeps it.
    if (served || group.entries.size === 0) level.ring.remove(group);
    if (group.entries.size === 0) level.groups.delete(group.key);
    else if (served) {
      group.rank = this.#dues.of(group.key) + this.#dues.each;
      group.tie = this.#turn++;
      level.ring.push(group);
    }
    level.size--;
    this.#size--;
    if (level.size === 0) level.passed = 0;
    if (this.#last === entry) this.#last = undefined;
  }

  /** Gives a newcomer its index at once where it is certain to be served last; otherwise the order is lost. */
  #index(entry: T, level: Level<T>): void {
    const last = this.#last;
    // Proof: it is behind everybody of its level, and nobody of another level comes after the last one now.
    const follows =
      this.#size === 0 ||
      (last !== undefined &&
        last.level === entry.level &&
        isBefore(last, entry) &&
        level.groups.size === 1 &&
        level.groups.has(entry.group));
    if (!follows) return this.#forgetOrder();
    if (this.#size === 0) this.#firstIndex = this.#nextIndex;
    entry.orderEpoch = this.#epoch;
    entry.orderIndex = this.#nextIndex++;
    this.#last = entry;
  }

  #forgetOrder(): void {
    this.#epoch++;
    this.#last = undefined;
  }

  #restoreOrder(): void {
    const order = this.order();
    this.#epoch++;
    this.#firstIndex = 0;
    this.#nextIndex = order.length;
    this.#last = order.at(-1);
    for (const [index, entry] of order.entries()) {
      entry.orderEpoch = this.#epoch;
      entry.orderIndex = index;
    }
  }
}

/** The level to serve next, or -1. */
function chooseLevel(levels: readonly Standing[], { strict, open }: Span): number {
  let first = -1;
  let overdue = -1;
  for (let index = 0; index < open; index++) {
    const { size, passed } = levels[index] as Standing;
    if (size === 0) continue;
    if (index < strict) return index; // keeps Q2
    if (first < 0) first = index;
    const longest = overdue < 0 ? BYPASS_LIMIT - 1 : (levels[overdue] as Standing).passed;
    if (passed > longest) overdue = index; // keeps Q1
  }
  return overdue < 0 ? first : overdue;
}

/** Counts the take for every other level that it went before. */
function countBypass(levels: readonly Standing[], served: number, { strict, open }: Span): void {
  if (served < strict) return;
  for (let index = strict; index < open; index++) {
    const level = levels[index] as Standing;
    if (index === served) level.passed = 0;
    else if (level.size > 0) level.passed++;
  }
}

/** The entries of one level in the order of service, each adding to what its group has had. */
function rotation<T extends QueueEntry>(ring: Heap<Group<T>>, each: number): T[] {
  const order: T[] = [];
  const turns = new Heap<Turn<T>>();
  let tie = 0;
  for (const { rank, entries } of sorted(ring.items)) {
    turns.push({ rank, tie: tie++, heapIndex: -1, entries: sorted(entries.items), next: 0 });
  }
  for (let turn = turns.peek(); turn !== undefined; turn = turns.peek()) {
    order.push(turn.entries[turn.next++] as T);
    turns.remove(turn);
    turn.rank += each;
    turn.tie = tie++;
    if (turn.next < turn.entries.length) turns.push(turn);
  }
  return order;
}

function sorted<T extends HeapItem>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => (isBefore(a, b) ? -1 : 1));
}
