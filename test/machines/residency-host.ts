// A host for one residency actor whose effects are promises that the test settles by hand, and which records what the
// machine asks of it: what the runtime does for a profile, without a scheduler or a server.

import { createActor, fromPromise } from "xstate";
import {
  residencyMachine,
  type LoadOutput,
  type ResidencyActorRef,
  type ResidencyEvent,
  type ResidencySnapshot,
  type UnloadOutput,
} from "../../machines/residency.ts";
import { settle } from "../../src/base/clock.ts";

interface Outputs {
  load: LoadOutput;
  drain: void;
  unload: UnloadOutput;
}
export type EffectName = keyof Outputs;

interface Effect {
  readonly name: EffectName;
  readonly input: unknown;
  readonly signal: AbortSignal;
  settled: boolean;
  resolve(output: unknown): void;
  reject(error: unknown): void;
}

export class ResidencyHost {
  readonly actor: ResidencyActorRef;
  /** Every effect that was started, oldest first. */
  readonly effects: Effect[] = [];
  /** The pauses that were asked for. */
  readonly pauses: number[] = [];
  readonly errors: unknown[] = [];

  constructor() {
    this.actor = createActor(this.#machine(), { input: { backend: "ollama", profile: "a@512" } });
    this.actor.subscribe({ error: (error) => this.errors.push(error) });
    this.actor.start();
  }

  get snapshot(): ResidencySnapshot {
    return this.actor.getSnapshot();
  }

  /** The state as a path: `absent.wedged`. */
  get at(): string {
    const { value } = this.snapshot;
    return typeof value === "string" ? value : Object.entries(value).flat().join(".");
  }

  get inFlight(): Effect | undefined {
    const live = this.effects.filter((each) => !each.signal.aborted && !each.settled);
    if (live.length > 1) throw new Error(`V6 is broken: ${live.map((each) => each.name).join(", ")} live.`);
    return live[0];
  }

  send(...events: readonly ResidencyEvent[]): this {
    for (const event of events) this.actor.send(event);
    return this;
  }

  async end<Name extends EffectName>(name: Name, output: Outputs[Name]): Promise<this> {
    this.#take(name).resolve(output);
    await settle();
    return this;
  }

  async break(name: EffectName, error: unknown): Promise<this> {
    this.#take(name).reject(error);
    await settle();
    return this;
  }

  #take(name: EffectName): Effect {
    const effect = this.inFlight;
    if (effect?.name !== name)
      throw new Error(`Expected ${name} in flight in ${this.at}, found ${effect?.name}.`);
    effect.settled = true;
    return effect;
  }

  #machine(): typeof residencyMachine {
    return residencyMachine.provide({
      actors: {
        load: fromPromise(({ input, signal }) => this.#started("load", input, signal)),
        drain: fromPromise(({ input, signal }) => this.#started("drain", input, signal)),
        unload: fromPromise(({ input, signal }) => this.#started("unload", input, signal)),
      },
      actions: { armRetry: ({ context }) => void this.pauses.push(context.retryInMs) },
    });
  }

  #started<Name extends EffectName>(name: Name, input: unknown, signal: AbortSignal): Promise<Outputs[Name]> {
    const { promise, resolve, reject } = Promise.withResolvers<Outputs[Name]>();
    this.effects.push({
      name,
      input,
      signal,
      settled: false,
      resolve: (output) => resolve(output as Outputs[Name]),
      reject,
    });
    return promise;
  }
}

export const LOADED: LoadOutput = { outcome: "loaded", vramBytes: 8, tookMs: 1_500 };
export const failedLoad = (
  outcome: "removed" | "wedged" | "failed",
  code: string,
): Extract<LoadOutput, { readonly retryInMs: number }> => ({
  outcome,
  failure: { kind: "overloaded", code, message: `It is ${outcome}.` },
  retryInMs: 5_000,
});

/** The states in which a profile can rest. */
export const STAGES = [
  "absent.idle",
  "absent.backing_off",
  "absent.wedged",
  "absent.removed",
  "absent.away",
  "loading",
  "resident",
  "draining",
  "unloading",
] as const;
export type Stage = (typeof STAGES)[number];

/** A host whose profile rests there, by the way that it takes in life. */
export async function hostAt(stage: Stage): Promise<ResidencyHost> {
  const host = new ResidencyHost();
  if (stage === "absent.idle") return host;
  if (stage === "absent.away") return host.send({ type: "server.away" });
  host.send({ type: "load" });
  if (stage === "loading") return host;
  if (stage === "absent.backing_off") return host.end("load", failedLoad("failed", "out_of_memory"));
  if (stage === "absent.wedged") return host.end("load", failedLoad("wedged", "load_wedged"));
  if (stage === "absent.removed") return host.end("load", failedLoad("removed", "model_not_found"));
  await host.end("load", LOADED);
  if (stage === "resident") return host;
  host.send({ type: "unload" });
  if (stage === "draining") return host;
  return host.end("drain", undefined);
}
