// One task as a page and a recording know it: made of a node of the server's trees, or of its first event, and changed by the
// events that follow. It reads no clock; events carry their times.

import { joined } from "./stretches.js";
import { isOver, toneOf } from "./words.js";

/** @typedef {import("./words.js").State} State */
/** @typedef {import("./words.js").Phase} Phase */
/** @typedef {import("./words.js").Tone} Tone */
/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/api.ts").TreeNode>} TreeNode */
/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/event.ts").StoredEvent>} StoredEvent */
/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/task.ts").Progress>} Progress */

/** @typedef {import("./stretches.js").Stretch} Stretch */

/**
 * @typedef {object} Item One task.
 * @property {string} id
 * @property {string | null} parentId
 * @property {string} rootId
 * @property {"task" | "session"} kind
 * @property {string} agent
 * @property {string} goal
 * @property {string} provider Of its model; empty where only a snapshot is known.
 * @property {string} model
 * @property {State} state
 * @property {Phase | null} phase
 * @property {number} run
 * @property {number} turn
 * @property {number} seq The task sequence of the last event that was applied.
 * @property {number} cursor The same event's place among all; 0 where only a snapshot is known.
 * @property {number} createdAt
 * @property {number | null} startedAt
 * @property {number | null} finishedAt
 * @property {number} changedAt When it last looked different.
 * @property {number} heardAt When its last event happened, as far as that is known.
 * @property {string} note The last word of it: its progress, its tool, or why it failed.
 * @property {Progress | null} progress
 * @property {number} generations Turns that were written.
 * @property {number} promptTokens
 * @property {number} outputTokens
 * @property {number} toolCalls
 * @property {string | null} waitsFor
 * @property {number | null} position
 * @property {readonly Stretch[]} stretches Oldest first.
 * @property {string[]} children Ids, in the order in which they were made.
 */

/**
 * A task of which nothing is known but its id.
 * @param {string} id
 * @returns {Item}
 */
export function blankItem(id) {
  return {
    id,
    parentId: null,
    rootId: id,
    kind: "task",
    agent: "",
    goal: "",
    provider: "",
    model: "",
    state: "spawned",
    phase: "queued",
    run: 1,
    turn: 0,
    seq: 0,
    cursor: 0,
    createdAt: 0,
    startedAt: null,
    finishedAt: null,
    changedAt: 0,
    heardAt: 0,
    note: "",
    progress: null,
    generations: 0,
    promptTokens: 0,
    outputTokens: 0,
    toolCalls: 0,
    waitsFor: null,
    position: null,
    stretches: [],
    children: [],
  };
}

/**
 * A task as the server's tree shows it.
 * @param {TreeNode} node
 * @param {Item | null} parent
 * @param {Item} [before] What was known of it: the looks that a node does not tell are kept.
 * @returns {Item}
 */
export function itemOfNode(node, parent, before) {
  const tone = toneOf(node.state, node.phase, node.kind);
  const same = before !== undefined && before.stretches.at(-1)?.tone === tone;
  return {
    ...blankItem(node.task_id),
    parentId: parent?.id ?? null,
    rootId: parent?.rootId ?? node.task_id,
    kind: node.kind,
    agent: node.agent,
    goal: node.goal,
    provider: before?.provider ?? "",
    model: node.model,
    state: node.state,
    phase: node.phase,
    run: before?.run ?? 1,
    turn: before?.turn ?? 0,
    seq: node.last_event,
    cursor: before?.cursor ?? 0,
    createdAt: node.created_at,
    startedAt: node.started_at,
    finishedAt: node.finished_at,
    changedAt: node.finished_at ?? (same ? before.changedAt : (node.started_at ?? node.created_at)),
    heardAt: before?.heardAt ?? node.finished_at ?? node.started_at ?? node.created_at,
    note: node.progress?.note ?? node.last_line ?? before?.note ?? "",
    progress: node.progress,
    generations: node.usage.generations,
    promptTokens: node.usage.prompt_tokens,
    outputTokens: node.usage.output_tokens,
    toolCalls: node.usage.tool_calls,
    waitsFor: node.waits_for,
    position: node.queue_position,
    stretches: same ? before.stretches : knownStretches(node, tone),
  };
}

/**
 * What a snapshot tells of the past: when it began, and that it worked from then on.
 * @param {TreeNode} node
 * @param {Tone} tone
 * @returns {readonly Stretch[]}
 */
function knownStretches(node, tone) {
  /** @type {Stretch[]} */
  const stretches = [{ from: node.created_at, tone: "queued" }];
  if (node.started_at !== null) {
    stretches.push({ from: node.started_at, tone: isOver(node.state) ? "working" : tone });
  }
  if (node.finished_at !== null) stretches.push({ from: node.finished_at, tone });
  return stretches;
}

