// A model server in the world, beside Troupe and outliving it: what it has on disk and in memory, one load at a time, and
// what it does of its own accord. It follows Ollama in what matters to who may load what: a request for an absent model
// loads it, what nobody uses makes room, what is in use does not, and a load may hang while all else is answered.
//
// Q1. One load at a time; the others stand in a queue. Nothing that is in use is put out.
// Q2. What a process asked that has died is forgotten: its connections are closed.

import type { Timer } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type { LoadedModelInfo, ModelInfo } from "../../providers/provider.ts";
import { taggedModel } from "../../src/core/load-profile.ts";
import type { WorldClock } from "./clock.ts";
import { ModelMemory, seatOf, type Asker, type Seat, type Wanted } from "./model-memory.ts";

/** Every model takes so much. */
export const MODEL_BYTES = 6_000_000_000;
/** What a model is loaded with where nobody says. */
const USUAL_CONTEXT = 4_096;
/** A client waits no longer for the first word of an answer. */
const CLIENT_PATIENCE_MS = 12_000;

export interface ModelServerOptions {
  readonly clock: WorldClock;
  readonly ours: readonly string[];
  /** Of other programs. */
  readonly foreign: readonly string[];
  /** How many models its memory holds; `null` where everything is always there. */
  readonly room: number | null;
  readonly loadMs: number;
  /** How long a model stays that nobody uses. */
  readonly keepMs: number;
}

interface Order {
  readonly model: string;
  readonly contextTokens: number | undefined;
  readonly asker: Asker;
  /** Who sits down as soon as the model is there; `null` for one that only has it loaded. */
  readonly seat: Seat | null;
  readonly settle: (thrown: unknown) => void;
}

interface Asking {
  readonly asker: Asker;
  readonly signal: AbortSignal;
}

export class ModelServer {
  readonly #options: ModelServerOptions;
  readonly #installed = new Set<string>();
  readonly #memory: ModelMemory;
  readonly #queue: Order[] = [];
  #loading: { readonly order: Order; readonly timer: Timer | null } | null = null;
  #down = false;
  #wedged = false;
  #refuses = false;
  #locked = false;

  constructor(options: ModelServerOptions) {
    this.#options = options;
    this.#memory = new ModelMemory({ ...options, now: () => options.clock.monotonic() });
    for (const model of [...options.ours, ...options.foreign]) this.install(model);
  }

  install(model: string): void {
    this.#installed.add(taggedModel(model));
  }

  remove(model: string): void {
    this.#installed.delete(taggedModel(model));
  }

  /** Nobody listens any more; who was connected hears of it. */
  goDown(): void {
    this.#down = true;
    this.#breakOff();
  }

