// Reads everything that a server tells of its tasks, as plain data for the checks.

import type { TaskView } from "../../src/core/api.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { TranscriptRow } from "../../src/core/message.ts";
import type { HttpClient } from "../../src/http/client.ts";

const PAGE = 200;
/** A server that is asked for what it has answers sooner, however busy the machine is. */
const PATIENCE_MS = 30_000;

export type Views = ReadonlyMap<string, TaskView>;

export interface Look {
  readonly views: Views;
  readonly events: readonly StoredEvent[];
  readonly transcripts: ReadonlyMap<string, readonly TranscriptRow[]>;
  /** The results of all tasks, as JSON. */
  readonly results: ReadonlyMap<string, string>;
}

/** Every task, oldest first. */
export async function readViews(client: HttpClient): Promise<Views> {
  const views = new Map<string, TaskView>();
  let cursor: string | undefined;
  do {
    const page = await client.list({ limit: PAGE, ...(cursor !== undefined && { cursor }) });
    for (const view of page.items) views.set(view.taskId, view);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return views;
}

/** Everything. Contract: every task has ended, so that nothing changes while it is read. */
export async function readAll(client: HttpClient): Promise<Look> {
  const views = await readViews(client);
  const events = await readEvents(client, views);
  const transcripts = new Map<string, readonly TranscriptRow[]>();
  const results = new Map<string, string>();
  for (const taskId of views.keys()) {
    transcripts.set(taskId, await readTranscript(client, taskId));
    results.set(taskId, JSON.stringify(await client.collect(taskId, { timeoutMs: 0 })));
  }
  return { views, events, transcripts, results };
}

/** From the first event to the last one that these views tell of. */
async function readEvents(client: HttpClient, views: Views): Promise<readonly StoredEvent[]> {
  const events: StoredEvent[] = [];
  const missing = new Map([...views].map(([taskId, view]) => [taskId, view.lastEvent]));
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), PATIENCE_MS);
  try {
    for await (const frame of client.events({ after: 0, signal: stop.signal })) {
      if (frame.kind !== "event") continue;
      events.push(frame.event);
      const { taskId, seq } = frame.event;
      if (seq >= (missing.get(taskId) ?? 0)) missing.delete(taskId);
      if (missing.size === 0) break;
    }
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
  return events;
}

async function readTranscript(client: HttpClient, taskId: string): Promise<readonly TranscriptRow[]> {
  const rows: TranscriptRow[] = [];
  for (;;) {
    const page = await client.transcript(taskId, { after: rows.at(-1)?.index ?? 0, limit: PAGE });
    rows.push(...page.items);
    if (page.nextCursor === null) return rows;
  }
}
