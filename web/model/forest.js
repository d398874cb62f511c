// Tasks as a page knows them: folded from a snapshot of the server's trees and the events that follow. The same fold gives
// the past: from no snapshot and the events up to a cursor. It reads no clock; events carry their times.
//
// F1. An event is applied once: one whose sequence the task has passed changes nothing.
// F2. The end of a task is absorbing.
// F3. A task whose parent is unknown is a root until the parent appears.

import { isOver, toneOf } from "./words.js";

/** @typedef {import("./words.js").State} State */
/** @typedef {import("./words.js").Phase} Phase */
/** @typedef {import("./words.js").Tone} Tone */
/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/api.ts").TreeNode>} TreeNode */
/** @typedef {import("../../src/core/wire.ts").Wire<import("../../src/core/event.ts").StoredEvent>} StoredEvent */

/**
 * @typedef {object} Stretch A while in which a task looked the same.
 * @property {number} from Milliseconds since the epoch.
 * @property {Tone} tone
 */

/**
 * @typedef {object} Item One task.
 * @property {string} id
 * @property {string | null} parentId
 * @property {string} rootId
 * @property {"task" | "session"} kind
 * @property {string} agent
 * @property {string} goal
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
 * @property {string} note The last word of it: its progress, its tool, or why it failed.
 * @property {number | null} percent
 * @property {number} promptTokens
 * @property {number} outputTokens
 * @property {number} toolCalls
 * @property {string | null} waitsFor
 * @property {number | null} position
 * @property {readonly Stretch[]} stretches Oldest first.
 * @property {string[]} children Ids, in the order in which they were made.
 */

/**
 * @typedef {object} Forest
 * @property {Map<string, Item>} items
 * @property {string[]} roots
 * @property {Map<string, string[]>} orphans Children by the id of a parent that is not known (yet).
 * @property {number} cursor The last event that was applied.
 * @property {number} shape Raised when a task appears or changes its state: lists are to be made anew.
 */

/** Stretches that are kept of a task; more are joined, oldest first. */
const MOST_STRETCHES = 400;

/** @returns {Forest} */
export function newForest() {
  return { items: new Map(), roots: [], orphans: new Map(), cursor: 0, shape: 0 };
}

/**
 * A forest of what the server shows (`GET /v1/tree`).
 * @param {readonly TreeNode[]} trees
 * @param {Forest} [known] What was known before: the looks that a snapshot does not have are kept from it.
 * @param {number} [since] Its cursor when the snapshot was asked for: what came later may be missing there.
 */
export function forestOf(trees, known, since = Infinity) {
  const forest = newForest();
  forest.shape = (known?.shape ?? 0) + 1;
  forest.cursor = known?.cursor ?? 0;
  /** @type {(node: TreeNode, parent: Item | null) => void} */
  const plant = (node, parent) => {
    const before = known?.items.get(node.task_id);
    // Events may have been faster than the snapshot (keeps F1).
    const item = before && before.seq > node.last_event ? before : itemOfNode(node, parent, before);
    item.children = [];
    add(forest, item);
    for (const child of node.children) plant(child, item);
  };
  for (const tree of trees) plant(tree, null);
  for (const item of known?.items.values() ?? []) {
    if (item.cursor > since && !forest.items.has(item.id)) add(forest, { ...item, children: [] });
  }
  return forest;
}

/**
 * @param {TreeNode} node
 * @param {Item | null} parent
 * @param {Item} [before]
 * @returns {Item}
 */
