// The end of a task as a command shows it: the result alone on stdout, so that it can be piped on.

import type { TaskResult } from "../core/api.ts";
import { worktreeLine } from "../core/worktree.ts";
import type { Outcome } from "./command.ts";
import { shortId } from "./connection.ts";
import type { Printer } from "./printer.ts";
import { failureText } from "./task-lines.ts";

/** Shows it; how the command ends. */
export function showResult(printer: Printer, result: TaskResult): Outcome {
  printer.document(result);
  if (!result.finished) {
    const id = shortId(result.taskId);
    printer.note(
      `Not finished (${result.state}${result.phase === null ? "" : `, ${result.phase}`}); it goes on.`,
    );
    printer.note(`${printer.program} tasks collect ${id} waits for it.`);
    return "unfinished";
  }
  if (result.result !== null) printer.data(result.result);
  if (result.worktree) printer.note([["dim", worktreeLine(result.worktree)]]);
  if (result.truncated)
    printer.note([
      ["yellow", "warning: "],
      "the result was cut (delegation.max_result_chars, or the budget left no more)",
    ]);
  if (result.state === "done") return "ok";
  printer.note([["red", "error: "], failureText(result)]);
  return "failed";
}