/**
 * A task as its first event shows it, before that is applied.
 * @param {StoredEvent} event
 * @returns {Item}
 */
export function itemOfEvent(event) {
  return {
    ...blankItem(event.task_id),
    parentId: event.parent_id,
    rootId: event.root_id,
    kind: event.session_id === event.task_id ? "session" : "task",
    state: event.state,
    phase: event.phase,
    cursor: event.cursor,
    createdAt: event.time,
    changedAt: event.time,
  };
}

/**
 * Applies an event that the task has not passed, in place. Its end is absorbing.
 * @param {Item} item
 * @param {StoredEvent} event
 * @returns {boolean} Whether it is in another state or phase now.
 */
export function change(item, event) {
  item.seq = event.seq;
  item.cursor = event.cursor;
  item.run = event.run;
  item.turn = event.turn;
  item.heardAt = event.time;
  applyData(item, event);
  if (isOver(item.state)) return false;
  const looked = toneOf(item.state, item.phase, item.kind);
  const hasMoved = item.state !== event.state || item.phase !== event.phase;
  item.state = event.state;
  item.phase = event.phase;
  const looks = toneOf(event.state, event.phase, item.kind);
  if (looks !== looked || item.stretches.length === 0) {
    item.changedAt = event.time;
    item.stretches = joined([...item.stretches, { from: event.time, tone: looks }]);
    item.waitsFor = null;
    item.position = null;
  }
  noteQuestion(item, event);
  return hasMoved;
}

/** How the server says what a person is asked: alone, or beside the task's parent. */
const ASKS = /^(?:its parent or )?a person: /;

/**
 * What a person is asked, of what the server says that a task waits for; `null` where nothing is.
 * @param {string | null} waitsFor
 */
export function questionIn(waitsFor) {
  return waitsFor !== null && ASKS.test(waitsFor) ? waitsFor.replace(ASKS, "") : null;
}

/**
 * Whether a task asks a person something; a conversation that listens does not.
 * @param {Item} item
 */
export function asksPerson({ kind, state, phase, waitsFor }) {
  if (state !== "running" || phase !== "waiting_input") return false;
  return kind === "task" || questionIn(waitsFor) !== null;
}

/**
 * What a call asks stands until the call goes on.
 * @param {Item} item
 * @param {StoredEvent} event
 */
function noteQuestion(item, event) {
  const { prompt, asks } = /** @type {{ readonly prompt?: unknown, readonly asks?: unknown }} */ (event.data);
  if (event.type === "tool.suspended" && typeof prompt === "string")
    item.waitsFor = `${asks === "parent" ? "its parent or " : ""}a person: ${prompt}`;
  else if (event.type === "tool.resumed") item.waitsFor = null;
}

/**
 * What an event says beside the state.
 * @param {Item} item
 * @param {StoredEvent} event
 */
function applyData(item, event) {
  const data = /** @type {Readonly<Record<string, unknown>>} */ (event.data);
  if (event.type === "task.spawned") {
    item.goal = wordIn(data, "goal");
    item.agent = wordIn(data, "agent");
    setModel(item, wordIn(data, "model"));
    item.createdAt = event.time;
  } else if (event.type === "task.started") item.startedAt ??= event.time;
  else if (event.type === "task.rerouted") setModel(item, wordIn(data, "to").replace(/ on \S+$/, ""));
  else if (event.type === "turn.finished") {
    item.promptTokens += figureIn(data, "prompt_tokens");
    item.outputTokens += figureIn(data, "output_tokens");
    item.generations += 1;
  } else if (event.type === "tool.requested") {
    item.note = wordIn(data, "tool");
  } else if (event.type === "tool.finished") {
    item.toolCalls += 1;
  } else if (event.type === "task.progressed") {
    const { percent, note, partial } = /** @type {Omit<Progress, "time">} */ (event.data);
    item.progress = { percent, note, partial, time: event.time };
    item.note = wordIn(data, "note") || item.note;
  } else if (event.type === "task.failed" || event.type === "run.failed") {
    item.note = wordIn(data, "message");
  }
  if (isOver(event.state) && !isOver(item.state)) item.finishedAt = event.time;
}

/**
 * @param {Readonly<Record<string, unknown>>} data
 * @param {string} name
 */
function wordIn(data, name) {
  const value = data[name];
  return typeof value === "string" ? value : "";
}

/**
 * @param {Readonly<Record<string, unknown>>} data
 * @param {string} name
 */
function figureIn(data, name) {
  const value = data[name];
  return typeof value === "number" ? value : 0;
}

/**
 * @param {Item} item
 * @param {string} name `provider/model`; models may have slashes of their own.
 */
function setModel(item, name) {
  const slash = name.indexOf("/");
  item.provider = name.slice(0, Math.max(0, slash));
  item.model = name.slice(slash + 1);
}
