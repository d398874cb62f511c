// Many children with turns and tools on one simulated model, through the real scheduler, on a virtual clock: the same
// work under whatever caps. What the server is may change in the middle, when it is "started anew": another box takes
// the turns from then on.

import { SimulatedClock, delay } from "../../src/base/clock.ts";
import { seededRandom, type Random } from "../../src/base/ids.ts";
import { LocalScheduler } from "../../src/scheduler/local-scheduler.ts";
import type { BackendCaps, Lease, SchedulerSignal } from "../../src/scheduler/scheduler.ts";
import { SimulatedBox } from "../../src/simulator/box.ts";
import {
  DEFAULT_MODELS,
  DEFAULT_SIMULATOR_CONFIG,
  type SimulatorConfig,
} from "../../src/simulator/config.ts";
import { takeTurn } from "../../src/simulator/turn.ts";

/** What the server is for one stretch of the work. */
export interface Stretch {
  /** As its settings say. */
  readonly parallel: number;
  /** What it runs at once in spite of them. */
  readonly forced?: number;
  readonly promptTokens: number;
  /** With a prompt cache, as Ollama has one; else every prompt is read anew. */
  readonly cache?: SimulatorConfig["promptCache"];
}

/** One workload on one server. */
export interface CapsCase {
  readonly name: string;
  /** One stretch, or two with the change when half of the turns are done. */
  readonly stretches: readonly [Stretch, ...Stretch[]];
  readonly children: number;
  readonly turns: number;
  readonly outputTokens: number;
  /** What a prompt grows by from turn to turn. */
  readonly growthTokens: number;
  readonly toolMs: number;
}

/** The caps of one run: pinned by numbers, or found. */
export type CapsUnderTest = Pick<BackendCaps, "slots" | "maxChildren" | "autoSlots" | "autoChildren">;

/** What one run came to. */
export interface Played {
  readonly makespanMs: number;
  readonly turns: number;
  /** The caps of slots and of children that it ended with, and why. */
  readonly slots: number;
  readonly maxChildren: number;
  readonly reason: string | null;
  /** The slots at each tenth of the turns. */
  readonly path: readonly number[];
  readonly problems: readonly string[];
}

const MODEL = "bench";
const BACKEND = "box";
const ENOUGH_MS = 400 * 3_600_000;

/** Plays one workload from one seed. Rejects with what the scheduler or the box throws. */
export async function play(work: CapsCase, caps: CapsUnderTest, seed: number): Promise<Played> {
  const run = new Run(work, caps, seed);
  const played = run.play();
  await run.clock.drain(ENOUGH_MS);
  return played;
}

/** What one child does: the length of each answer, and how long the tool after it takes. */
interface Plan {
  readonly taskId: string;
  readonly output: readonly number[];
  readonly tools: readonly number[];
}

class Run {
  readonly clock = new SimulatedClock();
  readonly #work: CapsCase;
  readonly #random: Random;
  readonly #boxes: readonly SimulatedBox[];
  readonly #scheduler: LocalScheduler;
  /** Who waits for an answer of the scheduler, by task. */
  readonly #waiting = new Map<string, (lease: Lease | null) => void>();
  readonly #path: number[] = [];
  #done = 0;

