// What must hold of every task once all have ended, whatever happened on the way: asked of the store alone, which is
// all that remains of them.

import { callsOf, textOf, type TranscriptRow } from "../../src/core/message.ts";
import { parseCompletion, parseSteer } from "../../src/core/transcript-marks.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { TaskRecord } from "../../src/core/task.ts";
import type { Store } from "../../src/store/store.ts";
import type { Harvest } from "./forest.ts";

const MOST = 100_000;
const END = /^task\.(done|failed|cancelled)$/;

/** The names of what does not hold; empty when all does. */
export async function wrongIn(harvest: Harvest): Promise<readonly string[]> {
  const { store, runtime, provider, clock, settings } = harvest.rig;
  const { items: records } = await store.list({ limit: MOST });
  const wrong: string[] = [];
  const held = runtime.counts();
  if (Object.values(held).some((count) => count > 0)) wrong.push(`still held: ${JSON.stringify(held)}`);
  if (provider.inFlight > 0) wrong.push(`${provider.inFlight} generations in flight`);
  if (provider.peakInFlight > (settings.backends[0]?.slots ?? 0))
    wrong.push("S1: more generations than slots");
  // The heartbeat of the claims is the one timer that a quiet runtime keeps.
  if (clock.pending !== 1) wrong.push(`${clock.pending} timers armed`);
  for (const thrown of harvest.untyped) wrong.push(`thrown at a caller: ${String(thrown)}`);
  for (const name of harvest.unanswered) wrong.push(`never answered: ${name}`);
  for (const line of harvest.complaints) wrong.push(`logged: ${line}`);
  for (const id of harvest.endless) wrong.push(`collect came back before the end of ${id}`);
  for (const record of records) {
    const events = await store.events({ after: 0, taskId: record.spec.id, limit: MOST });
    wrong.push(...wrongEnd(record, events));
    wrong.push(...(await wrongTalk(store, record)));
    wrong.push(...(await wrongTelling(store, record, records)));
  }
  for (const receipt of harvest.receipts) {
    const entry = (await store.inbox(receipt.taskId, 0)).find(
      ({ message }) => message.id === receipt.steerId,
    );
    if (!entry || entry.state === "queued") wrong.push(`the receipt ${receipt.steerId} is not final`);
  }
  return wrong;
}

/** One end, in the record and among the events; the numbers of those gapless; nothing after it but the release. */
function wrongEnd(record: TaskRecord, events: readonly StoredEvent[]): readonly string[] {
  const { id } = record.spec;
  const wrong: string[] = [];
  if (!record.end) wrong.push(`${id} has not ended: ${record.state} ${record.phase}`);
  if (record.end && record.releasedAt === null) wrong.push(`${id} was never released`);
  const ends = events.filter(({ type }) => END.test(type));
  if (ends.length !== 1) wrong.push(`${id} has ${ends.length} ends`);
  if (ends[0] && ends[0].type !== `task.${record.state}`)
    wrong.push(`${id}: ${ends[0].type}, ${record.state}`);
  const rest = events.slice(events.indexOf(ends[0] as StoredEvent) + 1).map(({ type }) => type);
  if (ends[0] && rest.some((type) => type !== "task.released"))
    wrong.push(`${id}: ${rest.join()} after its end`);
  if (events.some(({ seq }, index) => seq !== index + 1)) wrong.push(`${id} has a gap in its events`);
  return wrong;
}

/** Every delivered word stands in the transcript once and no other does; every call of a good end has one result. */
async function wrongTalk(store: Store, record: TaskRecord): Promise<readonly string[]> {
  const { id } = record.spec;
  const rows = await store.transcript(id, { limit: MOST });
  const wrong: string[] = [];
  for (const { message, state } of await store.inbox(id, 0)) {
    if (state === "queued") wrong.push(`${id}: mail ${message.id} is still queued`);
    if (message.kind !== "steer" && message.kind !== "message") continue;
    const times = rows.filter(
      (row) =>
        row.message.role === "user" &&
        (parseSteer(textOf(row.message)) ?? textOf(row.message)) === message.text,
    ).length;
    if (times !== (state === "delivered" ? 1 : 0))
      wrong.push(`${id}: "${message.text}" is ${state} and stands ${times} times in the transcript`);
  }
  const calls = rows.flatMap((row) => callsOf(row.message).map((call) => call.id));
  const results = rows.flatMap((row) =>
    row.message.parts.flatMap((part) => (part.type === "tool_result" ? [part.callId] : [])),
  );
  if (new Set(calls).size !== calls.length) wrong.push(`${id}: one id for two calls`);
  if (results.some((callId, index) => !calls.includes(callId) || results.indexOf(callId) !== index))
    wrong.push(`${id}: a result without its call, or twice`);
  if (record.state === "done" && record.spec.kind === "task" && results.length !== calls.length)
    wrong.push(`${id}: ${calls.length} calls and ${results.length} results`);
  return wrong;
}

/** A parent that came to a good end was told of every child, and of none a second time by the runtime itself. */
async function wrongTelling(
  store: Store,
  parent: TaskRecord,
  records: readonly TaskRecord[],
): Promise<readonly string[]> {
  const { id, kind } = parent.spec;
  const rows = await store.transcript(id, { limit: MOST });
  const read = kind === "task" ? parent.state === "done" : rows.some((row) => textOf(row.message) === "bye");
  if (!read) return [];
  const wrong: string[] = [];
  for (const { spec } of records.filter((each) => each.spec.parentId === id)) {
    const announced = rows.filter((row) => parseCompletion(textOf(row.message))?.taskId === spec.id);
    const told = rows.filter((row) => tells(row, spec.id));
    if (announced.length > 1) wrong.push(`${id} heard ${announced.length} times of ${spec.id}`);
    if (announced.length + told.length === 0) wrong.push(`${id} never heard of the end of ${spec.id}`);
    const again = told[0] && announced[0] && announced[0].index > told[0].index;
    if (again) wrong.push(`${id} heard of ${spec.id} after a result had told it`);
  }
  return wrong;
}

function tells(row: TranscriptRow, taskId: string): boolean {
  return row.message.parts.some(
    (part) => part.type === "tool_result" && part.text.includes(`{"task_id":"${taskId}","finished":true`),
  );
}
