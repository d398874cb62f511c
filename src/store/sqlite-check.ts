// What must hold between the rows of a database, as questions to it: SQLite's own checks know pages and not what they
// mean. It changes nothing and mends nothing.
//
// N1. Every question answers with the numbers of tasks that it does not hold for; none reads text that it need not read.

import type { Connection } from "./sqlite-connection.ts";
import { ROWS_PER_TASK } from "./sqlite-schema.ts";
import { EVENT_WORDS } from "./sqlite-words.ts";

/** A broken rule, and the first tasks that break it. */
export interface Finding {
  readonly rule: string;
  /** Numbers of tasks, or cursors where that is said; so many at most as MOST_SHOWN. */
  readonly tasks: readonly number[];
}

interface Question {
  readonly rule: string;
  /** Selects what breaks the rule, as `num`. */
  readonly sql: string;
}

const MOST_SHOWN = 10;
/** Events at the end of the log that are looked at after a crash. */
const TAIL_EVENTS = 2_000;
const OPEN = "state IN (0, 1, 2)";
const ENDS = (["task.done", "task.failed", "task.cancelled"] as const)
  .map((word) => EVENT_WORDS.toStored(word))
  .join();
const RANGE = `BETWEEN h.num * ${ROWS_PER_TASK} + 1 AND (h.num + 1) * ${ROWS_PER_TASK} - 1`;
const lastOf = (table: string): string =>
  `coalesce((SELECT at % ${ROWS_PER_TASK} FROM ${table} WHERE at ${RANGE} ORDER BY at DESC LIMIT 1), 0)`;
const LAST_SEQ = "(SELECT seq FROM events WHERE task = h.num ORDER BY cursor DESC LIMIT 1)";

/** What pages out of time would show: a head and its rows that do not know of each other. */
const AFTER_CRASH: readonly Question[] = [
  {
    rule: "The last event of a task that lives has the sequence of its head.",
    sql: `SELECT num FROM heads h WHERE ${OPEN} AND seq IS NOT ${LAST_SEQ}`,
  },
  {
    rule: "The last transcript row of a task that lives has the index of its head.",
    sql: `SELECT num FROM heads h WHERE ${OPEN} AND last_index IS NOT ${lastOf("transcript")}`,
  },
  {
    rule: "The newest events of each task have no gap and end with the sequence of its head.",
    sql: `SELECT e.task AS num FROM (SELECT task, min(seq) AS low, max(seq) AS high, count(*) AS n
        FROM (SELECT task, seq FROM events ORDER BY cursor DESC LIMIT ${TAIL_EVENTS}) GROUP BY task) e
      LEFT JOIN heads h ON h.num = e.task WHERE e.high IS NOT h.seq OR e.high - e.low + 1 <> e.n`,
  },
];

const orphans = (table: string, key: string): Question => ({
  rule: `Every row of ${table} belongs to a task.`,
  sql: `SELECT DISTINCT ${key} AS num FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM tasks t WHERE t.num = ${key})`,
});

/** Text that is read as JSON: a row with another one cannot be read. */
const JSON_COLUMNS = [
  "tasks.spec",
  "outcomes.progress",
  "outcomes.ending",
  "snapshots.snapshot",
  "snapshots.timers",
];
const NUMBER_COLUMNS = [
  "seq",
  "epoch",
  "run",
  "turn",
  "prompt_tokens",
  "output_tokens",
  "cost_micros",
  "gpu_ms",
  "tool_calls",
  "generations",
  "started_at",
  "finished_at",
  "released_at",
  "read_at",
  "inbox_cursor",
  "compacted_to",
  "last_index",
];

const isJson = (place: string): Question => {
  const [table, column] = place.split(".");
  return {
    rule: `What ${table} has as ${column} can be read.`,
    sql: `SELECT num FROM ${table} WHERE ${column} IS NOT NULL AND NOT json_valid(${column})`,
  };
};

