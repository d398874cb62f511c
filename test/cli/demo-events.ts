// Events of a session and its children, as the store would number them; for tests of what reads them.

import { DemoRecord } from "../../src/cli/demo-record.ts";
import type { EventData, EventFrame, EventType, StoredEvent } from "../../src/core/event.ts";

export const SESSION = "ses_000000000000";
export const CHILD = "task_aaaaaa000000";

type Rest = Partial<Pick<StoredEvent, "turn" | "state" | "phase" | "time" | "taskId">>;

export function event<T extends EventType>(type: T, data: EventData[T], rest: Rest = {}): EventFrame {
  const taskId = rest.taskId ?? SESSION;
  const stored: StoredEvent = {
    storeId: "store",
    cursor: 1,
    seq: 1,
    parentId: taskId === SESSION ? null : SESSION,
    rootId: SESSION,
    sessionId: SESSION,
    run: 1,
    turn: 1,
    state: "running",
    phase: "generating",
    version: 1,
    time: 1_000,
    traceparent: null,
    type,
    data,
    ...rest,
    taskId,
  };
  return { kind: "event", event: stored };
}

export function delta(text: string): EventFrame {
  return { kind: "delta", taskId: SESSION, channel: "text", text };
}

export function spawned(taskId = CHILD): EventFrame {
  const data = { goal: "Count the files.", agent: "child", model: "m", depth: 1 };
  return event("task.spawned", data, { taskId, state: "spawned", phase: "queued" });
}

/** A record whose clock stands at `now()`. */
export function recordAt(now: () => number): DemoRecord {
  return new DemoRecord(SESSION, now);
}
