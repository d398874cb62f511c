// A transcript as it is read: who says what, tools with what they answered, and the children that a call started. Pure.

/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/message.ts").TranscriptRow>} TranscriptRow */

/**
 * @typedef {object} ToolUse
 * @property {string} callId
 * @property {string} name
 * @property {unknown} input
 * @property {string | null} result `null` until it has answered.
 * @property {boolean} isError
 * @property {readonly string[]} children Ids of the tasks that it started.
 */

/**
 * @typedef {object} Entry One message.
 * @property {number} index
 * @property {number} turn
 * @property {number} seq The task sequence of the commit that wrote it.
 * @property {number} time
 * @property {"person" | "goal" | "steer" | "completion" | "question" | "model" | "tool" | "note"} voice
 * @property {string} text
 * @property {string} thinking
 * @property {readonly ToolUse[]} tools
 * @property {boolean} interrupted
 */

/** @type {Readonly<Record<string, Entry["voice"]>>} */
const VOICES = {
  goal: "goal",
  person: "person",
  steer: "steer",
  completion: "completion",
  question: "question",
  model: "model",
  correction: "note",
  summary: "note",
};

const DELEGATING = /^delegate_task/;
const TASK_ID = /\btask_[0-9a-f]{8,64}\b/g;

/**
 * The entries, oldest first; results of tools stand with their calls.
 * @param {readonly TranscriptRow[]} rows
 * @returns {readonly Entry[]}
 */
export function entriesOf(rows) {
  const results = resultsIn(rows);
  /** @type {Entry[]} */
  const entries = [];
  for (const row of rows) {
    const { message } = row;
    if (message.role === "tool" || message.role === "system") continue;
    /** @type {ToolUse[]} */
    const tools = [];
    let text = "";
    let thinking = "";
    for (const part of message.parts) {
      if (part.type === "text") text += part.text;
      else if (part.type === "thinking") thinking += part.text;
      else if (part.type === "tool_call") tools.push(toolUse(part.call, results.get(part.call.id)));
    }
    const { index, turn, seq, time } = row;
    const voice = VOICES[message.origin] ?? "note";
    entries.push({
      index,
      turn,
      seq,
      time,
      voice,
      text,
      thinking,
      tools,
      interrupted: message.interrupted === true,
    });
  }
  return entries;
}

/** @typedef {{ readonly text: string, readonly is_error: boolean }} Result */

/**
 * @param {readonly TranscriptRow[]} rows
 * @returns {ReadonlyMap<string, Result>}
 */
function resultsIn(rows) {
  const parts = rows.flatMap(({ message }) => message.parts);
  return new Map(parts.flatMap((part) => (part.type === "tool_result" ? [[part.call_id, part]] : [])));
}

/**
 * @param {{ readonly id: string, readonly name: string, readonly arguments: unknown }} call
 * @param {Result} [result]
 * @returns {ToolUse}
 */
function toolUse(call, result) {
  const started =
    DELEGATING.test(call.name) && result !== undefined ? (result.text.match(TASK_ID) ?? []) : [];
  return {
    callId: call.id,
    name: call.name,
    input: call.arguments,
    result: result?.text ?? null,
    isError: result?.is_error ?? false,
    children: [...new Set(started)],
  };
}

/**
 * What was known of a transcript when the task had come to an event.
 * @param {readonly Entry[]} entries
 * @param {number} seq The task sequence of that event.
 */
export function entriesUntil(entries, seq) {
  return entries.filter((entry) => entry.seq <= seq);
}

/**
 * What a call was given, on one line.
 * @param {unknown} input
 */
export function inputWords(input) {
  if (typeof input === "string") return input;
  if (input === null || typeof input !== "object") return JSON.stringify(input) ?? "";
  return Object.entries(input)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(" · ");
}
