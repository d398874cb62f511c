// A context for tools that touch nothing but their workspace: everything else refuses.

import { SimulatedClock } from "../../src/base/clock.ts";
import type { TaskApi } from "../../src/core/api.ts";
import type { ToolContext } from "../../src/core/tool.ts";

const noTasks = new Proxy({} as TaskApi, {
  get: (_, name) => () => Promise.reject(new Error(`no tasks here: ${String(name)}`)),
});

export function toolContext(
  workspace: string,
  signal: AbortSignal = new AbortController().signal,
): ToolContext {
  return {
    taskId: "task_1",
    rootId: "task_1",
    role: "leaf",
    maxResultChars: 24_000,
    callId: "call_1",
    workspace,
    tasks: noTasks,
    clock: new SimulatedClock(),
    signal,
    reportProgress: () => Promise.resolve(),
  };
}
