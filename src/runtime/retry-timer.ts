// The pause before a further try: recorded as an event and a timer row, then told to the machine.

import type { AgentContext, AgentEvent } from "../../machines/agent.ts";
import type { Timer } from "../base/clock.ts";
import type { Journal } from "./journal.ts";
import type { HostServices } from "./services.ts";
import { UNKNOWN_FAILURE, type TurnState } from "./turn-state.ts";

/** What the timer needs of the task that tries again. */
export interface RetryHost {
  readonly services: Pick<HostServices, "clock">;
  readonly journal: Journal;
  readonly turn: TurnState;
  send(event: AgentEvent): void;
}

export class RetryTimer {
  readonly #host: RetryHost;
  #timer: Timer | null = null;

  constructor(host: RetryHost) {
    this.#host = host;
  }

  /** Wakes the machine after `backoffMs`; tries of one turn and whole runs are told apart by `tries`. */
  arm({ tries, backoffMs }: Pick<AgentContext, "tries" | "backoffMs">): void {
    const { services, journal, turn } = this.#host;
    const { code, message } = turn.lastFailure ?? UNKNOWN_FAILURE;
    const retryInMs = Math.round(backoffMs);
    journal.event(
      tries > 0
        ? { type: "generation.retried", data: { code, message, attempt: tries, retryInMs } }
        : { type: "run.failed", data: { code, message, retryInMs } },
    );
    journal.stage({ timers: [{ name: "retry", dueAt: services.clock.now() + retryInMs }] });
    this.#timer = services.clock.after(retryInMs, () => {
      journal.stage({ timers: [] });
      this.#host.send({ type: "retry.due" });
    });
  }

  cancel(): void {
    this.#timer?.cancel();
  }
}
