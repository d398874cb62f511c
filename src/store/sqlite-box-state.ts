// What the box keeps beside its tasks, by name: one row of JSON each (D9).

import type { Written } from "./sqlite-group.ts";
import type { Tasks } from "./sqlite-tasks.ts";

const READ = "SELECT value FROM box_state WHERE name = ?";
const SAVE = `INSERT INTO box_state (name, value) VALUES (?, ?)
  ON CONFLICT (name) DO UPDATE SET value = excluded.value`;
const FORGET = "DELETE FROM box_state WHERE name = ?";

const nameOf = (name: string): string => JSON.stringify(name);

/** `null` for a name that nothing is kept under. */
export function boxState(tasks: Tasks, name: string): unknown {
  const row = tasks.connection.get<{ value: string }>(READ, nameOf(name));
  return row === undefined ? null : JSON.parse(row.value);
}

/** Replaces what is kept under a name; `null` forgets it. */
export function saveBoxState(tasks: Tasks, name: string, value: unknown): Written<void> {
  if (value === null) tasks.connection.run(FORGET, nameOf(name));
  else tasks.connection.run(SAVE, nameOf(name), JSON.stringify(value));
  return { value: undefined };
}
