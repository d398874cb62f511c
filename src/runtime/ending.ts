// How a task ends: from its machine's last word to the end in the store.
// E1. The end is committed after everything the task did has stopped (or by force, after the deadline), once.
// E2. The completion reaches the parent's inbox in the same commit as the end.
// E3. What its last effect came to is in the same commit too, so that no restart finds an answer without its end.
// E4. That it ends is in the store before its children are called off for it: a restart in between ends it too.
// E5. What is left of its worktree is found out when all of the task has stopped; one that is not looked at in time is
//     kept.

import type { AgentOutput } from "../../machines/agent.ts";
import type { TaskSpec } from "../core/task.ts";
import type { WorktreeEnd } from "../core/worktree.ts";
import type { CommitWrite } from "../store/store.ts";
import { placeOfWorktree } from "./isolating.ts";
import type { Journal } from "./journal.ts";
import type { LeaseHolder } from "./lease-holder.ts";
import type { Mailbox } from "./mailbox.ts";
import { endEvent, endOf } from "./outcome.ts";
import type { HostServices } from "./services.ts";
import type { StoredState } from "./stored-state.ts";
import { Settling } from "./settling.ts";
import type { TurnState } from "./turn-state.ts";
import type { WorkInFlight } from "./work-in-flight.ts";

/** What an ended task is told to have given back. */
export const RELEASED = { type: "task.released", data: {} } as const;

/** What an end needs of the task that it is the end of. */
export interface EndingHost {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly services: HostServices;
  readonly journal: Journal;
  readonly mailbox: Mailbox;
  readonly turn: TurnState;
  readonly leases: LeaseHolder;
  readonly work: WorkInFlight;
  /** The snapshot as it is to be stored. */
  stored(): StoredState | null;
}

export class Ending {
  readonly #host: EndingHost;
  readonly #output: AgentOutput;
  readonly #kept: CommitWrite | null;
  readonly #settling: Settling;
  #worktree: WorktreeEnd | null | undefined;
  /** Calls the look at the worktree off. */
  readonly #looking = new AbortController();

  /** `kept` is what the last effect came to, not yet staged. */
  constructor(host: EndingHost, output: AgentOutput, kept: CommitWrite | null) {
    this.#host = host;
    this.#output = output;
    this.#kept = kept;
    const { kinship, clock, settings } = host.services;
    if (kinship.liveCount(host.id) > 0) this.#callOffChildren();
    host.leases.drop();
    const released = host.services.releaseTools?.(host.id);
    if (released) host.work.leave(released);
    const work = host.work.settled();
    const children = kinship.liveCount(host.id) > 0 ? kinship.childless(host.id) : null;
    // Even with nothing to wait for: whoever got the lease begins its turn before this end is written.
    this.#settling = new Settling({
      clock,
      deadlineMs: settings.cancelDeadlineMs,
      // Mail that is being read is told of, if only as undelivered.
      work: this.#leaveWorktree(Promise.all([work, children, host.mailbox.settled])),
      conclude: (settled) => {
        // What was answered before a restart is kept, by force too.
        const recalled = host.turn.memory?.().catch(() => {});
        if (recalled) void recalled.then(() => this.#conclude(settled));
        else this.#conclude(settled);
      },
    });
  }

  /** Keeps E4. */
  #callOffChildren(): void {
    const { journal } = this.#host;
    const stored = this.#host.stored();
    // One that never moved has no state to go on from, and begins anew.
    if (stored) journal.stage({ snapshot: { ...stored, ending: this.#output } });
    const callOff = (): void => this.#cancelChildren();
    journal.flush().then(callOff, callOff);
  }

  #cancelChildren(): void {
    const { id, services } = this.#host;
    services.kinship.cancelChildren(id, `its parent ended (${this.#output.state})`);
  }

  /** Keeps E5; adds nothing for a task without one. */
  #leaveWorktree(stopped: Promise<unknown>): Promise<unknown> {
    const { spec, services } = this.#host;
    const place = placeOfWorktree(spec);
    const { worktrees } = services;
    if (place === null || worktrees === undefined) return stopped;
    return stopped
      .then(() => worktrees.leave(place, this.#looking.signal))
      .then((end) => void (this.#worktree = end));
  }

  /** What is known of the worktree by now; `null` where none was made. */
  #worktreeEnd(): WorktreeEnd | null {
    const place = placeOfWorktree(this.#host.spec);
    if (place === null || this.#worktree !== undefined) return this.#worktree ?? null;
    const { path, branch } = place;
    return { path, branch, commits: null, dirty: null, kept: true, note: "it was not looked at in time" };
  }

  /** Ends it now, whatever still runs. */
  force(): void {
    // Who forces it is in its mail, and a restart finds that: E4 holds, and no child begins a turn beside the end.
    this.#cancelChildren();
    this.#settling.force();
  }

  /** Commits the end. `settled` is false when something of the task would not let go in time. */
  #conclude(settled: boolean): void {
    const { id, spec, services, journal, mailbox, turn, leases, work } = this.#host;
    const { scheduler, clock, kinship, logger, store, patience } = services;
    const now = clock.now();
    leases.forget();
    const { reroutes } = turn;
    const ended = endOf(this.#output, turn, spec.limits.maxResultChars);
    if (!settled) this.#looking.abort();
    const worktree = this.#worktreeEnd();
    const end = {
      ...ended,
      ...(reroutes.length > 0 && { reroutes }),
      ...(worktree && { worktree }),
    };
    const { parentId, goal } = spec;
    if (this.#kept) journal.stage(this.#kept);
    journal.stage({
      terminal: end,
      events: [...mailbox.refusals(end.state), endEvent(end, this.#output)],
      ...(settled && { releasedAt: now }),
      ...(parentId && {
        outbox: [{ to: parentId, message: { kind: "completion", id, end, goal } }],
      }),
    });
    // Slot and place are given on once the end is in the store: until then a restart would find this task alive.
    const acknowledged = journal.flush().then(
      () => {
        scheduler.end(id);
        kinship.ended(id, end);
      },
      () => {},
    );
    if (settled) return;
    logger.warn("a task did not let go in time and was ended by force", { task: id });
    // Only an end that is in the store can be marked as released.
    void Promise.all([acknowledged, work.settled()])
      .then(() => clock.now())
      .then((at) => patience.call("markReleased", () => store.markReleased(id, at, RELEASED)))
      .catch(() => {});
  }
}
