// What a key does: the next state of the screen, and what is to be asked of the box. Pure.
//
// K1. Nothing that ends work happens at one key where work goes on below it: a subtree is cancelled after a yes.
// K2. A recording is only looked at: keys that would act say so.
// K3. While a line is typed, letters are letters.

import { isTerminal } from "../../core/lifecycle.ts";
import { shortId } from "../connection.ts";
import { counted } from "../task-lines.ts";
import { asksPerson, questionIn } from "./needs.ts";
import type { TaskRow } from "./task-rows.ts";

export type KeyName =
  | "up"
  | "down"
  | "left"
  | "right"
  | "page_up"
  | "page_down"
  | "home"
  | "end"
  | "enter"
  | "escape"
  | "backspace"
  | "clear_line"
  | "interrupt";

export type Key = { readonly name: KeyName } | { readonly name: "text"; readonly text: string };

/** What covers the rows. */
export type Panel = "none" | "detail" | "tail" | "help";

export type Prompt =
  | {
      readonly kind: "steer" | "answer";
      readonly taskId: string;
      readonly text: string;
      /** What was asked when the person began to write. */
      readonly asked?: string;
    }
  | { readonly kind: "filter"; readonly text: string; readonly before: string }
  | { readonly kind: "cancel"; readonly taskId: string; readonly below: number };

export interface TopState {
  readonly selected: string | null;
  readonly filter: string;
  readonly folded: ReadonlySet<string>;
  readonly panel: Panel;
  /** Lines that the panel is scrolled back from its end (tail) or down from its beginning (others). */
  readonly scroll: number;
  readonly prompt: Prompt | null;
  /** What became of the last key, until the next one. */
  readonly notice: string | null;
}

/** What a key asks for beyond the screen. */
export type Intent =
  | { readonly kind: "quit" }
  | Extract<Prompt, { readonly kind: "steer" | "answer" }>
  | { readonly kind: "cancel"; readonly taskId: string }
  | { readonly kind: "pause" }
  | { readonly kind: "replay"; readonly taskId: string }
  | { readonly kind: "step"; readonly by: number | "first" | "last" };

export interface Pressed {
  readonly state: TopState;
  readonly intent: Intent | null;
}

export interface KeySight {
  readonly rows: readonly TaskRow[];
  /** Rows that fit on the screen. */
  readonly page: number;
  readonly recording: boolean;
}

export const FIRST_STATE: TopState = {
  selected: null,
  filter: "",
  folded: new Set(),
  panel: "none",
  scroll: 0,
  prompt: null,
  notice: null,
};

/** Characters of a typed line; a steer may have no more. */
const MOST_TYPED = 32_000;

/** Events that one key goes over, where there are many. */
const WIDE_STEP = 25;

const stay = (state: TopState): Pressed => ({ state, intent: null });
const say = (state: TopState, notice: string): Pressed => stay({ ...state, notice });

/** The row of the selected task, else the first one; `-1` where there is none. */
export function selectedIndex({ selected }: TopState, rows: readonly TaskRow[]): number {
  const index = rows.findIndex(({ node }) => node.taskId === selected);
  return index < 0 && rows.length > 0 ? 0 : index;
}

/** Contract: never throws; the same state and key always give the same answer. */
export function press(before: TopState, key: Key, sight: KeySight): Pressed {
  const state = before.notice === null ? before : { ...before, notice: null };
  if (key.name === "interrupt") return { state, intent: { kind: "quit" } };
  if (state.prompt !== null) return inPrompt(state, state.prompt, key);
  if (key.name !== "text") return moved(state, key.name, sight);
  // Keys that came in one piece, such as a held one, are one after the other.
  let pressed = stay(state);
  for (const letter of key.text) {
    if (pressed.intent !== null) break;
    pressed =
      pressed.state.prompt === null
        ? letterPressed(pressed.state, letter, sight)
        : inPrompt(pressed.state, pressed.state.prompt, { name: "text", text: letter });
  }
  return pressed;
}

function moved(state: TopState, name: KeyName, sight: KeySight): Pressed {
  if (sight.recording && (name === "left" || name === "right"))
    return { state, intent: { kind: "step", by: name === "left" ? -1 : 1 } };
  if (name === "escape") {
    if (state.panel !== "none") return stay({ ...state, panel: "none", scroll: 0 });
    return stay({ ...state, filter: "" });
  }
  if (name === "enter")
    return stay({ ...state, panel: state.panel === "none" ? "detail" : "none", scroll: 0 });
  return state.panel === "none" ? select(state, name, sight) : scrolled(state, name, sight);
}

/** How far a key moves; `null` for one that does not. */
function distanceOf(name: KeyName, page: number): number | null {
  switch (name) {
    case "up":
      return -1;
    case "down":
      return 1;
    case "page_up":
      return -page;
    case "page_down":
      return page;
    case "home":
      return -Infinity;
    case "end":
      return Infinity;
    default:
      return null;
  }
}

function select(state: TopState, name: KeyName, { rows, page }: KeySight): Pressed {
  const by = distanceOf(name, page);
  if (by === null || rows.length === 0) return stay(state);
  const at = Math.min(rows.length - 1, Math.max(0, selectedIndex(state, rows) + by));
  return stay({ ...state, selected: (rows[at] as TaskRow).node.taskId });
}

function scrolled(state: TopState, name: KeyName, { page }: KeySight): Pressed {
  const by = distanceOf(name, page);
  if (by === null) return stay(state);
  // A tail is read from its end backwards.
  const scroll = state.scroll + (state.panel === "tail" ? -by : by);
  return stay({ ...state, scroll: Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, scroll)) });
}

