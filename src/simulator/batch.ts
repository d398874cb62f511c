// How fast generations go. Those on one loaded model run as one batch: with b of them each is slower by a share for
// every other one. Models at work on one GPU at once share its time. Work is counted in milliseconds that a generation
// alone would take, and each batch keeps one timer, for whoever is done first: a turn costs a few timers whatever its
// length, and the figures are the same whether its tokens are waited for one by one or all at once.
//
// B1. A job progresses only between `join` and `leave`, and all jobs of a batch progress alike.
// B2. A batch without jobs, or one in which nobody waits, has no timer.

import type { Clock, Timer } from "../base/clock.ts";
import type { SimulatorConfig } from "./config.ts";

/** Work that is as good as done: what rounding leaves. */
const ROUNDING_MS = 1e-6;
/** Timers are no finer; what is shorter is made up for by a later piece. */
const FINEST_MS = 1;

/** One generation in a batch. Contract: `leave` is idempotent; a job that left is called back no more. */
export interface Job {
  /** Calls back when so much more work has been done; `fine` pieces below a millisecond are done at once. */
  spend(workMs: number, done: () => void, pacing?: { readonly fine: boolean }): void;
  leave(): void;
}

interface Working {
  due: number;
  done: (() => void) | null;
}

type Rates = Pick<SimulatorConfig, "batchSlowdown" | "modelSlowdown">;

/** The GPUs' time, shared by the batches of all loaded models. */
export class GpuTime {
  readonly clock: Clock;
  readonly #rates: Rates;
  readonly #busy = new Set<Batch>();
  /** How many times slower than it should be everything is; `Infinity` hangs it. */
  #slowness = 1;
  #busySince = 0;
  #busyMs = 0;

  constructor(clock: Clock, rates: Rates) {
    this.clock = clock;
    this.#rates = rates;
  }

  /** A batch for one loaded model on these GPUs. */
  batch(gpus: readonly string[]): Batch {
    return new Batch(this, gpus);
  }

  /** Milliseconds since the start in which any generation was at work. */
  get busyMs(): number {
    return this.#busyMs + (this.#busy.size > 0 ? this.clock.monotonic() - this.#busySince : 0);
  }

  slowTo(factor: number): void {
    this.#slowness = factor;
    for (const batch of this.#busy) batch.changePace();
  }

  /** How many times slower than alone the jobs of a batch are. */
  paceOf(batch: Batch): number {
    let models = 0;
    for (const other of this.#busy) if (other === batch || other.shares(batch)) models += 1;
    const ofBatch = 1 + this.#rates.batchSlowdown * Math.max(0, batch.size - 1);
    return ofBatch * (1 + this.#rates.modelSlowdown * Math.max(0, models - 1)) * this.#slowness;
  }

  /** A batch began or ended its work: the others feel it. */
  changed(batch: Batch): void {
    const wasBusy = this.#busy.size > 0;
    if (batch.size > 0) this.#busy.add(batch);
    else this.#busy.delete(batch);
    const isBusy = this.#busy.size > 0;
    if (!wasBusy && isBusy) this.#busySince = this.clock.monotonic();
    if (wasBusy && !isBusy) this.#busyMs += this.clock.monotonic() - this.#busySince;
    for (const other of this.#busy) if (other !== batch && other.shares(batch)) other.changePace();
  }
}

/** The generations at work on one loaded model. */
export class Batch {
  readonly #time: GpuTime;
  readonly #gpus: readonly string[];
  readonly #jobs = new Set<Working>();
  /** Work that every job of this batch would have done since the beginning, and when that was true. */
  #progress = 0;
  #at = 0;
  #pace = 1;
  #timer: Timer | null = null;

  constructor(time: GpuTime, gpus: readonly string[]) {
    this.#time = time;
    this.#gpus = gpus;
  }

  get size(): number {
    return this.#jobs.size;
  }

  shares(other: Batch): boolean {
    return this.#gpus.some((gpu) => other.#gpus.includes(gpu));
  }

  join(): Job {
    this.#settle();
    const job: Working = { due: this.#progress, done: null };
    this.#jobs.add(job);
    this.#crowdChanged(1);
    return {
      spend: (workMs, done, { fine } = { fine: false }) => {
        if (!this.#jobs.has(job)) return;
        job.due += workMs;
        this.#settle();
        if (fine && (job.due - this.#progress) * this.#pace < FINEST_MS) return done();
        job.done = done;
        this.#arm();
      },
      leave: () => {
        if (!this.#jobs.has(job)) return;
        this.#settle();
        this.#jobs.delete(job);
        this.#crowdChanged(0);
      },
    };
  }

  /** Something outside of the batch makes it faster or slower. */
  changePace(): void {
    this.#settle();
    this.#pace = this.#time.paceOf(this);
    this.#arm();
  }

  #crowdChanged(first: number): void {
    if (this.#jobs.size === first) this.#time.changed(this);
    this.#pace = this.#time.paceOf(this);
    this.#arm();
  }

  #settle(): void {
    const now = this.#time.clock.monotonic();
    this.#progress += (now - this.#at) / this.#pace;
    this.#at = now;
  }

  /** Keeps B2: one timer, for the nearest of those that wait. */
  #arm(): void {
    this.#timer?.cancel();
    this.#timer = null;
    let next = Number.POSITIVE_INFINITY;
    for (const { due, done } of this.#jobs) if (done !== null && due < next) next = due;
    const leftMs = Math.max(0, next - this.#progress) * this.#pace;
    if (Number.isFinite(leftMs)) this.#timer = this.#time.clock.after(leftMs, () => this.#due(next));
  }

  #due(next: number): void {
    this.#timer = null;
    this.#settle();
    // What rounding has left or added must not show in the figures.
    if (Math.abs(this.#progress - next) < ROUNDING_MS) this.#progress = next;
    const ready = [...this.#jobs].filter((job) => job.done !== null && job.due <= this.#progress);
    for (const job of ready) {
      const { done } = job;
      job.done = null;
      done?.();
    }
    this.#arm();
  }
}
