// What needs a person: tasks that wait for one, keys and servers that no time mends, models that cannot be loaded, and
// a box that somebody paused. Pure.

import type { TreeNode } from "../../core/api.ts";
import type { BoxStatus, GpuView, ProviderView } from "../../core/box-api.ts";
import { shortId } from "../connection.ts";
import { shownText, titleOf } from "./row-line.ts";

export interface Need {
  /** The task that it is about, where it is about one. */
  readonly taskId: string | null;
  readonly text: string;
}

export interface BoxSight {
  readonly nodes: readonly TreeNode[];
  readonly gpus: readonly GpuView[];
  readonly providers: readonly ProviderView[];
  readonly status: BoxStatus | null;
}

/** Keys of these words wait for a person and not for a time. */
const LOST_KEYS: ReadonlySet<string> = new Set(["dead", "exhausted"]);

/** How a view says what a person is asked: alone, or beside the task's parent. */
const ASKS = /^(?:its parent or )?a person: /;

/** What a person is asked, of what a view says that a task waits for; `null` where nothing is. */
export function questionIn(waitsFor: string | null): string | null {
  return waitsFor !== null && ASKS.test(waitsFor) ? waitsFor.replace(ASKS, "") : null;
}

/** Whether a task asks a person something; a conversation that listens does not. */
export function asksPerson({ kind, phase, waitsFor }: TreeNode): boolean {
  return phase === "waiting_input" && (kind === "task" || questionIn(waitsFor) !== null);
}

/** Contract: tasks first, in the order of the tree. A session that waits for its person's next message is no need. */
export function needsOf({ nodes, gpus, providers, status }: BoxSight): readonly Need[] {
  return [
    ...nodes.flatMap(ofTask),
    ...providers.flatMap(ofProvider),
    ...gpus.flatMap(ofGpu),
    ...ofBox(status),
  ];
}

function ofTask(node: TreeNode): readonly Need[] {
  const below = node.children.flatMap(ofTask);
  if (!asksPerson(node)) return below;
  const { taskId, lastLine, waitsFor } = node;
  const question = questionIn(waitsFor) ?? lastLine;
  const asked = shownText(question ?? "") || titleOf(node);
  return [{ taskId, text: `${shortId(taskId)} waits for a person: ${asked}` }, ...below];
}

function ofProvider({ provider, reachable, problem, keys }: ProviderView): readonly Need[] {
  const name = shownText(provider);
  const gone = `${name} does not answer${problem === null ? "" : `: ${shownText(problem)}`}`;
  const lost = keys.filter(({ state, until }) => LOST_KEYS.has(state) && until === null);
  return [
    ...(reachable ? [] : [{ taskId: null, text: gone }]),
    ...lost.map(({ fingerprint, source, state, reason }) => ({
      taskId: null,
      text: `key ${shownText(fingerprint ?? source)} of ${name} is ${state}${reason === null ? "" : `: ${shownText(reason)}`}`,
    })),
  ];
}

function ofGpu({ residency }: GpuView): readonly Need[] {
  return residency
    .filter(({ phase }) => phase === "wedged" || phase === "removed")
    .map(({ profile, phase, problem }) => ({
      taskId: null,
      text: `${shownText(profile)} is ${phase}${problem === null ? "" : `: ${shownText(problem.message)}`}`,
    }));
}

function ofBox(status: BoxStatus | null): readonly Need[] {
  const paused = { taskId: null, text: "spawning is paused: new tasks wait until p is pressed" };
  const unsafe = (status?.unsafe ?? []).map((text) => ({ taskId: null, text: shownText(text) }));
  return [...unsafe, ...(status?.paused === true ? [paused] : [])];
}
