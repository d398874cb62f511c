// A contender: it decides when a task may begin, when each of its turns goes to the model server, and what is loaded
// there. It sees neither the plan nor the clock's future: a task, a turn and a question when they come, as a client does.

import type { Clock } from "../../src/base/clock.ts";
import type { Random } from "../../src/base/ids.ts";
import type { GenerationFigures, ModelServer, ServerFacts } from "./model-server.ts";

export type WorkClass = "interactive" | "resuming" | "background";

/** A task that exists from now on. */
export interface Work {
  readonly taskId: string;
  /** The task or root that awaits it; `null` for a person's own question. */
  readonly parentId: string | null;
  readonly model: string;
}

/** One turn of it. */
export interface Turn {
  readonly work: Work;
  readonly class: WorkClass;
  /** Sends the turn to the server, or to that one of several, again on each call; an abort of the signal takes it back. */
  generate(signal: AbortSignal, server?: number): Promise<GenerationFigures>;
}

export interface StrategyWorld {
  readonly clock: Clock;
  readonly random: Random;
  readonly facts: ServerFacts;
  /** For what is loaded when; generations go through `Turn.generate`, which counts them. */
  readonly server: Pick<ModelServer, "load" | "unload" | "loaded">;
}

/** Time that a strategy's own decisions took, in microseconds of the machine's clock. */
export interface DecisionCost {
  readonly count: number;
  readonly meanUs: number;
  readonly p99Us: number;
}

/**
 * One run of a contender. `begin`, `turn` and `ask` reject with the signal's reason when it aborts.
 * Contract: `end` comes once for every work, also for one that was cancelled before it began.
 */
export interface StrategyRun {
  /** Resolves when the task may begin. */
  begin(work: Work, signal: AbortSignal): Promise<void>;
  /** Resolves with the figures of the generation that was completed. */
  turn(turn: Turn, signal: AbortSignal): Promise<GenerationFigures>;
  /** The task waits for children of its own; its next turn is one of class `resuming`. */
  park(work: Work): void;
  end(work: Work): void;
  /** What is held or waited for now: 0 when nothing is alive, else it leaks. */
  held(): number;
  /** `null` where its decisions were not timed. */
  cost(): DecisionCost | null;
  close(): void;
}

export interface Strategy {
  readonly name: string;
  /** For the report: what it does, and whose way that is. */
  readonly about: string;
  /** Whether its turns carry a `keep_alive` where the workload asks for it: not those of who loads models itself. */
  readonly namesKeepAlive: boolean;
  open(world: StrategyWorld): Promise<StrategyRun>;
}
