// The effects that the agent machine names: prepare, foldMail, generate, callTools, and the actions that ask for a
// lease and arm a retry. Each ends in a typed output; a rejection is a defect. What an effect came to is
// committed together with the state that follows it, and everything with a consequence outside waits for that commit.

import { fromPromise } from "xstate";
import { agentMachine, isRunOver, type EffectFailure, type PrepareOutput } from "../../machines/agent.ts";
import { ConfigError, NotFoundError, toTroupeError } from "../base/errors.ts";
import type { TaskFailure } from "../core/task.ts";
import { callTools, type CheckArguments } from "./call-tools-effect.ts";
import { generate } from "./generate-effect.ts";
import { refusalText } from "./fallback.ts";
import { foldMail } from "./open-turn.ts";
import { cancelOrders } from "./orders.ts";
import { elsewhere } from "./rerouting.ts";
import type { TaskHost } from "./task-host.ts";
import { UNKNOWN_FAILURE } from "./turn-state.ts";
import { noWorktrees, placeOfWorktree } from "./isolating.ts";

/** Finds the host of a task; the machine's effects know only its id. */
export type FindHost = (taskId: string) => TaskHost;

/** The machine with its effects, provided once for all tasks. */
export function provideEffects(find: FindHost, checkArguments: CheckArguments): typeof agentMachine {
  return agentMachine.provide({
    actors: {
      prepare: fromPromise(({ input }) => {
        const host = find(input.taskId);
        return host.work.trackEffect(prepare(host));
      }),
      foldMail: fromPromise(({ input }) => {
        const host = find(input.taskId);
        return host.work.trackEffect(foldMail(host, input).catch((thrown) => failureOf(host, thrown)));
      }),
      generate: fromPromise(({ input, signal }) => {
        const host = find(input.taskId);
        const { clock, settings } = host.services;
        const before = host.work.vacated(clock, settings.cancelDeadlineMs);
        return host.work.trackGeneration(generate(host, { ...input, signal, before }));
      }),
      callTools: fromPromise(({ input, signal }) => {
        const host = find(input.taskId);
        const calling = callTools(host, { ...input, signal, checkArguments });
        return host.work.trackEffect(
          calling.catch((thrown) => {
            if (signal.aborted) throw thrown;
            return failureOf(host, thrown);
          }),
        );
      }),
    },
    actions: {
      keepOutcome: ({ context }) => find(context.taskId).keepOutcome(),
      requestLease: ({ context }) => find(context.taskId).leases.request(context.ticket),
      armRetry: ({ context }) => {
        const host = find(context.taskId);
        if (isRunOver(context)) leaveChildren(host);
        host.pauses.arm(context);
      },
      reportFailure: ({ context }) => {
        const { journal, turn } = find(context.taskId);
        const { code, message } = turn.lastFailure ?? UNKNOWN_FAILURE;
        journal.event({ type: "run.failed", data: { code, message, retryInMs: null } });
      },
      reportOutOfTurns: ({ context }) => {
        const message = `The agent used its ${context.maxTurns} turns without an answer. Say more, or raise max_turns.`;
        find(context.taskId).journal.event({
          type: "run.failed",
          data: { code: "max_turns", message, retryInMs: null },
        });
      },
    },
  });
}

const FAILED_RUN = "its parent's run failed and another begins";

/** A further run knows nothing of the children of the one that failed: they end, and are not told of. */
function leaveChildren(host: TaskHost): void {
  const { id, services, mailbox, journal } = host;
  mailbox.know(services.kinship.liveChildren(id));
  journal.stage(cancelOrders(host, FAILED_RUN));
  services.kinship.cancelChildren(id, FAILED_RUN);
}

/** What the config has no more (a model, a toolset) fails the task by its own name; a defect stays one. */
function failureOf({ turn }: TaskHost, thrown: unknown): EffectFailure {
  const isTheirs = thrown instanceof ConfigError || thrown instanceof NotFoundError;
  if (!isTheirs) throw thrown;
  const failure = { code: thrown.code, message: thrown.message, retryable: false };
  turn.lastFailure = failure;
  return { outcome: "failed", failure, transient: false, retryInMs: 0 };
}

async function prepare(host: TaskHost): Promise<PrepareOutput> {
  const { services, spec, journal, turn } = host;
  try {
    services.modelOf(turn.model);
    services.providerOf(turn.model);
    services.toolsOf(spec);
  } catch (thrown) {
    const other = elsewhere(host, thrown);
    if (other && "change" in other) {
      journal.event(...other.change());
      return prepare(host);
    }
    const { code, message } = toTroupeError(thrown);
    const failure = { code, message: `${message}${refusalText(other?.refused ?? [])}`, retryable: false };
    return { outcome: "failed", failure, transient: false, retryInMs: 0 };
  }
  const failure = await checkedOut(host);
  if (failure) return { outcome: "failed", failure, transient: false, retryInMs: 0 };
  // A restart may make it ready a second time; it has started once.
  if (journal.record.startedAt === null)
    journal.stage({ startedAt: services.clock.now(), events: [{ type: "task.started", data: {} }] });
  return { outcome: "ready" };
}

/** Makes the worktree of a task that is to have one, or finds it after a restart; why it cannot, else null. */
async function checkedOut({ services, spec }: TaskHost): Promise<TaskFailure | null> {
  const place = placeOfWorktree(spec);
  if (place === null) return null;
  try {
    if (services.worktrees === undefined) throw noWorktrees();
    await services.worktrees.make(place);
    return null;
  } catch (thrown) {
    const { code, message } = toTroupeError(thrown);
    return { code, message, retryable: false };
  }
}