const WHOLE: readonly Question[] = [
  ...AFTER_CRASH,
  ...JSON_COLUMNS.map(isJson),
  {
    rule: "Every number of a head is exact.",
    sql: `SELECT num FROM heads WHERE ${NUMBER_COLUMNS.map((column) => `${column} NOT BETWEEN -${Number.MAX_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`).join(" OR ")}`,
  },
  {
    rule: "Events of a task are numbered from 1 without a gap, up to the sequence of its head.",
    sql: `SELECT h.num FROM heads h LEFT JOIN (SELECT task, min(seq) AS low, max(seq) AS high, count(*) AS n FROM events
        GROUP BY task) e ON e.task = h.num
      WHERE e.low IS NOT 1 OR e.high IS NOT h.seq OR e.n IS NOT h.seq`,
  },
  {
    rule: "Transcript rows of a task are numbered from 1 without a gap, up to the index of its head.",
    sql: `SELECT num FROM heads h WHERE last_index IS NOT ${lastOf("transcript")}
      OR last_index IS NOT (SELECT count(*) FROM transcript WHERE at ${RANGE})`,
  },
  {
    rule: "Positions of an inbox are numbered from 1 without a gap, and no cursor is beyond them.",
    sql: `SELECT num FROM heads h WHERE inbox_cursor > ${lastOf("inbox")}
      OR ${lastOf("inbox")} <> (SELECT count(*) FROM inbox WHERE at ${RANGE})`,
  },
  {
    rule: "An inbox entry has a turn when the cursor is past it, and only then.",
    sql: `SELECT DISTINCT h.num FROM heads h JOIN inbox i ON i.task = h.num
      WHERE (i.at % ${ROWS_PER_TASK} <= h.inbox_cursor) <> (i.turn IS NOT NULL) OR i.at / ${ROWS_PER_TASK} <> i.task`,
  },
  {
    rule: "A task has an end exactly when its state is one.",
    sql: `SELECT h.num FROM heads h LEFT JOIN outcomes o ON o.num = h.num
      WHERE (h.${OPEN}) <> (o.ending IS NULL) OR (h.${OPEN}) <> (h.finished_at IS NULL)`,
  },
  {
    rule: "A task that has ended has one event that says so.",
    sql: `SELECT num FROM heads h WHERE NOT h.${OPEN}
      AND 1 <> (SELECT count(*) FROM events WHERE task = h.num AND type IN (${ENDS}))`,
  },
  {
    rule: "Every task has a head.",
    sql: "SELECT num FROM tasks t WHERE NOT EXISTS (SELECT 1 FROM heads h WHERE h.num = t.num)",
  },
  orphans("heads", "num"),
  orphans("snapshots", "num"),
  orphans("outcomes", "num"),
  orphans("events", "task"),
  orphans("inbox", "task"),
  orphans("transcript", `at / ${ROWS_PER_TASK}`),
  {
    rule: "A tree knows how many of its tasks live.",
    sql: `SELECT num FROM (SELECT coalesce(t.root, t.num) AS tree, min(t.num) AS num, sum(h.${OPEN}) AS living
        FROM tasks t JOIN heads h ON h.num = t.num GROUP BY tree) found
      LEFT JOIN trees ON trees.tree = found.tree WHERE trees.living IS NOT found.living`,
  },
  {
    rule: "What an event points at is in the transcript.",
    sql: `SELECT DISTINCT task AS num FROM events WHERE data >= '@' AND data < 'A' AND NOT EXISTS
      (SELECT 1 FROM transcript WHERE at = task * ${ROWS_PER_TASK} + CAST(substr(data, 2) AS INTEGER))`,
  },
  {
    rule: "What a completion points at has ended.",
    sql: `SELECT DISTINCT task AS num FROM inbox WHERE message >= '@' AND message < 'A' AND NOT EXISTS
      (SELECT 1 FROM outcomes WHERE num = CAST(substr(message, 2) AS INTEGER) AND ending IS NOT NULL)`,
  },
];

function ask(connection: Connection, questions: readonly Question[]): readonly Finding[] {
  return questions.flatMap(({ rule, sql }) => {
    const tasks = connection.all<{ num: number }>(`${sql} LIMIT ${MOST_SHOWN}`).map(({ num }) => num);
    return tasks.length === 0 ? [] : [{ rule, tasks }];
  });
}

/** What is broken of all that can be told quickly after a crash. Throws what SQLite throws. */
export function findAfterCrash(connection: Connection): readonly Finding[] {
  return ask(connection, AFTER_CRASH);
}

/** What is broken at all; reads every table. Throws what SQLite throws. */
export function findAll(connection: Connection): readonly Finding[] {
  return ask(connection, WHOLE);
}
