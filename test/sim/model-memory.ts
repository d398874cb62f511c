// What a model server has in memory: which models, with which options, who uses them, and whom it puts out for another.

import { taggedModel } from "../../src/core/load-profile.ts";

/** Who asks: a life of Troupe, or somebody else. */
export type Asker = number | "foreign";

/** A generation on a model, as long as its connection is open. */
export interface Seat {
  readonly model: string;
  readonly asker: Asker;
  readonly taskId: string;
  /** The connection broke: the server was started again. */
  broken: boolean;
  /** Nobody waits for it any more. */
  given: boolean;
}

export interface Wanted {
  readonly model: string;
  readonly contextTokens?: number | undefined;
}

interface Resident {
  readonly contextTokens: number | undefined;
  /** When it goes unless it is used. */
  dueAt: number;
}

export interface ModelMemoryOptions {
  readonly now: () => number;
  /** How many models there is room for; `null` where everything is always there. */
  readonly room: number | null;
  /** How long a model stays that nobody uses. */
  readonly keepMs: number;
}

export class ModelMemory {
  readonly #options: ModelMemoryOptions;
  readonly #residents = new Map<string, Resident>();
  readonly #seats = new Set<Seat>();

  constructor(options: ModelMemoryOptions) {
    this.#options = options;
  }

  has({ model, contextTokens }: Wanted): boolean {
    if (this.#options.room === null) return true;
    const found = this.#residents.get(taggedModel(model));
    return found !== undefined && found.contextTokens === contextTokens;
  }

  /** Models in memory, with how long each would stay. */
  *shown(): Generator<Wanted & { readonly leftMs: number }> {
    this.#expire();
    for (const [model, { contextTokens, dueAt }] of this.#residents)
      yield { model, contextTokens, leftMs: dueAt - this.#options.now() };
  }

  put({ model, contextTokens }: Wanted): void {
    this.#residents.set(model, { contextTokens, dueAt: this.#options.now() + this.#options.keepMs });
  }

  /** Lets it go, unless somebody uses it. */
  drop(model: string): void {
    if (!this.#isUsed(model)) this.#residents.delete(model);
  }

  /** Lets go of what nobody uses. */
  sweep(): void {
    for (const model of this.#residents.keys()) this.drop(model);
  }

  /** Everything is gone, and every connection broken. */
  clear(): void {
    for (const seat of this.#seats) seat.broken = true;
    this.#seats.clear();
    this.#residents.clear();
  }

  sit(seat: Seat): void {
    this.#seats.add(seat);
  }

  leave(seat: Seat): void {
    this.#seats.delete(seat);
    const resident = this.#residents.get(seat.model);
    if (resident) resident.dueAt = this.#options.now() + this.#options.keepMs;
  }

  /** Whoever asked is no more. */
  forget(asker: Asker): void {
    for (const seat of this.#seats) if (seat.asker === asker) this.#seats.delete(seat);
  }

  /** Makes room for a model, without those who are used; `false` when that is not enough. */
  makeRoom(model: string): boolean {
    this.#expire();
    if (this.#isUsed(model)) return false;
    this.#residents.delete(model);
    const idle = [...this.#residents.keys()].filter((each) => !this.#isUsed(each));
    const most = (this.#options.room ?? Infinity) - 1;
    if (this.#residents.size - idle.length > most) return false;
    for (const each of idle) if (this.#residents.size > most) this.#residents.delete(each);
    return true;
  }

  /**
   * Whose generations, of this asker, use this model; and whose are in its way: they use others of `ours` that leave
   * no room for it. What other programs brought takes room that nobody here can know of.
   */
  users(
    asker: Asker,
    model: string,
    ours: readonly string[],
  ): { readonly own: readonly string[]; readonly inTheWay: readonly string[] } {
    this.#expire();
    const name = taggedModel(model);
    const known = new Set(ours.map(taggedModel));
    const others = [...this.#residents.keys()].filter((each) => each !== name && known.has(each));
    const isFull = others.length >= (this.#options.room ?? Infinity);
    const mine = [...this.#seats].filter((seat) => seat.asker === asker && !seat.given);
    const own = mine.filter((seat) => seat.model === name);
    const victims = isFull ? mine.filter((seat) => seat.model !== name) : [];
    return { own: own.map(({ taskId }) => taskId), inTheWay: victims.map(({ taskId }) => taskId) };
  }

  #isUsed(model: string): boolean {
    return [...this.#seats].some((seat) => seat.model === model);
  }

  #expire(): void {
    for (const [model, { dueAt }] of this.#residents) if (dueAt <= this.#options.now()) this.drop(model);
  }
}

export function seatOf(model: string, who: { readonly asker: Asker; readonly taskId: string }): Seat {
  const { asker, taskId } = who;
  return { model: taggedModel(model), asker, taskId, broken: false, given: false };
}
