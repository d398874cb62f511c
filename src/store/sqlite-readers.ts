// Who reads the whole event log, and how far each has come: rows, so that retention waits for them over a restart (D8).

import { rowsAfter } from "./paging.ts";
import type { Written } from "./sqlite-group.ts";
import type { Tasks } from "./sqlite-tasks.ts";

const READ = "SELECT cursor FROM readers WHERE name = ?";
const MOVE = `INSERT INTO readers (name, cursor) VALUES (?, ?)
  ON CONFLICT (name) DO UPDATE SET cursor = max(cursor, excluded.cursor)`;
const FORGET = "DELETE FROM readers WHERE name = ?";

const nameOf = (reader: string): string => JSON.stringify(reader);

/** 0 for one that is not known. */
export function readerCursor(tasks: Tasks, reader: string): number {
  return tasks.connection.get<{ cursor: number }>(READ, nameOf(reader))?.cursor ?? 0;
}

/** The cursors of all readers. */
export function readerCursors(tasks: Tasks): readonly number[] {
  return tasks.connection.all<{ cursor: number }>("SELECT cursor FROM readers").map(({ cursor }) => cursor);
}

/** The names of all readers. */
export function readerNames(tasks: Tasks): readonly string[] {
  return tasks.connection
    .all<{ name: string }>("SELECT name FROM readers")
    .map(({ name }) => JSON.parse(name) as string)
    .toSorted();
}

/** Moves a reader on, never back; `null` forgets it. Throws InvalidRequestError `bad_after`. */
export function moveReader(tasks: Tasks, reader: string, cursor: number | null): Written<void> {
  if (cursor === null) tasks.connection.run(FORGET, nameOf(reader));
  else tasks.connection.run(MOVE, nameOf(reader), rowsAfter(cursor));
  return { value: undefined };
}
