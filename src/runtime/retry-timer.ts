// The pause before a further try: recorded as an event and a timer row, then told to the machine.

import { isRunOver, type AgentContext, type AgentEvent } from "../../machines/agent.ts";
import type { Timer } from "../base/clock.ts";
import type { TimerRow } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import type { Outages } from "./outages.ts";
import type { HostServices } from "./services.ts";
import { UNKNOWN_FAILURE, type TurnState } from "./turn-state.ts";

/** Name of the pause's row among the task's timers. */
export const RETRY = "retry";

/** What the machine says of a try or a run that failed. */
export type FailedContext = Pick<AgentContext, "tries" | "turnOpen" | "backoffMs">;

/** What the timer needs of the task that tries again. */
export interface RetryHost {
  readonly id: string;
  readonly services: Pick<HostServices, "clock"> & {
    readonly residency: { readonly outages: Pick<Outages, "forget"> };
  };
  readonly journal: Journal;
  readonly turn: TurnState;
  send(event: AgentEvent): void;
}

export class RetryTimer {
  readonly #host: RetryHost;
  #timer: Timer | null = null;
  /** Ends the pause that is on; `null` while none is. */
  #due: (() => void) | null = null;

  constructor(host: RetryHost) {
    this.#host = host;
  }

  /** Records what failed, a try or a whole run, and wakes the machine after `backoffMs`. */
  arm(context: FailedContext): void {
    const { tries, backoffMs } = context;
    const { services, journal, turn } = this.#host;
    const { code, message } = turn.lastFailure ?? UNKNOWN_FAILURE;
    const retryInMs = Math.round(backoffMs);
    journal.event(
      isRunOver(context)
        ? { type: "run.failed", data: { code, message, retryInMs } }
        : { type: "generation.retried", data: { code, message, attempt: tries, retryInMs } },
    );
    journal.stage({ timers: [{ name: RETRY, dueAt: services.clock.now() + retryInMs }] });
    this.#wakeIn(retryInMs);
  }

  /** The same pause after a restart, until the time that was written then; a clock that was set back makes it no longer. */
  goOn({ backoffMs }: Pick<AgentContext, "backoffMs">, timers: readonly TimerRow[]): void {
    const dueAt = timers.find((timer) => timer.name === RETRY)?.dueAt ?? 0;
    const leftMs = dueAt - this.#host.services.clock.now();
    this.#wakeIn(Math.min(Math.max(0, leftMs), Math.round(backoffMs)));
  }

  #wakeIn(delayMs: number): void {
    const { services, journal } = this.#host;
    this.#due = () => {
      this.cancel();
      journal.stage({ timers: [] });
      this.#host.send({ type: "retry.due" });
    };
    this.#timer = services.clock.after(delayMs, this.#due);
  }

  /** What it waits for is there: the pause is over now. Does nothing when none is on. */
  hurry(): void {
    this.#due?.();
  }

  /** Also ends what held it: a task that goes on, stops or ends waits for no server. */
  cancel(): void {
    const { id, services } = this.#host;
    this.#timer?.cancel();
    this.#due = null;
    services.residency.outages.forget(id);
  }
}
