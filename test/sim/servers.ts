// The incarnations of the server, one after the other: begins them, ends them as the world says, and begins the next
// after a while, over the same store and after it gave up what the dead one owned.

import type { CommitWrite } from "../../src/store/store.ts";
import { Incarnation, type Ground } from "./incarnation.ts";
import { Life, type Point } from "./life.ts";
import type { Server } from "./people.ts";
import type { Caps, Ending } from "./world.ts";

/** A start that failed is tried again, as whoever supervises a server does. */
const START_AGAIN_MS = 1_000;
/** Of the writes that a crash left on their way, this share arrives after the restart. */
const LATE_SHARE = 0.3;

export interface ServersOptions {
  readonly ground: Ground;
  /** A new incarnation answers. */
  readonly onReady: () => void;
  /** An incarnation is no more. */
  readonly onGone: (life: number) => void;
}

export class Servers {
  readonly #options: ServersOptions;
  readonly #owners: string[] = [];
  #current: Incarnation | null = null;
  #ready = false;
  #number = 0;
  #spared = false;
  #closing = false;

  constructor(options: ServersOptions) {
    this.#options = options;
  }

  /** The incarnation that lives, whether it answers yet or not. */
  get current(): Incarnation | null {
    return this.#current?.life.dead === false ? this.#current : null;
  }

  /** The server as people reach it; `null` while none answers. */
  get serving(): Server | null {
    const current = this.current;
    return current && this.#ready ? { api: current.api, life: current.life.number } : null;
  }

  /** Whether the incarnation that lives lets go already: its scheduler decides nothing any more. */
  get closing(): boolean {
    return this.#closing;
  }

  /** Begins the next incarnation. */
  start(): void {
    const { ground } = this.#options;
    const { world, clock, note, tell } = ground;
    const number = this.#number++;
    const ending = this.#spared ? undefined : world.endings[number];
    const life = new Life(number, ending?.afterPoints ?? null, (_, where) => this.#died(where));
    const caps = (world.caps[number] ?? world.caps.at(-1)) as Caps;
    note(
      `life ${number} begins with ${caps.slots} slots, ${caps.places} places, ${caps.childSlots} child slots`,
    );
    this.#ready = false;
    this.#closing = false;
    tell({ kind: "life.began", life: number, caps });
    this.#current = new Incarnation(ground, life, caps);
    if (ending?.afterPoints === null) {
      clock.after(Math.max(0, ending.atMs - clock.monotonic()), () => this.#close(number));
    }
    this.#recover(this.#current);
  }

  /** No incarnation ends any more. */
  spare(): void {
    this.#spared = true;
    this.#current?.life.spare();
  }

  /** Notices a death and sees to the next life. */
  afterStep(): void {
    const dead = this.#current;
    if (!dead?.life.dead) return;
    this.#current = null;
    const { ground, onGone } = this.#options;
    const { world, clock, dice } = ground;
    if (dead.owner !== null) this.#owners.push(dead.owner);
    const late = dead.crash().filter(({ name }) => name === "commit" && dice.chance(LATE_SHARE));
    onGone(dead.life.number);
    const ending: Ending | undefined = world.endings[dead.life.number];
    clock.after(ending?.downMs ?? START_AGAIN_MS, () => void this.#startAgain(dead.life.number, late));
  }

  async #startAgain(life: number, late: readonly { readonly args: unknown[] }[]): Promise<void> {
    const { store } = this.#options.ground;
    // Opening the store gives up what nobody lives to own.
    for (const owner of this.#owners) await store.release(owner);
    this.start();
    for (const { args } of late) this.#arriveLate(life, args);
  }

  /** A write of a life that is over comes to the store after others took its task: it must be refused. */
  #arriveLate(life: number, args: unknown[]): void {
    const { clock, store, tell, note } = this.#options.ground;
    const [{ taskId, epoch }, seq, write] = args as [
      { readonly taskId: string; readonly epoch: number },
      number,
      CommitWrite,
    ];
    clock.after(20, () => {
      store.commit({ taskId, epoch }, seq, write).then(
        () => tell({ kind: "late.write", life, taskId, epoch }),
        () => note(`a late write of life ${life} is refused`),
      );
    });
  }

  #recover(incarnation: Incarnation): void {
    const { tell, note } = this.#options.ground;
    const { life, caps } = incarnation;
    incarnation.recover().then(
      () => {
        if (life.dead) return;
        note(`life ${life.number} answers`);
        this.#ready = true;
        tell({ kind: "life.ready", life: life.number, caps });
        this.#options.onReady();
      },
      (thrown: unknown) => {
        if (life.dead) return;
        note(`life ${life.number} cannot start: ${String(thrown)}`);
        life.end(null);
      },
    );
  }

  /** The graceful end: the runtime lets go by itself, and the process ends after it. */
  #close(number: number): void {
    const incarnation = this.current;
    if (this.#spared || incarnation?.life.number !== number) return;
    const { tell, note, clock, world } = this.#options.ground;
    note(`life ${number} closes`);
    this.#closing = true;
    tell({ kind: "closing", life: number });
    const begunAt = clock.monotonic();
    const end = (problem: string | null): void => {
      if (incarnation.life.dead) return;
      tell({ kind: "closed", life: number, ms: clock.monotonic() - begunAt, problem });
      incarnation.life.end(null);
    };
    const { graceMs } = world.endings[number] as Ending;
    const drained = graceMs === null ? Promise.resolve() : incarnation.runtime.drain(graceMs);
    drained
      .then(() => incarnation.runtime.close())
      .then(
        () => end(null),
        (thrown: unknown) => end(String(thrown)),
      );
  }

  #died(where: Point | null): void {
    const { note, tell } = this.#options.ground;
    const life = this.#number - 1;
    note(where === null ? `life ${life} ends` : `life ${life} crashes at ${where}`);
    tell({ kind: "life.ended", life, how: where === null ? "close" : "crash" });
  }
}