function itemOfNode(node, parent, before) {
  const tone = toneOf(node.state, node.phase, node.kind);
  const same = before !== undefined && before.stretches.at(-1)?.tone === tone;
  return {
    id: node.task_id,
    parentId: parent?.id ?? null,
    rootId: parent?.rootId ?? node.task_id,
    kind: node.kind,
    agent: node.agent,
    goal: node.goal,
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
    note: node.progress?.note ?? node.last_line ?? before?.note ?? "",
    percent: node.progress?.percent ?? null,
    promptTokens: node.usage.prompt_tokens,
    outputTokens: node.usage.output_tokens,
    toolCalls: node.usage.tool_calls,
    waitsFor: node.waits_for,
    position: node.queue_position,
    stretches: same ? before.stretches : knownStretches(node, tone),
    children: [],
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
 * @param {Forest} forest
 * @param {Item} item
 */
function add(forest, item) {
  forest.items.set(item.id, item);
  item.children.push(...(forest.orphans.get(item.id) ?? []));
  for (const id of item.children) forest.roots = forest.roots.filter((root) => root !== id);
  forest.orphans.delete(item.id);
  const parent = item.parentId === null ? undefined : forest.items.get(item.parentId);
  if (parent) {
    parent.children.push(item.id);
    return;
  }
  forest.roots.push(item.id);
  if (item.parentId !== null) {
    const waiting = forest.orphans.get(item.parentId) ?? [];
    forest.orphans.set(item.parentId, [...waiting, item.id]);
  }
}

/**
 * Applies one event, in place (keeps F1, F2).
 * @param {Forest} forest
 * @param {StoredEvent} event
 */
export function applyEvent(forest, event) {
  forest.cursor = Math.max(forest.cursor, event.cursor);
  let item = forest.items.get(event.task_id);
  if (item === undefined) {
    item = itemOfEvent(event);
    add(forest, item);
    forest.shape += 1;
  } else if (event.seq <= item.seq) {
    return;
  }
  item.seq = event.seq;
  item.cursor = event.cursor;
  item.run = event.run;
  item.turn = event.turn;
  applyData(item, event);
  if (isOver(item.state)) return;
  const looked = toneOf(item.state, item.phase, item.kind);
  if (item.state !== event.state || item.phase !== event.phase) forest.shape += 1;
  item.state = event.state;
  item.phase = event.phase;
  const looks = toneOf(event.state, event.phase, item.kind);
  if (looks !== looked || item.stretches.length === 0) {
    item.changedAt = event.time;
    item.stretches = [...item.stretches, { from: event.time, tone: looks }].slice(-MOST_STRETCHES);
    item.waitsFor = null;
    item.position = null;
  }
}

/**
 * @param {StoredEvent} event
 * @returns {Item}
 */
function itemOfEvent(event) {
  return {
    id: event.task_id,
    parentId: event.parent_id,
    rootId: event.root_id,
    kind: event.session_id === event.task_id ? "session" : "task",
    agent: "",
    goal: "",
    model: "",
    state: event.state,
    phase: event.phase,
    run: event.run,
    turn: event.turn,
    seq: 0,
    cursor: event.cursor,
    createdAt: event.time,
    startedAt: null,
    finishedAt: null,
    changedAt: event.time,
    note: "",
    percent: null,
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
 * What an event says beside the state.
 * @param {Item} item
 * @param {StoredEvent} event
 */
function applyData(item, event) {
  const data = /** @type {Readonly<Record<string, unknown>>} */ (event.data);
  if (event.type === "task.spawned") {
    item.goal = wordIn(data, "goal");
    item.agent = wordIn(data, "agent");
    item.model = wordIn(data, "model");
    item.createdAt = event.time;
  } else if (event.type === "task.started") item.startedAt ??= event.time;
  else if (event.type === "task.rerouted") item.model = wordIn(data, "to");
  else if (event.type === "turn.finished") {
    item.promptTokens += figureIn(data, "prompt_tokens");
    item.outputTokens += figureIn(data, "output_tokens");
  } else if (event.type === "tool.requested") {
    item.note = wordIn(data, "tool");
    item.toolCalls += 1;
  } else if (event.type === "task.progressed") {
    item.percent = typeof data["percent"] === "number" ? data["percent"] : item.percent;
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
 * The forest as it was right after an event: the past of a task or a tree.
 * @param {readonly StoredEvent[]} events Oldest first.
 * @param {number} at The cursor of the last event that counts.
 */
export function forestAt(events, at) {
  const forest = newForest();
  for (const event of events) {
    if (event.cursor > at) break;
    applyEvent(forest, event);
  }
  return forest;
}
