// The effect `callTools`: records the intent of each call, runs them, and leaves their results for the commit of the
// state that follows. An intent is in the store before its call acts; one that a restart finds without a result is
// repeated only where its tool says that it may be.

import type { CallToolsOutput, PendingWait } from "../../machines/agent.ts";
import { ToolError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import { addUsage } from "../core/limits.ts";
import type { ToolCall } from "../core/message.ts";
import type { Tool, ToolContext } from "../core/tool.ts";
import { escalation } from "./rerouting.ts";
import { judged } from "./failed-run.ts";
import type { BudgetWarning } from "./ledger.ts";
import { warned } from "./purse.ts";
import { respondentOf } from "./respondent.ts";
import { resultRoomOf } from "./result-room.ts";
import type { TaskHost } from "./task-host.ts";
import type { CommitWrite } from "../store/store.ts";
import { watchOver, type Stall, type StallWatch } from "./stall-watch.ts";
import { NO_CALLS } from "./turn-state.ts";
import { folderOf, servedRootOf } from "./workspace-folder.ts";
import { runTools, type ToolsRan, type ToolStep } from "./tool-runner.ts";

/** Checks a model's arguments against a tool's schema; throws ToolError `bad_arguments`. */
export type CheckArguments = (tool: Tool, input: unknown) => Readonly<Record<string, unknown>>;

export interface CallToolsInput {
  readonly turn: number;
  readonly waits: readonly PendingWait[];
  readonly signal: AbortSignal;
  readonly checkArguments: CheckArguments;
}

/** Runs the calls of the last answer, or goes on with those whose wait has ended. Rejects only when aborted. */
export async function callTools(host: TaskHost, input: CallToolsInput): Promise<CallToolsOutput> {
  const { services, turn, journal, spec } = host;
  await turn.memory?.();
  const tools = services.toolsOf(spec);
  turn.outcome = null;
  const steps = stepsOf(turn.openCalls, input.waits).map((step) => ({
    ...step,
    interrupted: turn.intended.has(step.call.id) && tools.get(step.call.name)?.repeatable === false,
  }));
  turn.intended = NO_CALLS;
  journal.event(...steps.filter((step) => !step.interrupted).map(intentOf));
  await journal.flush();
  // Called off while the intents were written: nothing of it may act any more.
  input.signal.throwIfAborted();
  const maxResultChars = resultRoomOf(host);
  const ledger = services.ledgerOf(spec);
  const ran = await runTools(steps, {
    tools,
    clock: services.clock,
    maxResultChars,
    watch: (call) => watchCall(host, call, input.signal),
    context: (callId, watch) => toolContext(host, { id: callId, maxResultChars }, watch),
    checkArguments: input.checkArguments,
    redact: (text) => services.redact(text),
    takeCall: () => ledger.takeToolCall(),
  });
  if (input.signal.aborted) throw input.signal.reason;
  turn.outcome = () => called(host, steps, { ...ran, warnings: ledger.takeWarnings() });
  const calls = steps.map((step) => step.call);
  const failure = ran.spent ?? (ran.waits.length === 0 ? turn.repetition.note(calls, ran.messages) : null);
  turn.lastFailure = failure;
  if (failure) {
    const failed = { outcome: "failed", failure, transient: false, retryInMs: 0 } as const;
    const stronger = escalation(host, failure);
    if (stronger) {
      const outcome = turn.outcome;
      turn.outcome = () => {
        const write = outcome();
        return { ...write, events: [...(write.events ?? []), ...stronger()] };
      };
      return { ...failed, stepsUp: true };
    }
    return judged(host, failed, { run: turn.begunRun, tries: 0 });
  }
  return { outcome: "called", waits: ran.waits };
}

/** What is about to be done, so that a restart knows that it may have been. */
function intentOf({ call, ended }: ToolStep): NewEvent {
  const { id: callId, name: tool } = call;
  if (ended) return { type: "tool.resumed", data: { callId, tool, cause: ended.end.cause } };
  return { type: "tool.requested", data: { callId, tool, input: call.arguments } };
}

function called(
  host: TaskHost,
  steps: readonly ToolStep[],
  ran: ToolsRan & { readonly warnings: readonly BudgetWarning[] },
): CommitWrite {
  const { turn, mailbox } = host;
  const waiting = new Set(ran.waits.map((wait) => wait.callId));
  turn.openCalls = turn.openCalls.filter((call) => waiting.has(call.id));
  for (const line of ran.lines) host.ring.line(line);
  mailbox.know(ran.delivered);
  const known = ran.waits.length === 0 ? mailbox.takeKnown() : null;
  if (known) host.send({ type: "mail.taken", position: known.cursor });
  const made = steps.filter((step) => !step.ended).length;
  turn.usage = addUsage(turn.usage, { toolCalls: made });
  return {
    messages: ran.messages,
    events: [...ran.events, ...ran.warnings.map(warned), ...(known?.events ?? [])],
    ...(known && { inboxCursor: known.cursor }),
    ...(made > 0 && { usage: turn.usage }),
  };
}

function stepsOf(open: readonly ToolCall[], waits: readonly PendingWait[]): ToolStep[] {
  if (waits.length === 0) return open.map((call) => ({ call, ended: null }));
  return open.flatMap((call) => {
    const wait = waits.find((each) => each.callId === call.id);
    return wait?.end ? [{ call, ended: { wait: wait.wait, end: wait.end } }] : [];
  });
}

/** A tool that falls silent: its outcome is as unknown as that of one that a restart interrupted. */
function watchCall(host: TaskHost, { name }: ToolCall, signal: AbortSignal): StallWatch {
  const errorOf = ({ what }: Stall): ToolError =>
    new ToolError(
      "stalled",
      `It was stopped because ${what}: whether it has acted is unknown. Look before you call it again. ` +
        "(stall_timeout_s in the config says how long is too long.)",
    );
  return watchOver(host, { what: `the tool ${name} said nothing`, signal, errorOf });
}

function toolContext(
  host: TaskHost,
  call: { readonly id: string; readonly maxResultChars: number },
  watch: StallWatch,
): ToolContext {
  const { signal } = watch;
  const { services, spec } = host;
  const tasks = services.apiFor(spec.id);
  return {
    taskId: spec.id,
    rootId: spec.rootId,
    role: spec.role,
    callId: call.id,
    maxResultChars: call.maxResultChars,
    workspace: folderOf(spec.workspace),
    workspaceRoot: servedRootOf(folderOf(spec.workspace), services.settings),
    tasks,
    respondent: () => respondentOf(host),
    clock: services.clock,
    signal,
    reportProgress: async (progress) => {
      watch.alive();
      // A call that was given up may not know it: nothing that it says counts any more.
      if (!signal.aborted) await tasks.reportProgress(spec.id, progress);
    },
  };
}
