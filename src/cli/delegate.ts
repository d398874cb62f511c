// `troupe delegate`: one goal to one child, waited for or not.
//
// D1. Ctrl-C while it waits cancels the task: what a person stopped does not go on using the GPU.

import { linkedAbort, withSignal } from "../base/abort.ts";
import { delay } from "../base/clock.ts";
import { CancelledError } from "../base/errors.ts";
import type { DelegateRequest, TaskApi, TaskHandle, TaskResult } from "../core/api.ts";
import { BUDGET_KINDS, MAX_CONTEXT_CHARS } from "../core/limits.ts";
import { snakeKey } from "../core/wire.ts";
import { ISOLATIONS, type Isolation } from "../core/worktree.ts";
import { didYouMean } from "../config/suggest.ts";
import type { Command, Invocation, Outcome } from "./command.ts";
import { connect, shortId } from "./connection.ts";
import { usageError } from "./flags.ts";
import { showResult } from "./result.ts";

/** How long a cancelled task is waited for; the server ends it by force after `delegation.cancel_deadline_s`. */
const LET_GO_MS = 30_000;
/** How often it is looked what a task waits for. */
const LOOK_MS = 2_000;

/** Contract: throws TroupeErrors; `interrupted` after Ctrl-C, once the task has let go. */
export const delegate: Command = async (invocation) => {
  const { flags, printer } = invocation;
  if (flags.has("async") && (flags.has("wait") || flags.has("wait-s"))) {
    throw usageError("Expected either --async or --wait/--wait-s, got both.");
  }
  const waitS = flags.number("wait-s");
  const request = await requestOf(invocation);
  const api = await connect(invocation);
  const handle = await api.delegate(request);
  const waits = flags.has("wait") || waitS !== undefined || !(flags.has("async") || handle.async);
  if (!waits) return handOver(invocation, handle);
  printer.note([["dim", `${handle.taskId} ${handle.state}; Ctrl-C cancels it`]]);
  const result = await waitFor(api, handle.taskId, { invocation, waitS });
  const outcome = showResult(printer, result);
  return invocation.world.signal.aborted ? "interrupted" : outcome;
};

async function requestOf(invocation: Invocation): Promise<DelegateRequest> {
  const { flags, words } = invocation;
  const [agent, model, toolsets] = [flags.text("agent"), flags.text("model"), flags.texts("toolset")];
  const isolation = flags.text("isolation");
  if (isolation !== undefined && !ISOLATIONS.some((each) => each === isolation)) {
    throw usageError(`Expected --isolation ${ISOLATIONS.join(" or ")}, got ${JSON.stringify(isolation)}.`);
  }
  const given = flags.text("context");
  const context = given === "-" ? await readContext(invocation) : given;
  return {
    goal: words[0] as string,
    ...(context !== undefined && { context }),
    ...(agent !== undefined && { agent }),
    ...(model !== undefined && { model }),
    ...(toolsets !== undefined && { toolsets }),
    ...(isolation !== undefined && { isolation: isolation as Isolation }),
    ...budgetOf(flags.texts("budget") ?? []),
  };
}

/** Contract: throws the usage error for what is no limit of a budget, and for one that is named twice. */
function budgetOf(limits: readonly string[]): Pick<DelegateRequest, "budget"> {
  const keys = BUDGET_KINDS.map(snakeKey);
  const budget: Record<string, number> = {};
  for (const text of limits) {
    const [key = "", digits = ""] = text.split("=", 2);
    const kind = BUDGET_KINDS.find((each) => snakeKey(each) === key);
    if (kind === undefined || !/^[1-9]\d{0,14}$/.test(digits)) {
      const near = kind === undefined ? didYouMean(key, keys) : "";
      throw usageError(
        `Expected --budget KEY=N with a whole number from 1 up and one of ${keys.join(", ")}, got ${JSON.stringify(text)}.${near}`,
      );
    }
    if (kind in budget) throw usageError(`Expected --budget ${key} once, got it twice.`);
    budget[kind] = Number(digits);
  }
  return limits.length === 0 ? {} : { budget };
}

/** All of stdin. Contract: throws the usage error for more than a context may have, CancelledError at Ctrl-C. */
async function readContext({ world, printer }: Invocation): Promise<string> {
  const { terminal, signal } = world;
  if (terminal.inIsTerminal) printer.note("Type the context; Ctrl-D ends it.");
  const read = async (): Promise<string> => {
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of terminal.input()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_CONTEXT_CHARS) {
        throw usageError(`Expected a context of at most ${MAX_CONTEXT_CHARS} characters on stdin, got more.`);
      }
    }
    return text + decoder.decode();
  };
  return withSignal(read(), signal);
}

function handOver({ printer }: Invocation, handle: TaskHandle): Outcome {
  printer.document(handle);
  printer.data(handle.taskId);
  const tasks = `${printer.program} tasks`;
  const id = shortId(handle.taskId);
  printer.note([
    ["dim", `${handle.state}; ${tasks} tail --follow ${id} watches it, ${tasks} collect ${id} waits`],
  ]);
  return "ok";
}

interface Wait {
  readonly invocation: Invocation;
  readonly waitS: number | undefined;
}

/** The result, also of a task that Ctrl-C cancelled (keeps D1). */
async function waitFor(api: TaskApi, taskId: string, { invocation, waitS }: Wait): Promise<TaskResult> {
  const { world, printer } = invocation;
  const { signal } = world;
  const watch = linkedAbort(signal);
  const telling = tellWaits(api, taskId, { invocation, signal: watch.signal });
  try {
    return await api.collect(taskId, { signal, ...(waitS !== undefined && { timeoutMs: waitS * 1000 }) });
  } catch (error) {
    if (!signal.aborted || !(error instanceof CancelledError)) throw error;
    printer.note(`Cancelling ${shortId(taskId)}; Ctrl-C again leaves at once.`);
    await api.cancel(taskId, { reason: "interrupted by the person who delegated it" });
    return await api.collect(taskId, { timeoutMs: LET_GO_MS });
  } finally {
    watch.release();
    watch.abort("it has ended");
    await telling;
  }
}

/** Says what the task waits for, and again when that is something else; nothing of one that goes on. Never rejects. */
async function tellWaits(
  api: TaskApi,
  taskId: string,
  { invocation, signal }: { readonly invocation: Invocation; readonly signal: AbortSignal },
): Promise<void> {
  const { world, printer } = invocation;
  let told = "";
  try {
    for (;;) {
      await delay(world.clock, LOOK_MS, signal);
      const { waitsFor } = await withSignal(api.check(taskId), signal);
      if (waitsFor === null) continue;
      // Of slots and places the figures change all the time, and that is no news.
      const kind = waitsFor.replaceAll(/\d+/g, "");
      if (kind !== told) printer.note([["dim", `waits: ${waitsFor}`]]);
      told = kind;
    }
  } catch {
    // It has ended; what is wrong with the connection is told by who waits for its end.
  }
}
