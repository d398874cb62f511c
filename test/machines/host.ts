// A host for one agent actor whose effects are promises that the test settles by hand: what the runtime does for
// a task, without a store, a scheduler or a model. It records what the machine asks of its host and decides nothing.

import { createActor, fromPromise, type InspectionEvent } from "xstate";
import {
  agentMachine,
  type AgentActorRef,
  type AgentContext,
  type AgentEmitted,
  type AgentEvent,
  type AgentInput,
  type AgentOutput,
  type AgentSnapshot,
  type CallToolsOutput,
  type FoldOutput,
  type GenerateOutput,
  type PendingWait,
  type PrepareOutput,
} from "../../machines/agent.ts";
import type { ToolWait } from "../../src/core/tool.ts";
import { settle } from "../../src/base/clock.ts";

export type EffectName = "prepare" | "foldMail" | "generate" | "callTools";

interface Outputs {
  prepare: PrepareOutput;
  foldMail: FoldOutput;
  generate: GenerateOutput;
  callTools: CallToolsOutput;
}

/** One run of an effect, settled by the test. */
export interface Effect {
  readonly name: EffectName;
  readonly input: Readonly<Record<string, unknown>>;
  readonly signal: AbortSignal;
  resolve(output: Outputs[EffectName]): void;
  reject(error: unknown): void;
}

export interface HostOptions extends Partial<AgentInput> {
  readonly inspect?: (event: InspectionEvent) => void;
  /** Goes on from a stored snapshot. */
  readonly snapshot?: unknown;
}

export class Host {
  readonly actor: AgentActorRef;
  /** Every effect that was started, oldest first. */
  readonly effects: Effect[] = [];
  /** The tickets with which a lease was asked for. */
  readonly leaseRequests: AgentContext["ticket"][] = [];
  /** The pauses after which a retry is wanted. */
  readonly retries: number[] = [];
  outOfTurnsReports = 0;
  readonly deltas: AgentEmitted[] = [];
  readonly snapshots: AgentSnapshot[] = [];
  readonly errors: unknown[] = [];

  constructor(options: HostOptions = {}) {
    const { inspect, snapshot, ...input } = options;
    this.actor = createActor(this.#machine(), {
      input: { ...DEFAULT_INPUT, ...input },
      ...(inspect && { inspect }),
      // The type of a stored snapshot is the machine's own; from JSON it is unknown.
      ...(snapshot !== undefined && { snapshot: snapshot as AgentSnapshot }),
    });
    this.actor.subscribe({
      next: (each) => this.snapshots.push(each),
      error: (error) => this.errors.push(error),
    });
    this.actor.on("delta", (delta) => this.deltas.push(delta));
  }

  start(): this {
    this.actor.start();
    return this;
  }

  get snapshot(): AgentSnapshot {
    return this.actor.getSnapshot();
  }

  get context(): AgentContext {
    return this.snapshot.context;
  }

  /** The state as a path: `running.generating`. */
  get at(): string {
    return pathOf(this.snapshot.value);
  }

  get tags(): readonly string[] {
    return [...this.snapshot.tags].toSorted();
  }

  get output(): AgentOutput | undefined {
    return this.snapshot.output;
  }

  /** The effect in flight: at most one, since each state invokes one and leaving aborts it (M5). */
  get inFlight(): Effect | undefined {
    const live = this.effects.filter((each) => !each.signal.aborted && !this.#settled.has(each));
    if (live.length > 1)
      throw new Error(`M5 is broken: ${live.map((each) => each.name).join(", ")} all live.`);
    return live[0];
  }

  send(...events: readonly AgentEvent[]): this {
    for (const event of events) this.actor.send(event);
    return this;
  }

  /** Settles the effect in flight, which must be of that name, and lets the machine hear it. */
  async end<Name extends EffectName>(name: Name, output: Outputs[Name]): Promise<this> {
    this.#take(name).resolve(output);
    await settle();
    return this;
  }

  /** Rejects the effect in flight: a defect of Troupe. */
  async break(name: EffectName, error: unknown): Promise<this> {
    this.#take(name).reject(error);
    await settle();
    return this;
  }

  readonly #settled = new Set<Effect>();

  #take(name: EffectName): Effect {
    const effect = this.inFlight;
    if (effect?.name !== name)
      throw new Error(`Expected ${name} in flight in ${this.at}, found ${effect?.name}.`);
    return effect;
  }

  #machine(): typeof agentMachine {
    return agentMachine.provide({
      actors: {
        prepare: fromPromise(({ input, signal }) => this.#started("prepare", input, signal)),
        foldMail: fromPromise(({ input, signal }) => this.#started("foldMail", input, signal)),
        generate: fromPromise(({ input, signal }) => this.#started("generate", input, signal)),
        callTools: fromPromise(({ input, signal }) => this.#started("callTools", input, signal)),
      },
      actions: {
        requestLease: ({ context }) => void this.leaseRequests.push(context.ticket),
        armRetry: ({ context }) => void this.retries.push(context.backoffMs),
        reportOutOfTurns: () => void (this.outOfTurnsReports += 1),
      },
    });
  }

  #started<Name extends EffectName>(
    name: Name,
    input: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<Outputs[Name]> {
    return new Promise((resolve, reject) => {
      const effect: Effect = {
        name,
        input,
        signal,
        resolve: (output) => {
          this.#settled.add(effect);
          resolve(output as Outputs[Name]);
        },
        reject: (error) => {
          this.#settled.add(effect);
          reject(error);
        },
      };
      this.effects.push(effect);
    });
  }
}

const DEFAULT_INPUT: AgentInput = {
  taskId: "task_1",
  kind: "task",
  maxTurns: 50,
  generationTries: 3,
  retryLimit: 0,
};

/** A state value as a path, the way the tables of the tests write it. */
export function pathOf(value: AgentSnapshot["value"]): string {
  if (typeof value === "string") return value;
  const [[state, phase] = ["", ""]] = Object.entries(value);
  return `${state}.${phase}`;
}

/** A failed effect; retryable and transient only when the test says so. */
export function failed(
  options: { readonly transient?: boolean; readonly retryable?: boolean; readonly retryInMs?: number } = {},
): Extract<PrepareOutput, { readonly outcome: "failed" }> {
  const { transient = false, retryable = false, retryInMs = 0 } = options;
  return {
    outcome: "failed",
    failure: { code: "overloaded", message: "The server is busy.", retryable },
    transient,
    retryInMs,
  };
}

/** Mail as it is announced: from another agent unless the test says otherwise. */
export function mail(
  position: number,
  options: { readonly interrupt?: boolean; readonly person?: boolean } = {},
): AgentEvent {
  const { interrupt = false, person = false } = options;
  return { type: "mail.arrived", position, interrupt, person };
}

export function suspendedOn(callId: string, wait: ToolWait["for"]): PendingWait {
  const waits: Record<ToolWait["for"], ToolWait> = {
    children: { for: "children", taskIds: ["task_2"] },
    input: { for: "input", prompt: "Which one?" },
    timer: { for: "timer", timeoutMs: 1_000 },
  };
  return { callId, tool: `tool_${callId}`, wait: waits[wait], end: null };
}

/** A limit of the whole task, as the runtime reports it. */
export const TIMEOUT: AgentEvent = {
  type: "limit.reached",
  failure: { code: "timeout", message: "Its active time is used up.", retryable: false },
};

export const CANCEL: AgentEvent = { type: "cancel", reason: "no longer needed" };
