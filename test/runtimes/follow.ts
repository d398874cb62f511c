// How the scenes follow a Troupe from outside: its events up to one that is waited for, the code of a refusal, and the
// moment at which its box is idle.

import { delay, systemClock } from "../../src/base/clock.ts";
import { toTroupeError } from "../../src/base/errors.ts";
import type { StoredEvent } from "../../src/core/event.ts";
import type { House } from "./house.ts";

export interface Scene {
  readonly name: string;
  run(house: House): Promise<unknown>;
}

/** Every event up to the one that is waited for. */
export async function eventsUntil(
  { client }: House,
  query: { readonly after?: number; readonly taskId?: string; readonly rootId?: string },
  last: (event: StoredEvent) => boolean,
): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const frame of client.events({ after: 0, ...query })) {
    if (frame.kind !== "event") continue;
    events.push(frame.event);
    if (last(frame.event)) break;
  }
  return events;
}

export const isEnd = ({ type }: StoredEvent): boolean => /^task\.(done|failed|cancelled)$/.test(type);

export const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => "not refused",
    (thrown: unknown) => toTroupeError(thrown).code,
  );

/**
 * Until the task has written something. Before its first words it is too early to break it off everywhere: Deno's
 * server does not notice a client that leaves before the headers of an answer to a request with a larger body.
 */
export async function untilWriting({ client }: House, taskId: string): Promise<void> {
  for await (const frame of client.events({ after: 0, taskId, deltas: true }))
    if (frame.kind === "delta") return;
}

/** Sockets close in their own time: asked again until the box is idle, for at most ten seconds. */
export async function untilIdle({ stats }: House): Promise<void> {
  for (let turn = 0; turn < 1_000; turn++) {
    if (stats().generating === 0 && stats().waitingSlot === 0) return;
    await delay(systemClock, 10);
  }
  throw new Error(`The box still generates: ${JSON.stringify(stats())}`);
}