  /** Its process is begun anew: its memory is empty, and nothing is stuck. */
  restart(): void {
    this.#breakOff();
    [this.#down, this.#wedged, this.#refuses] = [false, false, false];
  }

  /** Whether every generation is refused: no key is good there. */
  lock(locked: boolean): void {
    this.#locked = locked;
  }

  /** Everything is there again, and nothing is stuck. */
  putRight(): void {
    if (this.#down || this.#wedged) this.restart();
    this.#refuses = false;
    this.#locked = false;
    for (const model of this.#options.ours) this.install(model);
  }

  /** Loads hang from now on. */
  wedge(): void {
    this.#wedged = true;
  }

  /** The next load fails. */
  refuse(): void {
    this.#refuses = true;
  }

  /** What nobody uses is put out. */
  sweep(): void {
    this.#memory.sweep();
    this.#pump();
  }

  /** Another program uses a model for a while. */
  lend(model: string, ms: number): void {
    if (this.#down || this.#options.room === null) return;
    const seat = seatOf(model, { asker: "foreign", taskId: "foreign" });
    const settle = (thrown: unknown): void => {
      if (thrown === null) this.#options.clock.after(ms, () => this.leave(seat));
    };
    this.#order({ model: seat.model, contextTokens: undefined, asker: "foreign", seat, settle });
  }

  /** A life of Troupe is over (Q2). */
  hangUp(asker: Asker): void {
    this.#memory.forget(asker);
    for (const order of this.#queue.filter((each) => each.asker === asker)) this.#drop(order);
    if (this.#loading?.order.asker === asker) this.#drop(this.#loading.order);
    this.#pump();
  }

  /** Whose generations, of this asker, use this model, and whose are in its way. */
  users(asker: Asker, model: string): ReturnType<ModelMemory["users"]> {
    return this.#memory.users(asker, model, this.#options.ours);
  }

  has(wanted: Wanted): boolean {
    return this.#memory.has(wanted);
  }

  /** Waits until the model is in memory, and counts a generation in. Rejects with ProviderError, or the signal's reason. */
  async enter(wanted: Wanted, who: Asking & { readonly taskId: string }): Promise<Seat> {
    const seat = seatOf(wanted.model, who);
    if (this.#locked) throw new ProviderError({ kind: "auth", code: "auth" }, "No key is good here.");
    await this.#have(wanted, who, seat);
    return seat;
  }

  leave(seat: Seat): void {
    this.#memory.leave(seat);
    this.#pump();
  }

  /** Resolves once it is in memory. Rejects like `enter`. */
  load(wanted: Wanted, who: Asking): Promise<void> {
    return this.#have(wanted, who, null);
  }

  /** Lets it go, unless somebody uses it. */
  unload(model: string): void {
    this.assertUp();
    this.#memory.drop(taggedModel(model));
    this.#pump();
  }

  /** Throws ProviderError `network` while nobody listens. */
  assertUp(): void {
    if (this.#down) throw away("ECONNREFUSED");
  }

  listed(): readonly ModelInfo[] {
    this.assertUp();
    const known = {
      parameters: null,
      contextTokens: null,
      tools: true,
      thinking: false,
      embeddingOnly: false,
    };
    return Array.from(this.#installed, (name) => ({ name, sizeBytes: MODEL_BYTES, digest: name, ...known }));
  }

  shown(): readonly LoadedModelInfo[] {
    this.assertUp();
    return Array.from(this.#memory.shown(), ({ model, contextTokens = USUAL_CONTEXT, leftMs }) => ({
      name: model,
      sizeBytes: MODEL_BYTES,
      vramBytes: MODEL_BYTES,
      contextTokens,
      digest: model,
      expiresAt: this.#options.clock.now() + leftMs,
    }));
  }

  #have({ model, contextTokens }: Wanted, { asker, signal }: Asking, seat: Seat | null): Promise<void> {
    this.assertUp();
    const name = taggedModel(model);
    if (!this.#installed.has(name)) return Promise.reject(notFound(name));
    return new Promise((resolve, reject) => {
      const settle = (thrown: unknown): void => {
        signal.removeEventListener("abort", onAbort);
        late.cancel();
        if (thrown === null) resolve();
        else reject(thrown as Error);
      };
      const order: Order = { model: name, contextTokens, asker, seat, settle };
      const giveUp = (thrown: unknown): void => {
        this.#drop(order);
        settle(thrown);
        this.#pump();
      };
      const onAbort = (): void => giveUp(signal.reason);
      const late = this.#options.clock.after(CLIENT_PATIENCE_MS, () => giveUp(silent()));
      signal.addEventListener("abort", onAbort, { once: true });
      // Who asks for what is there passes those who wait for a load.
      if (this.has(order)) this.#serve(order);
      else this.#order(order);
    });
  }

  #serve({ seat, settle }: Order): void {
    if (seat) this.#memory.sit(seat);
    settle(null);
  }

  #order(order: Order): void {
    this.#queue.push(order);
    this.#pump();
  }

  /** Begins the next load, if none is under way and there is room for it (Q1). */
  #pump(): void {
    const [next] = this.#queue;
    if (this.#loading || next === undefined) return;
    if (!this.has(next) && !this.#memory.makeRoom(next.model)) return;
    this.#queue.shift();
    if (this.has(next)) {
      this.#serve(next);
      return this.#pump();
    }
    if (this.#refuses) {
      this.#refuses = false;
      next.settle(outOfMemory());
      return this.#pump();
    }
    const timer = this.#wedged ? null : this.#options.clock.after(this.#options.loadMs, () => this.#loaded());
    this.#loading = { order: next, timer };
  }

  #loaded(): void {
    const order = this.#loading?.order as Order;
    this.#loading = null;
    this.#memory.put(order);
    this.#serve(order);
    this.#pump();
  }

  #drop(order: Order): void {
    const at = this.#queue.indexOf(order);
    if (at >= 0) this.#queue.splice(at, 1);
    if (this.#loading?.order !== order) return;
    this.#loading.timer?.cancel();
    this.#loading = null;
  }

  #breakOff(): void {
    this.#memory.clear();
    const orders = this.#queue.splice(0);
    if (this.#loading) {
      this.#loading.timer?.cancel();
      orders.unshift(this.#loading.order);
      this.#loading = null;
    }
    for (const { settle } of orders) settle(away("ECONNRESET"));
  }
}

/** Nobody answers there, or not any more. */
export function away(code: string): ProviderError {
  return new ProviderError(
    { kind: "network", code: "network" },
    `The model server does not answer: ${code}.`,
  );
}

function notFound(model: string): ProviderError {
  return new ProviderError({ kind: "refused", code: "model_not_found" }, `There is no model ${model}.`, {
    status: 404,
  });
}

function outOfMemory(): ProviderError {
  const message = "llama runner process has terminated: out of memory";
  return new ProviderError({ kind: "overloaded", code: "overloaded" }, message, { status: 500 });
}

function silent(): ProviderError {
  return new ProviderError({ kind: "timeout", code: "timeout" }, "The model server took too long to answer.");
}
