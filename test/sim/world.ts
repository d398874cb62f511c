// A world, drawn from a seed: who wants what done, who interferes when, what fails, and when the server crashes. Plain
// data; nothing here runs.

import type { RestartPolicy, TreeBudget } from "../../src/core/limits.ts";
import { Dice, streamOf, STREAMS } from "./dice.ts";
import { drawQuestions, withQuestions, type AskedDeed } from "./questions.ts";
import { drawBox, withAgents, type Box } from "./box.ts";
import { drawPlan, withBudgets, type Grounds, type Plan } from "./plan.ts";
import { budgetOf, childBudgetOf, deedsOf, drawTheme, spendOf, stubbornnessOf, type Theme } from "./theme.ts";

/** Something that a person does through the API. */
export type DeedKind =
  | "steer"
  | "interrupt"
  | "cancel"
  | "force"
  | "message"
  | "stop"
  | "close"
  | "pause"
  | "collect"
  | "glance"
  | "check"
  | "answer"
  | "repeat"
  | "clash"
  | "delegate"
  | AskedDeed;

export interface Deed {
  readonly kind: DeedKind;
  readonly atMs: number;
  /** Whom it concerns: a place in the list of all tasks, from its end, at that time. */
  readonly whom: number;
}

export interface Root {
  readonly plan: Plan;
  readonly session: boolean;
  readonly atMs: number;
  readonly onRestart: RestartPolicy;
  readonly retryLimit: number;
  /** Of its tree; `null` for as much as it likes. */
  readonly budget: Partial<TreeBudget> | null;
  readonly deadlineMs: number | null;
  /** `null` for many. */
  readonly maxTurns: number | null;
  readonly keyed: boolean;
}

/** The room that a box has; another one after each restart. */
export interface Caps {
  readonly slots: number;
  readonly places: number;
  readonly childSlots: number;
}

export interface StoreFaults {
  /** Milliseconds that a call takes at most, each way; 0 answers at once. */
  readonly mostMs: number;
  /** The share of calls that fail before they are made, and again after. */
  readonly lossy: number;
  /** Times at which every write fails as `full`. */
  readonly full: readonly { readonly fromMs: number; readonly toMs: number }[];
  /** A time at which nothing of it answers, longer than claims last; `null` for none. */
  readonly away: { readonly fromMs: number; readonly toMs: number } | null;
  /** The share of wakes that come late, and of those that come twice. */
  readonly badWakes: number;
}

export interface Ending {
  /** Points of the incarnation's life until it crashes; `null` closes it in order at `atMs`. */
  readonly afterPoints: number | null;
  readonly atMs: number;
  /** How long a graceful end lets turns come to theirs first; `null` when it does not wait for them. */
  readonly graceMs: number | null;
  /** How long nobody serves. */
  readonly downMs: number;
}

export interface World {
  readonly seed: number;
  readonly roots: readonly Root[];
  readonly deeds: readonly Deed[];
  /** Of the first incarnation, the second, and so on; the last one stays. */
  readonly caps: readonly Caps[];
  readonly store: StoreFaults;
  /** The share of generations that go wrong. */
  readonly sickness: number;
  /** The share of streams and tools that let go late when they are aborted. */
  readonly stubbornness: number;
  /** Changes of the room while a server runs. */
  readonly changes: readonly { readonly atMs: number; readonly caps: Caps }[];
  /** Whether somebody watches the event stream. */
  readonly watched: boolean;
  /** Events that the store keeps; `null` for all. */
  readonly maxEvents: number | null;
  readonly jumps: readonly { readonly atMs: number; readonly byMs: number }[];
  /** How each incarnation ends but the last. */
  readonly endings: readonly Ending[];
  readonly onInterrupt: "continue" | "cancel";
  /** Its models and the servers that have them; `null` where one is always there. */
  readonly box: Box | null;
  /** Whether agents ask their parents, and want effects to be allowed. */
  readonly asks: boolean;
  /** From here on nothing fails and nobody interferes. */
  readonly calmAtMs: number;
}

export interface WorldOptions {
  /** Whether incarnations end at all. */
  readonly endings: boolean;
}

const DEEDS: readonly DeedKind[] = [
  "steer",
  "steer",
  "interrupt",
  "cancel",
  "force",
  "message",
  "message",
  "stop",
  "close",
  "pause",
  "collect",
  "glance",
  "check",
  "answer",
  "repeat",
  "clash",
  "delegate",
];
const POLICIES: readonly RestartPolicy[] = ["resume", "resume", "resume", "restart", "fail"];
const MOST_TASKS = 12;
const ACTING_MS = 4_000;