/** Keys that act on the box. */
const ACTING: ReadonlySet<string> = new Set(["s", "a", "c", "C", "p"]);

function letterPressed(state: TopState, letter: string, sight: KeySight): Pressed {
  if (ACTING.has(letter) && sight.recording)
    return say(state, "This is a recording: it can only be looked at.");
  switch (letter) {
    case "q":
      // It leaves what covers the tree first.
      return state.panel === "none"
        ? { state, intent: { kind: "quit" } }
        : stay({ ...state, panel: "none", scroll: 0 });
    case "?":
      return stay({ ...state, panel: state.panel === "help" ? "none" : "help", scroll: 0 });
    case "/":
      return stay({
        ...state,
        panel: "none",
        prompt: { kind: "filter", text: state.filter, before: state.filter },
      });
    case "p":
      return { state, intent: { kind: "pause" } };
    case "j":
      return moved(state, "down", sight);
    case "k":
      return moved(state, "up", sight);
    case "[":
    case "]":
      return sight.recording
        ? { state, intent: { kind: "step", by: letter === "[" ? -WIDE_STEP : WIDE_STEP } }
        : stay(state);
    case "g":
      return sight.recording ? { state, intent: { kind: "step", by: "first" } } : moved(state, "home", sight);
    case "G":
      return sight.recording ? { state, intent: { kind: "step", by: "last" } } : moved(state, "end", sight);
    default:
      return onTask(state, letter, sight);
  }
}

/** Keys about the selected task. */
function onTask(state: TopState, letter: string, { rows, recording }: KeySight): Pressed {
  const row = rows[selectedIndex(state, rows)];
  if (row === undefined) return say(state, "There is no task to do that with.");
  const { taskId, state: where } = row.node;
  const ended = isTerminal(where);
  switch (letter) {
    case " ":
      return stay({ ...state, selected: taskId, folded: toggled(state.folded, taskId) });
    case "t":
      return stay({ ...state, selected: taskId, panel: state.panel === "tail" ? "none" : "tail", scroll: 0 });
    case "r":
      return recording
        ? stay(state)
        : { state: { ...state, selected: taskId }, intent: { kind: "replay", taskId } };
    case "s":
    case "a": {
      if (ended) return say(state, `${shortId(taskId)} has ended (${where}).`);
      const waits = asksPerson(row.node);
      if (letter === "a" && !waits) return say(state, `${shortId(taskId)} waits for no answer.`);
      // Who waits for an answer takes what is written to it as one.
      const purpose = waits ? "answer" : "steer";
      const asked = questionIn(row.node.waitsFor);
      return stay({
        ...state,
        selected: taskId,
        prompt: { kind: purpose, taskId, text: "", ...(asked !== null && { asked }) },
      });
    }
    case "c":
    case "C":
      return cancelPressed(state, letter, row);
    default:
      return stay(state);
  }
}

/** Keeps K1: a cancel always takes what lives below along. */
function cancelPressed(state: TopState, letter: "c" | "C", { node, living }: TaskRow): Pressed {
  const { taskId, state: where } = node;
  if (isTerminal(where) && living === 0) return say(state, `${shortId(taskId)} has ended (${where}).`);
  if (letter === "C")
    return stay({ ...state, selected: taskId, prompt: { kind: "cancel", taskId, below: living } });
  if (living > 0)
    return say(
      state,
      `${counted(living, "task")} below it would end too: C cancels them all, after a question.`,
    );
  return { state: { ...state, selected: taskId }, intent: { kind: "cancel", taskId } };
}

function toggled(folded: ReadonlySet<string>, taskId: string): ReadonlySet<string> {
  const next = new Set(folded);
  if (!next.delete(taskId)) next.add(taskId);
  return next;
}

function inPrompt(state: TopState, prompt: Prompt, key: Key): Pressed {
  if (prompt.kind === "cancel") {
    const yes = key.name === "text" && key.text.startsWith("y");
    const intent: Intent | null = yes ? { kind: "cancel", taskId: prompt.taskId } : null;
    return { state: { ...state, prompt: null, notice: yes ? null : "Nothing was cancelled." }, intent };
  }
  switch (key.name) {
    case "escape":
      return stay({ ...state, prompt: null, ...(prompt.kind === "filter" && { filter: prompt.before }) });
    case "enter":
      return entered(state, prompt);
    case "backspace":
      return typed(state, prompt, Array.from(prompt.text).slice(0, -1).join(""));
    case "clear_line":
      return typed(state, prompt, "");
    case "text":
      // What was pasted may hold line breaks; a message is one line here.
      return typed(state, prompt, `${prompt.text}${key.text.replace(/\s/g, " ")}`.slice(0, MOST_TYPED));
    default:
      return stay(state);
  }
}

type TypedPrompt = Exclude<Prompt, { readonly kind: "cancel" }>;

/** A filter holds while it is typed. */
function typed(state: TopState, prompt: TypedPrompt, text: string): Pressed {
  return stay({ ...state, prompt: { ...prompt, text }, ...(prompt.kind === "filter" && { filter: text }) });
}

function entered(state: TopState, prompt: TypedPrompt): Pressed {
  const closed: TopState = { ...state, prompt: null };
  if (prompt.kind === "filter") return stay(closed);
  const text = prompt.text.trim();
  if (text === "") return say(closed, "Nothing was sent.");
  return { state: closed, intent: { ...prompt, text } };
}
