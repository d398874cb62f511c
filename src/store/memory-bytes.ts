// About how much memory the rows of a store take. An estimate that costs little to keep: texts count in full, the
// rest by figures that were measured once; what a task keeps one of and replaces (snapshot, timers, progress) is in
// the figure for a task.

/** Of a task with the record and the places that it has, beside its texts and rows. */
export const TASK_BYTES = 2_048;
/** Of one event, transcript row or inbox entry beside its data, and of one value in it. */
export const ROW_BYTES = 256;
const VALUE_BYTES = 16;

/** What a text takes: two bytes for each character, which is the most it can be. */
export function textBytes(text: string | null): number {
  return text === null ? 0 : 2 * text.length;
}

/** About what a row with this data takes in memory. Contract: `data` is a JSON value; never throws. */
export function rowBytes(data: unknown): number {
  let bytes = ROW_BYTES;
  const open = [data];
  while (open.length > 0) {
    const value = open.pop();
    bytes += VALUE_BYTES;
    if (typeof value === "string") bytes += textBytes(value);
    else if (Array.isArray(value)) for (const item of value) open.push(item);
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        bytes += key.length;
        open.push(item);
      }
    }
  }
  return bytes;
}

/** What all tasks of a store take together; each task adds its own. */
export interface Meter {
  bytes: number;
}