/** The world of a seed: the same for the same seed, on every machine. */
export function drawWorld(seed: number, options: WorldOptions): World {
  const dice = new Dice(streamOf(seed, STREAMS.world));
  const theme = drawTheme(dice);
  const room: Grounds = { left: dice.chance(0.15) ? MOST_TASKS : 6, theme };
  const roots: Root[] = [];
  const few = theme === "talk" ? [3] : [1, 1, 2, 3];
  for (let wanted = dice.pick(few); wanted > 0 && room.left > 0; wanted--) {
    roots.push(drawRoot(dice, roots.length, room));
  }
  const purse = new Dice(streamOf(seed, STREAMS.budgets));
  const deeds = dice.several(dice.chance(0.2) ? 0 : dice.between(1, 8), () => drawDeed(dice, theme));
  const caps = dice.several(4, () => drawCaps(dice, theme));
  const store = drawStore(dice);
  const maxEvents = dice.chance(0.1) ? dice.between(20, 100) : null;
  const boxes = new Dice(streamOf(seed, STREAMS.box));
  const box = drawBox(boxes, ACTING_MS);
  const furnished =
    box === null ? roots : roots.map((root) => ({ ...root, plan: withAgents(root.plan, boxes) }));
  const asker = new Dice(streamOf(seed, STREAMS.questions));
  const asked = drawQuestions(asker, ACTING_MS);
  const curious = asked === null ? furnished : furnished.map((root) => withQuestions(root, asker));
  return {
    seed,
    roots: curious.map((root) => withPurse(root, theme, purse)),
    box,
    asks: asked !== null,
    deeds: [...deeds, ...(asked ?? [])],
    caps,
    store,
    sickness: dice.pick([0, 0, 0.05, 0.15, 0.3]),
    stubbornness: stubbornnessOf(theme, dice),
    changes: dice.chance(0.2)
      ? dice.several(dice.between(1, 3), () => ({
          atMs: dice.between(0, ACTING_MS),
          caps: drawCaps(dice, theme),
        }))
      : [],
    watched: maxEvents !== null || dice.chance(0.3),
    maxEvents,
    jumps: dice.chance(0.2) ? dice.several(dice.between(1, 2), () => drawJump(dice)) : [],
    endings: drawEndings(dice, options),
    onInterrupt: dice.pick(["continue", "continue", "cancel"]),
    calmAtMs: 2 * ACTING_MS + (store.away?.toMs ?? 0),
  };
}

function drawRoot(dice: Dice, index: number, room: Grounds): Root {
  const { theme } = room;
  return {
    plan: drawPlan(dice, String(index), room),
    session: dice.chance(theme === "talk" ? 0.5 : 0.3),
    atMs: dice.pick([0, 0, 3, 200]),
    onRestart: dice.pick(POLICIES),
    retryLimit: dice.chance(theme === "ailing" ? 0.5 : 0.2) ? dice.between(1, 2) : 0,
    budget: budgetOf(theme, dice),
    deadlineMs: dice.chance(0.1) ? dice.between(200, 4_000) : null,
    maxTurns: dice.chance(0.1) ? dice.between(1, 4) : null,
    keyed: dice.chance(0.5),
  };
}

function withPurse(root: Root, theme: Theme, dice: Dice): Root {
  const plan = withBudgets(root.plan, () => childBudgetOf(theme, dice));
  const spend = spendOf(theme, dice);
  const isFree = root.budget === null && spend.costMicros === null && spend.gpuMs === null;
  return { ...root, plan, budget: isFree ? null : { ...root.budget, ...spend } };
}

function drawDeed(dice: Dice, theme: Theme): Deed {
  const atMs = dice.chance(0.5) ? dice.between(0, 400) : dice.between(0, ACTING_MS);
  return { kind: dice.pick(deedsOf(theme) ?? DEEDS), atMs, whom: dice.between(0, MOST_TASKS) };
}

function drawCaps(dice: Dice, theme: Theme): Caps {
  // Somebody to be stopped for a person, and somebody else who is not.
  if (theme === "talk") return { slots: 2, places: 3, childSlots: dice.between(2, 3) };
  return { slots: dice.between(1, 3), places: dice.between(1, 3), childSlots: dice.between(1, 3) };
}

function drawStore(dice: Dice): StoreFaults {
  const fromMs = dice.between(0, ACTING_MS);
  const isAway = dice.chance(0.03);
  return {
    mostMs: dice.pick([0, 0, 0, 0, 1, 4, 40]),
    lossy: dice.pick([0, 0, 0, 0, 0.02, 0.1]),
    full: dice.chance(0.1) ? [{ fromMs, toMs: fromMs + dice.between(10, 3_000) }] : [],
    away: isAway ? { fromMs, toMs: fromMs + dice.between(60_000, 100_000) } : null,
    badWakes: dice.pick([0, 0, 0.3]),
  };
}

function drawJump(dice: Dice): World["jumps"][number] {
  const byMs = dice.pick([-3_600_000, -500, 500, 90_000, 86_400_000]);
  return { atMs: dice.between(0, ACTING_MS), byMs };
}

function drawEndings(dice: Dice, options: WorldOptions): readonly Ending[] {
  const isLoop = dice.chance(0.05);
  const count = isLoop ? 7 : dice.pick([0, 1, 1, 1, 2, 3]);
  const endings = dice.several(count, (): Ending => {
    const crashes = isLoop || dice.chance(0.8);
    // Short lives as likely as long ones: what goes wrong lies near the beginnings.
    const afterPoints = Math.ceil(2 ** (dice.next() * (isLoop ? 5 : 8)));
    return {
      afterPoints: crashes ? afterPoints : null,
      atMs: dice.between(0, ACTING_MS),
      graceMs: dice.pick([null, 0, 200, 2_000]),
      downMs: dice.pick([0, 1, 50, 1_000, 70_000]),
    };
  });
  return options.endings ? endings : [];
}
