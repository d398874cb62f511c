// One load profile on its server: its actor, the effects that the machine names, and who of ours uses the model. It
// decides nothing; what the server shows is told to it, and what becomes of it is told to the scheduler.
//
// R1. Every generation of ours is counted from before its request until its connection is closed.
// R2. What the scheduler is told is the actor's newest state: once, and again whenever it commands.
// R3. After `stop` nothing is told and no timer is left.

import { createActor, fromPromise } from "xstate";
import { residencyMachine, type ResidencyEvent, type ResidencySnapshot } from "../../machines/residency.ts";
import type { LoadedModelInfo, ModelInfo } from "../../providers/provider.ts";
import type { Timer } from "../base/clock.ts";
import { ProviderError } from "../base/errors.ts";
import type { ResidencyView } from "../core/box-api.ts";
import type { Residency } from "../core/lifecycle.ts";
import { profileKey, type LoadProfile } from "../core/load-profile.ts";
import { enrolAwake, type Subject } from "./inspection.ts";
import { loadModel, type TenantServer, unloadModel, type Move } from "./residency-moves.ts";
import type { Sought } from "./residency-sight.ts";

/** The machine with its effects, provided once for all profiles of a server. */
export function provideMoves(find: (profile: string) => Tenant): typeof residencyMachine {
  return residencyMachine.provide({
    actors: {
      load: fromPromise(({ input, signal }) => find(input.profile).load(input.failures, signal)),
      drain: fromPromise(({ input, signal }) => find(input.profile).drained(signal)),
      unload: fromPromise(({ input, signal }) => find(input.profile).unload(signal)),
    },
    actions: { armRetry: ({ context }) => find(context.profile).armRetry(context.retryInMs) },
  });
}

export class Tenant {
  readonly profile: LoadProfile;
  readonly key: string;
  readonly #server: TenantServer<Tenant>;
  readonly #actor: ReturnType<typeof createActor<typeof residencyMachine>>;
  readonly #subject: Subject;
  #uses = 0;
  #onIdle: (() => void) | null = null;
  #moves = 0;
  #words: readonly [Residency, ResidencyView["phase"]] = ["absent", null];
  #since: number;
  #sinceMonotonic: number;
  /** What the scheduler was told last (R2). */
  #told: string | null = null;
  /** The scheduler deals with it; of what is absent and nobody asked for it need not hear. */
  #isKnown = false;
  /** What the load or unload took that has just ended. */
  #tookMs: number | null = null;
  #digest: string | null = null;
  #sizeBytes: number | null = null;
  #shownContext: number | null = null;
  /** It was loaded, by the word of a server that shows nothing of what it has in memory. */
  #isUnshown = false;
  #retry: Timer | null = null;
  /** When its pause is over: by the time of day for who looks, by the monotonic clock for who waits. */
  #retryDue: { readonly at: number; readonly monotonic: number } | null = null;
  #stopped = false;

