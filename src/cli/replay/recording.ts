// A recording: one task, or a tree of them, with everything that is known of it, as one JSON document in the wire's words.
// Its schema is checked when it is read, since a file may come from anybody.
//
// R1. What is read is data: no path, address or program in it is ever opened or started.
// R2. What is read is bounded before it is parsed, and again after.

import { z } from "zod";
import { InvalidRequestError } from "../../base/errors.ts";
import type { TaskView } from "../../core/api.ts";
import type { MachineView } from "../../core/box-api.ts";
import type { StoredEvent } from "../../core/event.ts";
import type { TranscriptRow } from "../../core/message.ts";
import { fromWire } from "../../core/wire.ts";
import { storedEvent, transcriptRow } from "../../http/stream-schema.ts";
import { machineView, taskView } from "../../http/view-schema.ts";

export const RECORDING_FORMAT = "troupe-recording";
export const RECORDING_VERSION = 1;

/** Bytes of a file that are read at all. */
export const MOST_BYTES = 256 * 1024 * 1024;
export const MOST_TASKS = 20_000;
export const MOST_EVENTS = 500_000;
export const MOST_ROWS = 500_000;
/** Levels of a tree; people's trees have a few. */
const MOST_LEVELS = 64;

export interface Recording {
  readonly format: typeof RECORDING_FORMAT;
  readonly version: typeof RECORDING_VERSION;
  /** When it was made, in milliseconds since the epoch. */
  readonly madeAt: number;
  /** The version of the Troupe that made it. */
  readonly madeBy: string;
  readonly storeId: string;
  readonly rootId: string;
  /** Parents before their children. */
  readonly tasks: readonly TaskView[];
  /** Oldest first. */
  readonly events: readonly StoredEvent[];
  readonly transcripts: readonly TranscriptRow[];
  readonly machines: readonly MachineView[];
}

const recordingSchema = z.object({
  format: z.literal(RECORDING_FORMAT),
  version: z.literal(RECORDING_VERSION),
  made_at: z.number().int(),
  made_by: z.string().max(200),
  store_id: z.string().max(200),
  root_id: z.string().max(200),
  tasks: z.array(taskView).min(1).max(MOST_TASKS),
  events: z.array(storedEvent).max(MOST_EVENTS),
  transcripts: z.array(transcriptRow).max(MOST_ROWS),
  machines: z.array(machineView).max(20),
});

function notOne(what: string, cause?: unknown): InvalidRequestError {
  return new InvalidRequestError(
    "bad_recording",
    `Expected a recording that troupe export made, got ${what}.`,
    {
      ...(cause !== undefined && { cause }),
    },
  );
}

/** Contract: throws InvalidRequestError `bad_recording` for everything that is none, and never anything else (R2). */
export function parseRecording(text: string): Recording {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw notOne("no JSON", cause);
  }
  const { format, version } = Object(found) as { readonly format?: unknown; readonly version?: unknown };
  if (format === RECORDING_FORMAT && version !== RECORDING_VERSION)
    throw notOne(`one of version ${JSON.stringify(version)?.slice(0, 20)}, which this Troupe does not know`);
  let recording: Recording;
  try {
    // A value may be nested so deep that walking it fails.
    const checked = recordingSchema.safeParse(found);
    if (!checked.success) {
      const [issue] = checked.error.issues;
      throw notOne(
        `something else at ${issue?.path.map(String).join(".").slice(0, 200) || "its top"}: ${issue?.message}`,
      );
    }
    recording = fromWire(checked.data) as Recording;
  } catch (error) {
    throw error instanceof InvalidRequestError ? error : notOne("one that is nested too deep", error);
  }
  return inOrder(recording);
}

/** With parents before their children, and events by their cursor. Throws where the tasks are no tree. */
function inOrder(recording: Recording): Recording {
  const { tasks } = recording;
  const ids = new Set(tasks.map(({ taskId }) => taskId));
  if (ids.size !== tasks.length) throw notOne("one with the same task twice");
  if (!ids.has(recording.rootId)) throw notOne("one without its own root");
  const below = Map.groupBy(tasks, ({ parentId }) =>
    parentId !== null && ids.has(parentId) ? parentId : null,
  );
  const ordered: TaskView[] = [];
  let level = below.get(null) ?? [];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= MOST_LEVELS) throw notOne(`a tree of more than ${MOST_LEVELS} levels`);
    ordered.push(...level);
    level = level.flatMap(({ taskId }) => below.get(taskId) ?? []);
  }
  // A task that is its own ancestor is reached from no root.
  if (ordered.length !== tasks.length) throw notOne("tasks that are their own ancestors");
  return {
    ...recording,
    tasks: ordered,
    events: recording.events.toSorted((a, b) => a.cursor - b.cursor),
  };
}
