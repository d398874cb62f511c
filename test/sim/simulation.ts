// One world, from its first step to its rest: fires one timer after the other, lets everything that can run run, and
// asks the checks. Incarnations of the server come and go as the world says; the store and its witness stay.

import { settle } from "../../src/base/clock.ts";
import { MemoryStore } from "../../src/store/memory.ts";
import { Book } from "./book.ts";
import { Checks, type Violation } from "./check.ts";
import { CHECKS, LIVENESS, MODEL_CHECK } from "./checks.ts";
import { WorldClock } from "./clock.ts";
import { Dice, streamOf, STREAMS } from "./dice.ts";
import type { Fact } from "./facts.ts";
import { advance } from "./model.ts";
import { EXTRA_PATH, People } from "./people.ts";
import { happen, putRight, serversOf } from "./mishaps.ts";
import type { ModelServer } from "./model-server.ts";
import { extraPlan, PlannedModel, plansOf } from "./plan.ts";
import { readRest } from "./rest.ts";
import { useSameTicks } from "./same-ticks.ts";
import { Servers } from "./servers.ts";
import { StoreWitness } from "./store-witness.ts";
import { Trace } from "./trace.ts";
import { drawWorld, type World, type WorldOptions } from "./world.ts";

/** Longer than any world here takes to come to rest: tasks time out after 5 s of active time. */
const LONGEST_MS = 900_000;
/** What still stirs after the last end, such as actors that fall asleep, is over by then. */
const MOST_STEPS = 100_000;
const QUIET_MS = 20_000;
const TEND_MS = 250;

export interface SimulationOptions extends WorldOptions {
  readonly keepTrace: boolean;
}

export interface Outcome {
  readonly seed: number;
  readonly hash: string;
  readonly violation: Violation | null;
  readonly lines: readonly string[];
  readonly steps: number;
  readonly tasks: number;
  readonly lives: number;
}

export class Simulation {
  readonly #world: World;
  readonly #clock = new WorldClock();
  readonly #trace: Trace;
  readonly #book: Book;
  readonly #checks = new Checks(CHECKS);
  readonly #store: MemoryStore;
  readonly #people: People;
  readonly #servers: Servers;
  readonly #models: ReadonlyMap<string, ModelServer>;
  #serial = 0;
  #calm = false;
  #steps = 0;
  /** Facts so far, and when the last step was checked: a step that told nothing changed nothing. */
  #facts = 0;
  #checkedAt = -1;

