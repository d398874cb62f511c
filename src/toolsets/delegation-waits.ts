// What a call that waits for children comes to when it ends before them: a person spoke, or a child asks something.

import type { ToolContext, ToolOutcome, ToolWait, WaitEnd } from "../core/tool.ts";
import { endedIds, outcomesOf, type ChildOutcome } from "./delegation-words.ts";

const NOTES = {
  continue:
    "A person spoke, so this call no longer waits. The unfinished children go on; their results will reach you as messages.",
  cancel: "A person spoke: the unfinished children were cancelled.",
  asked:
    "A child asks you something, so this call no longer waits; all children go on. Its question is in the messages that follow: " +
    "answer it with answer_task first, then collect_task waits again.",
} as const;

/** Its ids, and results of those that have ended; `null` when the wait was not ended early. */
export async function endedEarly(
  { wait, end }: { readonly wait: ToolWait; readonly end: WaitEnd },
  context: ToolContext,
  onInterrupt: "continue" | "cancel",
): Promise<ToolOutcome | null> {
  if (end.cause !== "interrupted" && end.cause !== "asked") return null;
  const results = await outcomesOf(wait.for === "children" ? wait.taskIds : [], context);
  const open = results.filter((result) => !result.finished).map((result) => result.task_id);
  if (end.cause === "asked") return told({ asked: true, open, results, note: NOTES.asked });
  if (onInterrupt === "cancel") {
    for (const taskId of open)
      await context.tasks.cancel(taskId, { reason: "the person spoke (delegation.on_interrupt)" });
  }
  return told({ interrupted: true, open, results, note: NOTES[onInterrupt] });
}

interface Early {
  readonly asked?: true;
  readonly interrupted?: true;
  readonly open: readonly string[];
  readonly results: readonly ChildOutcome[];
  readonly note: string;
}

function told({ open, results, note, ...why }: Early): ToolOutcome {
  const value = { ...why, task_ids: open, results, note };
  return { type: "result", value, delivers: endedIds(results) };
}
