// A whole runtime with random trees in it, and people who steer, cancel, message and close at random times. Calls
// are never awaited while time moves, as many callers at once would not.

import fc from "fast-check";
import { TroupeError } from "../../src/base/errors.ts";
import { seededRandom } from "../../src/base/ids.ts";
import { lineLogger } from "../../src/base/log.ts";
import type { SteerReceipt } from "../../src/core/api.ts";
import { DEFAULT_TASK_LIMITS } from "../../src/core/limits.ts";
import { DEEPEST, ForestModel, goalOf, planArbitrary, type Plan } from "./forest-plan.ts";
import { rig, type Rig } from "./rig.ts";
import { distantStore } from "./wrapped-store.ts";

/**
 * Longer than any tree here takes: tasks time out after 5 s of active time, and there are some dozens. No multiple of
 * a heartbeat, whose calls to a store that fails now and then may take a while.
 */
const REST_MS = 303_000;
/** The reaper looks all the time while trees grow: what it gives back stands in the log as an error. */
const REAP_EVERY_MS = 40;
const REAP_FOR_MS = 8_000;

export type Deed =
  | "steer"
  | "interrupt"
  | "cancel"
  | "force"
  | "message"
  | "stop"
  | "close"
  | "pause"
  | "collect";

export interface Action {
  readonly deed: Deed;
  readonly atMs: number;
  /** Whom it concerns: a place in the list of all tasks, from its end, at that time. */
  readonly whom: number;
}

export interface Forest {
  /** Each root, and whether a session carries it out. */
  readonly roots: readonly { readonly plan: Plan; readonly session: boolean; readonly atMs: number }[];
  readonly actions: readonly Action[];
  readonly slots: number;
  readonly places: number;
  readonly childSlots: number;
  /** Milliseconds that a call to the store takes at most, each way; 0 for the store in memory as it is. */
  readonly storeMs: number;
  /** The share of calls to the store that fail, before and again after they were made. */
  readonly lossy: number;
  readonly seed: number;
}

const DEEDS: readonly Deed[] = [
  "steer",
  "interrupt",
  "cancel",
  "force",
  "message",
  "stop",
  "close",
  "pause",
  "collect",
];

export const forestArbitrary: fc.Arbitrary<Forest> = fc.record({
  roots: fc.array(
    fc.record({ plan: planArbitrary, session: fc.boolean(), atMs: fc.constantFrom(0, 0, 3, 200) }),
    { minLength: 1, maxLength: 3 },
  ),
  actions: fc.array(
    fc.record({ deed: fc.constantFrom(...DEEDS), atMs: fc.nat({ max: 4_000 }), whom: fc.nat({ max: 12 }) }),
    { maxLength: 14 },
  ),
  slots: fc.integer({ min: 1, max: 3 }),
  places: fc.integer({ min: 1, max: 3 }),
  childSlots: fc.integer({ min: 1, max: 3 }),
  storeMs: fc.constantFrom(0, 0, 1, 4),
  lossy: fc.constantFrom(0, 0, 0.02),
  seed: fc.nat(),
});

/** What happened, for the checks. */
export interface Harvest {
  readonly rig: Rig;
  readonly receipts: readonly SteerReceipt[];
  /** What was thrown at a caller and is no TroupeError. */
  readonly untyped: readonly unknown[];
  /** Calls that never came back. */
  readonly unanswered: readonly string[];
  /** Lines of the log at the level of errors. */
  readonly complaints: readonly string[];
  /** Waits for an end that came back without one. */
  readonly endless: readonly string[];
}

export class ForestRun {
  readonly rig: Rig;
  readonly #forest: Forest;
  readonly #receipts: SteerReceipt[] = [];
  readonly #untyped: unknown[] = [];
  readonly #open = new Map<number, string>();
  readonly #complaints: string[] = [];
  readonly #endless: string[] = [];
  #serial = 0;
  #paused = false;