  constructor(seed: number, options: SimulationOptions) {
    this.#world = drawWorld(seed, options);
    this.#trace = new Trace(options.keepTrace);
    const now = (): number => this.#clock.monotonic();
    this.#book = new Book(now, this.#world);
    const tell = (fact: Fact): void => this.tell(fact);
    const note = (text: string): void => this.#trace.line(now(), text);
    const product = streamOf(seed, STREAMS.product);
    const { maxEvents } = this.#world;
    const kept = maxEvents !== null && { maxEvents };
    this.#store = new MemoryStore({ clock: this.#clock, random: product, ...kept });
    this.#store.onWrite((events) => {
      for (const event of events) tell({ kind: "event", event });
    });
    const plans = [...this.#world.roots.flatMap(({ plan }) => plansOf(plan)), extraPlan(EXTRA_PATH)];
    const serial = (): number => this.#serial++;
    this.#models = serversOf(this.#world.box, this.#clock);
    this.#servers = new Servers({
      ground: {
        world: this.#world,
        clock: this.#clock,
        store: this.#store,
        random: product,
        dice: new Dice(streamOf(seed, STREAMS.chaos)),
        model: new PlannedModel(plans, serial),
        servers: this.#models,
        witness: new StoreWitness({ tell, trace: this.#trace, now }),
        isCalm: () => this.#calm,
        taskOf: (goal) => this.#taskOf(goal),
        tell,
        note,
      },
      onReady: () => this.#serve(),
      onGone: (life) => {
        this.#people.cutOff(life);
        this.#models.forEach((server) => server.hangUp(life));
      },
    });
    this.#people = new People({
      roots: this.#world.roots,
      server: () => this.#servers.serving,
      tell,
      note,
      serial,
      tasks: () => [...this.#book.model.tasks.keys()],
      asking: () => this.#book.asking,
      label: (id) => this.#trace.label(id),
      later: (ms, act) => void this.#clock.after(ms, act),
    });
  }

  /** Books a fact, once the checks have looked at it. */
  tell(fact: Fact): void {
    this.#facts++;
    const complaint = advance(this.#book.model, fact);
    if (complaint !== null) this.#checks.complain(MODEL_CHECK, complaint, this.#book.now);
    this.#checks.fact(fact, this.#book);
    this.#book.note(fact);
  }

  /** Plays the world until it is at rest, or something is wrong. */
  async play(): Promise<Outcome> {
    useSameTicks();
    this.#schedule();
    this.#servers.start();
    await settle();
    await this.#until(() => this.#clock.monotonic() >= this.#world.calmAtMs);
    this.#calm = true;
    putRight(this.#models);
    this.#servers.spare();
    const ended = (await this.#comeToRest()) && (await this.#closeSessions());
    if (!this.#checks.violation && !ended) {
      this.#checks.complain(LIVENESS, this.#whatIsOpen(), this.#book.now);
    }
    if (!this.#checks.violation) await this.#lookAtRest();
    return {
      seed: this.#world.seed,
      hash: this.#trace.hash,
      violation: this.#checks.violation,
      lines: this.#trace.lines,
      steps: this.#steps,
      tasks: this.#book.model.tasks.size,
      lives: this.#book.lives,
    };
  }

  #schedule(): void {
    const { roots, deeds, jumps, calmAtMs } = this.#world;
    const at = (ms: number, act: () => void): void => void this.#clock.after(ms, act);
    for (const { atMs } of roots) at(atMs, () => this.#people.tend(this.#clock.monotonic()));
    for (const deed of deeds) at(deed.atMs, () => this.#people.act(deed));
    for (const { atMs, byMs } of jumps) {
      at(atMs, () => {
        this.#trace.line(this.#clock.monotonic(), `the wall clock jumps by ${byMs}`);
        this.#clock.jump(byMs);
        this.tell({ kind: "jumped", ms: byMs });
      });
    }
    for (const { atMs, caps } of this.#world.changes) {
      at(atMs, () => {
        this.#trace.line(atMs, `the box has ${caps.slots} slots and ${caps.places} places now`);
        this.#servers.current?.change(caps);
      });
    }
    for (const mishap of this.#world.box?.mishaps ?? []) {
      at(mishap.atMs, () => happen(mishap, this.#models, { clock: this.#clock, trace: this.#trace }));
    }
    at(calmAtMs, () => {});
    const tend = (): void => {
      this.#people.tend(this.#clock.monotonic());
      if (!this.#people.satisfied) at(TEND_MS, tend);
    };
    at(TEND_MS, tend);
  }

  /** A server answers: people come back to it. */
  #serve(): void {
    if (this.#world.watched) this.#people.watch();
    if (this.#people.paused) this.#people.pause(true);
    this.#people.tend(this.#clock.monotonic());
  }

  /** All tasks have ended, and sessions listen. */
  async #comeToRest(): Promise<boolean> {
    await this.#until(() => this.#servers.serving !== null);
    if (this.#people.paused) this.#people.pause(false);
    return this.#until(() => this.#people.satisfied && this.#isIdle());
  }

  /** A word to each session first, so that it reads what `/stop` held back. */
  async #closeSessions(): Promise<boolean> {
    for (const id of this.#openSessions()) this.#people.say(id, "bye");
    await this.#pass(1);
    if (!(await this.#until(() => this.#isIdle() && this.#hasReadAll()))) return false;
    for (const id of this.#openSessions()) this.#people.close(id);
    const ended = await this.#until(() => this.#book.open === 0);
    await this.#pass(QUIET_MS);
    for (const [id] of this.#book.model.tasks) {
      this.#people.collectNow(id);
      this.#people.collectNow(id);
    }
    await this.#pass(QUIET_MS);
    return ended;
  }

  #openSessions(): readonly string[] {
    const open: string[] = [];
    for (const [id, task] of this.#book.model.tasks) {
      if (!task.end && task.spec.kind === "session") open.push(id);
    }
    return open;
  }

  #isIdle(): boolean {
    for (const task of this.#book.model.tasks.values()) {
      if (task.end) continue;
      if (task.spec.kind !== "session" || task.phase !== "waiting_input") return false;
    }
    return true;
  }

  /** No session has mail that it has not read. */
  #hasReadAll(): boolean {
    return this.#openSessions().every((id) => {
      const task = this.#book.task(id);
      return task !== undefined && task.cursor === task.inbox.length;
    });
  }

  #whatIsOpen(): string {
    const open: string[] = [];
    for (const [id, { end, state, phase, spec }] of this.#book.model.tasks) {
      if (!end) open.push(`${this.#trace.label(id)} "${spec.goal}" ${state}/${phase}`);
    }
    return open.length > 0 ? `still open: ${open.join(", ")}` : "people were never satisfied";
  }

  /** Steps until something holds; `false` when it never does, or something is wrong. */
  async #until(holds: () => boolean): Promise<boolean> {
    const limit = this.#clock.monotonic() + LONGEST_MS;
    while (!this.#checks.violation && this.#steps < MOST_STEPS) {
      if (holds()) return true;
      const due = this.#clock.nextDue;
      if (due === null || due > limit) return false;
      await this.#step();
    }
    return false;
  }

  async #pass(ms: number): Promise<void> {
    let over = false;
    this.#clock.after(ms, () => {
      over = true;
    });
    await this.#until(() => over);
  }

  async #step(): Promise<void> {
    this.#steps++;
    try {
      this.#clock.fire();
    } catch (thrown) {
      this.tell({ kind: "unhandled", message: `thrown at a timer: ${stackOf(thrown)}` });
    }
    await settle();
    this.#servers.afterStep();
    const { current } = this.#servers;
    if (!current || this.#servers.closing || this.#checkedAt === this.#facts) return;
    this.#checkedAt = this.#facts;
    const lanes = current.lanes();
    this.#checks.step({ lanes, inFlight: current.inFlight }, this.#book);
    this.#book.noteLanes(lanes);
  }

  async #lookAtRest(): Promise<void> {
    const { current } = this.#servers;
    if (!current) return;
    const calls = this.#people.openCalls(current.life.number);
    const unanswered = calls.map(({ number, name }) => `${number} ${name}`);
    const rest = await readRest({ store: this.#store, current, unanswered });
    this.#checks.rest(rest, this.#book);
  }

  #taskOf(goal: string): { readonly taskId: string; readonly session: boolean } | null {
    const taskId = this.#book.byGoal.get(goal) ?? this.#people.sessionOf(goal);
    if (taskId === null || taskId === undefined) return null;
    return { taskId, session: this.#book.task(taskId)?.spec.kind === "session" };
  }
}

export function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}

/** Plays the world of one seed. */
export function simulate(seed: number, options: SimulationOptions): Promise<Outcome> {
  return new Simulation(seed, options).play();
}