  constructor(profile: LoadProfile, server: TenantServer<Tenant>, machine: typeof residencyMachine) {
    this.profile = profile;
    this.key = profileKey(profile);
    this.#server = server;
    [this.#since, this.#sinceMonotonic] = [server.clock.now(), server.clock.monotonic()];
    const input = { backend: profile.backend, profile: this.key };
    this.#actor = createActor(machine, { id: this.key, input });
    this.#subject = enrolAwake(server.inspection, `${profile.backend}/${this.key}`, this.#actor);
    this.#actor.subscribe({
      next: (snapshot) => this.#follow(snapshot),
      error: (error) =>
        server.logger.error("the actor of a model failed", { profile: this.key, error: String(error) }),
    });
    this.#actor.start();
  }

  get state(): Residency {
    return this.#words[0];
  }

  get phase(): ResidencyView["phase"] {
    return this.#words[1];
  }

  /** How often its state has changed: what was seen before a change says nothing of it. */
  get moves(): number {
    return this.#moves;
  }

  /** Whether something happens to it, or somebody uses it. */
  get isAtWork(): boolean {
    return this.#uses > 0 || (this.state !== "absent" && this.state !== "resident");
  }

  /** The server does not show it: it is no longer in memory, unless the server never shows anything. */
  missed(showsModels: boolean): void {
    if (!this.#isUnshown || showsModels) this.send({ type: "gone" });
  }

  get sought(): Sought {
    return { profile: this.profile, digest: this.#digest, shownContext: this.#shownContext };
  }

  /** What it takes of the GPU's memory, or did when it was seen last; else its size on disk; `null` if unknown. */
  get sizeBytes(): number | null {
    return this.#sizeBytes;
  }

  send(event: ResidencyEvent): void {
    if (!this.#stopped) this.#actor.send(event);
  }

  /** A command of the scheduler: answered with the state, also when it changes nothing (R2). */
  command(type: "load" | "unload"): void {
    if (this.#stopped) return;
    this.#told = null;
    this.#isKnown = true;
    this.#actor.send({ type });
    this.#tell(this.#actor.getSnapshot());
  }

  /** The server lists the model, with this digest and size. */
  listed({ digest, sizeBytes }: Pick<ModelInfo, "digest" | "sizeBytes">): void {
    this.#digest = digest ?? this.#digest;
    this.#sizeBytes ??= sizeBytes;
    if (this.phase === "removed") this.send({ type: "model.found" });
  }

  /** The server shows it in memory. */
  seen({ vramBytes }: Pick<LoadedModelInfo, "vramBytes">): void {
    if (this.state === "resident" && this.#actor.getSnapshot().context.vramBytes === vramBytes) return;
    this.send({ type: "seen", vramBytes });
  }

  /**
   * Counts a generation in, until `end` is called, once.
   * Contract: throws ProviderError when the model cannot be had now, with why and until when.
   */
  use(): { end(): void } {
    this.#assertUsable();
    this.#uses += 1;
    return {
      end: () => {
        this.#uses -= 1;
        if (this.#uses === 0) this.#onIdle?.();
      },
    };
  }

  view(): ResidencyView {
    const { context } = this.#actor.getSnapshot();
    const { failure, vramBytes, loadMs, failures } = context;
    const [state, phase] = this.#words;
    return {
      backend: this.profile.backend,
      profile: this.key,
      model: this.profile.model,
      state,
      phase,
      since: this.#since,
      inFlight: this.#uses,
      vramBytes,
      loadMs,
      failures,
      problem: failure && { code: failure.code, message: failure.message },
      retryAt: this.#retryDue?.at ?? null,
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#actor.stop();
    this.#server.inspection.gone(this.#subject);
  }

  async load(failures: number, signal: AbortSignal): ReturnType<typeof loadModel> {
    return loadModel({
      ...this.#move(signal),
      shownContext: this.#shownContext,
      sizeBytes: this.#sizeBytes,
      failures,
      onShown: (model, models) => {
        this.#server.onLoaded(this, models);
        this.#isUnshown = model === null;
        this.#shownContext = model?.contextTokens ?? null;
      },
    });
  }

  unload = async (signal: AbortSignal): ReturnType<typeof unloadModel> => unloadModel(this.#move(signal));

  /** Resolves once nobody of ours uses it, or after the time that a generation has to let go. */
  drained(signal: AbortSignal): Promise<void> {
    if (this.#uses === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel();
        this.#onIdle = null;
        signal.removeEventListener("abort", over);
        resolve();
      };
      const timer = this.#server.clock.after(this.#server.drainMs, over);
      this.#onIdle = over;
      signal.addEventListener("abort", over, { once: true });
    });
  }

  armRetry(ms: number): void {
    const { clock } = this.#server;
    this.#retryDue = { at: clock.now() + ms, monotonic: clock.monotonic() + ms };
    this.#retry = clock.after(ms, () => this.send({ type: "retry.due" }));
  }

  #move(signal: AbortSignal): Move {
    const { provider, clock } = this.#server;
    return { provider: provider(), clock, signal, profile: this.profile, digest: this.#digest };
  }

  #assertUsable(): void {
    const { context } = this.#actor.getSnapshot();
    const { failure } = context;
    if (this.state === "resident" || (this.phase === "away" && failure === null)) return;
    if (failure === null) {
      const message = `Expected ${this.key} in memory, but it is ${this.state}: another program moved it. It is loaded again.`;
      // Nothing was sent, and it comes back: no try is spent on it.
      throw new ProviderError({ kind: "overloaded", code: "model_absent" }, message, {
        details: { held_up: true },
      });
    }
    const { kind, code, message } = failure;
    const due = this.#retryDue;
    const hint = due && { retryAfterMs: Math.max(0, due.monotonic - this.#server.clock.monotonic()) };
    throw new ProviderError({ kind, code }, message, hint ?? {});
  }

  #follow(snapshot: ResidencySnapshot): void {
    if (this.#stopped) return;
    const words = wordsOf(snapshot.value);
    if (words.join() !== this.#words.join()) this.#enter(words, snapshot);
    this.#tell(snapshot);
  }

  #enter(words: readonly [Residency, ResidencyView["phase"]], { context }: ResidencySnapshot): void {
    const { clock, logger } = this.#server;
    const [before] = this.#words;
    this.#moves += 1;
    this.#tookMs = null;
    if (before === "loading" && words[0] === "resident") this.#tookMs = context.loadMs;
    if (before === "unloading" && words[0] === "absent")
      this.#tookMs = clock.monotonic() - this.#sinceMonotonic;
    this.#words = words;
    [this.#since, this.#sinceMonotonic] = [clock.now(), clock.monotonic()];
    // Entering a pause has armed its timer already.
    if (words[1] !== "backing_off" && words[1] !== "wedged") {
      this.#retry?.cancel();
      this.#retryDue = null;
    }
    if (context.vramBytes > 0) this.#sizeBytes = context.vramBytes;
    const about = { backend: this.profile.backend, profile: this.key };
    if (context.failure !== null)
      logger.warn(context.failure.message, { ...about, code: context.failure.code });
    else logger.debug(`the model is ${words[1] ?? words[0]}`, about);
  }

  /** Keeps R2. The scheduler drains by itself: to it a model on its way out is one that is unloading. */
  #tell(snapshot: ResidencySnapshot): void {
    const { backend } = this.profile;
    const { vramBytes } = snapshot.context;
    const state = this.state === "draining" ? "unloading" : this.state;
    const passing = snapshot.hasTag("passing");
    const news = JSON.stringify([state, passing, vramBytes]);
    this.#isKnown ||= state !== "absent";
    if (news === this.#told || !this.#isKnown) return;
    this.#told = news;
    const tookMs = this.#tookMs;
    this.#tookMs = null;
    this.#server.report({
      backend,
      profile: this.key,
      state,
      ...(vramBytes > 0 && { vramBytes }),
      ...(tookMs !== null && { tookMs }),
      ...(passing && { passing }),
    });
  }
}

/** The word of the state, and what stands below it where that is more than its rest. */
function wordsOf(value: ResidencySnapshot["value"]): readonly [Residency, ResidencyView["phase"]] {
  if (typeof value === "string") return [value, null];
  return ["absent", value.absent === "idle" ? null : value.absent];
}