  constructor(work: CapsCase, caps: CapsUnderTest, seed: number) {
    this.#work = work;
    this.#random = seededRandom(seed);
    const { clock } = this;
    this.#boxes = work.stretches.map(
      (stretch) => new SimulatedBox({ clock, random: seededRandom(seed), config: configOf(stretch) }),
    );
    this.#scheduler = new LocalScheduler({
      clock,
      random: seededRandom(seed),
      interactivePatienceMs: 5_000,
      onSignal: (signal) => this.#onSignal(signal),
    });
    this.#scheduler.setBackend({
      backend: BACKEND,
      provider: BACKEND,
      gpu: null,
      maxQueued: work.children,
      ...caps,
    });
  }

  async play(): Promise<Played> {
    const { children, turns } = this.#work;
    const startedAt = this.clock.monotonic();
    // Drawn before anything runs, so that every cap has the same work.
    const tasks = Array.from({ length: children }, (_, index) => this.#plan(`task_${index}`));
    await Promise.all(tasks.map((task) => this.#child(task)));
    const makespanMs = this.clock.monotonic() - startedAt;
    const [lane] = this.#scheduler.lanes();
    const { slots, places, leases, waiting } = this.#scheduler.counts();
    this.#scheduler.close();
    for (const box of this.#boxes) box.close();
    const problems: string[] = [];
    if (this.#done !== children * turns) problems.push(`${this.#done} turns of ${children * turns}`);
    if (slots + places + leases + waiting > 0) problems.push("something was still held at the end");
    return {
      makespanMs,
      turns: this.#done,
      slots: lane?.slots ?? 0,
      maxChildren: lane?.maxChildren ?? 0,
      reason: lane?.slotsReason ?? null,
      path: this.#path,
      problems,
    };
  }

  #plan(taskId: string): Plan {
    const spread = (mean: number): number => mean * (0.5 + this.#random.next());
    const { turns, outputTokens, toolMs } = this.#work;
    const output = Array.from({ length: turns }, () => Math.round(spread(outputTokens)));
    const tools = Array.from({ length: turns }, () => spread(toolMs));
    return { taskId, output, tools };
  }

  async #child({ taskId, output, tools }: Plan): Promise<void> {
    const admitted = this.#answer(taskId);
    this.#scheduler.admit({
      taskId,
      parentId: null,
      parentSlots: this.#work.children,
      backend: BACKEND,
      class: "background",
      needsPlace: true,
    });
    await admitted;
    for (const [turn, outputTokens] of output.entries()) {
      await this.#turn(taskId, turn, outputTokens);
      await delay(this.clock, tools[turn] ?? 0);
    }
    this.#scheduler.end(taskId);
  }

  async #turn(taskId: string, turn: number, outputTokens: number): Promise<void> {
    const granted = this.#answer(taskId);
    this.#scheduler.requestLease({ taskId, class: "background" });
    const lease = (await granted) as Lease;
    const total = this.#work.children * this.#work.turns;
    const at = Math.min(this.#boxes.length - 1, Math.floor((this.#done / total) * this.#boxes.length));
    const stretch = this.#work.stretches[at] as Stretch;
    const tokens = stretch.promptTokens + turn * this.#work.growthTokens;
    let firstTokenMs: number | null = null;
    const startedAt = this.clock.monotonic();
    const figures = await takeTurn(this.#boxes[at] as SimulatedBox, {
      model: MODEL,
      prompt: [{ key: taskId, tokens }],
      outputTokens,
      keepAliveMs: -1,
      onFirstToken: () => {
        firstTokenMs = this.clock.monotonic() - startedAt;
      },
    });
    this.#done += 1;
    if (this.#done % Math.ceil(total / 10) === 0) this.#path.push(this.#scheduler.lanes()[0]?.slots ?? 0);
    this.#scheduler.release(lease.leaseId);
    const about = { backend: BACKEND, profile: "", taskId, parentId: null, outcome: "ok" } as const;
    const { inFlight } = lease;
    this.#scheduler.observe({ ...about, ...figures, outputTokens, firstTokenMs, inFlight });
  }

  #answer(taskId: string): Promise<Lease | null> {
    return new Promise((resolve) => this.#waiting.set(taskId, resolve));
  }

  #onSignal(signal: SchedulerSignal): void {
    if (signal.type === "admitted") this.#waiting.get(signal.taskId)?.(null);
    if (signal.type === "granted") this.#waiting.get(signal.lease.taskId)?.(signal.lease);
  }
}

function configOf({ parallel, forced, cache }: Stretch): SimulatorConfig {
  const [model] = DEFAULT_MODELS;
  return {
    ...DEFAULT_SIMULATOR_CONFIG,
    gpus: [{ id: "gpu0", vramBytes: 80 * 1_024 ** 3 }],
    models: [
      { ...(model as (typeof DEFAULT_MODELS)[number]), name: MODEL, ...(forced && { slots: forced }) },
    ],
    slots: parallel,
    defaultContextTokens: 32_768,
    promptCache: cache ?? null,
  };
}