  constructor(forest: Forest) {
    this.#forest = forest;
    const model = new ForestModel(forest.roots.map(({ plan }) => plan));
    const random = seededRandom(forest.seed);
    const { storeMs, lossy } = forest;
    this.rig = rig({
      reply: (request) => model.reply(request),
      logger: lineLogger((line) => void this.#complaints.push(line), "error"),
      wrapStore: (store, clock) =>
        storeMs + lossy === 0
          ? store
          : distantStore(store, { clock, mostMs: storeMs, lossy, chance: () => random.next() }),
      settings: {
        backends: [
          {
            name: "gpu",
            provider: "gpu",
            gpu: "gpu0",
            slots: forest.slots,
            maxChildren: forest.places,
            local: true,
          },
        ],
        delegation: {
          maxConcurrentChildren: forest.childSlots,
          maxSpawnDepth: DEEPEST,
          onInterrupt: forest.seed % 2 === 0 ? "continue" : "cancel",
          defaultToolsets: [],
        },
        limits: { ...DEFAULT_TASK_LIMITS, timeoutMs: 5_000 },
        cancelDeadlineMs: 1_000,
      },
    });
  }

  /** Plants, lets things happen, and waits until nothing more does. */
  async play(): Promise<Harvest> {
    const { clock } = this.rig;
    const { roots, actions } = this.#forest;
    const steps = [
      ...roots.map((root, index) => ({ atMs: root.atMs, run: () => this.#plant(root, index) })),
      ...actions.map((action) => ({ atMs: action.atMs, run: () => this.#act(action) })),
    ].toSorted((a, b) => a.atMs - b.atMs);
    let now = 0;
    this.#reap();
    for (const { atMs, run } of steps) {
      await clock.advance(atMs - now);
      now = atMs;
      run();
    }
    await clock.advance(100);
    if (this.#paused) this.#do("unpause", () => this.rig.api.pause(false));
    await clock.advance(REST_MS);
    await this.#closeSessions();
    return {
      rig: this.rig,
      receipts: this.#receipts,
      untyped: this.#untyped,
      unanswered: [...this.#open.values()],
      complaints: this.#complaints,
      endless: this.#endless,
    };
  }

  /** A word to each session first, so that it reads what `/stop` held back. */
  async #closeSessions(): Promise<void> {
    const { api, clock, store } = this.rig;
    const { items } = await store.list({ kind: "session", state: "running", limit: 100 });
    for (const { spec } of items) this.#do("bye", () => api.sendMessage(spec.id, { text: "bye" }), true);
    await clock.advance(REST_MS);
    for (const { spec } of items) this.#do("last close", () => api.closeSession(spec.id));
    await clock.advance(REST_MS);
  }

  #reap(): void {
    const { clock, runtime } = this.rig;
    runtime.reap();
    if (clock.monotonic() < REAP_FOR_MS) clock.after(REAP_EVERY_MS, () => this.#reap());
  }

  #plant({ plan, session }: Forest["roots"][number], index: number): void {
    const { api } = this.rig;
    if (!session) {
      const role = plan.children.length > 0 ? "orchestrator" : "leaf";
      return this.#do("delegate", () => api.delegate({ goal: goalOf([index]), role }));
    }
    this.#do("session", async () => {
      const { taskId } = await api.createSession();
      this.#receipts.push(await api.sendMessage(taskId, { text: goalOf([index]) }));
    });
  }

  #act({ deed, whom }: Action): void {
    const { api, store } = this.rig;
    const { paused, name } = { paused: !this.#paused, name: `${deed} ${whom}` };
    if (deed === "pause") {
      this.#paused = paused;
      return this.#do(name, () => api.pause(paused));
    }
    this.#do(name, async () => {
      const { items } = await store.list({ limit: 100 });
      if (items.length === 0) return;
      const id = (items.at(-1 - (whom % items.length)) as (typeof items)[number]).spec.id;
      if (deed === "steer" || deed === "interrupt") {
        const steer = { message: `word ${this.#serial++}`, interrupt: deed === "interrupt" };
        this.#receipts.push(await api.steer(id, steer));
      } else if (deed === "cancel") await api.cancel(id);
      else if (deed === "force") await api.cancel(id, { force: true });
      else if (deed === "message")
        this.#receipts.push(await api.sendMessage(id, { text: `word ${this.#serial++}` }));
      else if (deed === "stop") await api.stopSession(id);
      else if (deed === "close") await api.closeSession(id);
      else {
        const result = await api.collect(id);
        if (!result.finished) this.#endless.push(id);
      }
    });
  }

  #do(name: string, work: () => Promise<unknown>, receipt = false): void {
    const number = this.#serial++;
    this.#open.set(number, name);
    work()
      .then((answer) => {
        if (receipt) this.#receipts.push(answer as SteerReceipt);
      })
      .catch((thrown: unknown) => {
        if (!(thrown instanceof TroupeError) || thrown.kind === "internal") this.#untyped.push(thrown);
      })
      .finally(() => this.#open.delete(number));
  }
}
