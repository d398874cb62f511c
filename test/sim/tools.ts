// The tools of simulated agents: one with an effect in the world that must happen once, and those that fail, hang,
// take their time or wait. Each tells the witness when it begins and ends.

import { delay } from "../../src/base/clock.ts";
import { ToolError } from "../../src/base/errors.ts";
import { withSignal } from "../../src/base/abort.ts";
import type { JsonSchema } from "../../src/core/json-schema.ts";
import type { Tool, ToolContext, ToolOutcome, Toolset } from "../../src/core/tool.ts";
import { withApproval } from "../../src/toolsets/approval.ts";
import { askToolset } from "../../src/toolsets/ask.ts";
import type { Dice } from "./dice.ts";
import type { Fact } from "./facts.ts";
import { never, type Life } from "./life.ts";
import { QUESTION_MS } from "./questions.ts";

export interface SimToolsOptions {
  /** The world is one of questions. */
  readonly asks: boolean;
  readonly life: Life;
  readonly dice: Dice;
  readonly tell: (fact: Fact) => void;
  /** Whether tools no longer fail or hang. */
  readonly isCalm: () => boolean;
}

type Run = (context: ToolContext, dice: Dice) => Promise<ToolOutcome> | ToolOutcome;

const done = (value: string): ToolOutcome => ({ type: "result", value });

const SESSION_PATIENCE_MS = 12_000;

const RUNS: Readonly<Record<string, { readonly repeatable: boolean; readonly run: Run }>> = {
  effect: {
    repeatable: false,
    run: async ({ clock, signal }, dice) => {
      if (dice.chance(0.5)) await delay(clock, dice.between(1, 60), signal);
      return done("It is done.");
    },
  },
  look: {
    repeatable: true,
    run: (_, dice) => {
      if (dice.chance(0.2)) throw new ToolError("not_there", "There is nothing to see.");
      if (dice.chance(0.1)) throw new TypeError("The tool itself broke.");
      return done("Nothing unusual.");
    },
  },
  slow: {
    repeatable: true,
    run: async ({ clock, signal }, dice) => {
      await delay(clock, dice.between(200, 1_500), signal);
      return done("At last.");
    },
  },
  /** Hangs until it is aborted; the timeout of its task does that, and in a session, which has none, its own. */
  stick: {
    repeatable: true,
    run: async ({ clock, signal, taskId }) => {
      if (!taskId.startsWith("ses_")) return withSignal(never<ToolOutcome>(), signal);
      await delay(clock, SESSION_PATIENCE_MS, signal);
      throw new ToolError("stuck", "It does not move.");
    },
  },
  /** Hears no signal. */
  stubborn: {
    repeatable: true,
    run: async ({ clock }, dice) => {
      await delay(clock, dice.between(200, 2_000));
      return done("Never mind.");
    },
  },
  ask: {
    repeatable: true,
    run: () => ({ type: "suspended", wait: { for: "input", prompt: "Shall I?", timeoutMs: 2_000 } }),
  },
  /** Acts only when a person has allowed it. */
  guarded: { repeatable: false, run: () => done("It was allowed, and is done.") },
  nap: { repeatable: true, run: () => ({ type: "suspended", wait: { for: "timer", timeoutMs: 300 } }) },
};

/** What came of a question: the answer's own words, or that none came. */
const heard: NonNullable<Tool["resume"]> = async (_, { end }) =>
  done(end.cause === "satisfied" ? `They said: ${end.answer ?? "nothing"}` : `No answer (${end.cause}).`);

const ALLOWED_FIRST = { approve: "always", reachesOut: false, timeoutMs: QUESTION_MS } as const;
const ASK = askToolset(QUESTION_MS);

/** One object for all tools and incarnations: what checks arguments is made once for each. */
const PARAMETERS: JsonSchema = {
  type: "object",
  properties: { step: { type: "number" } },
  required: ["step"],
  additionalProperties: false,
};

/** The toolset `sim` of one incarnation. */
export function simToolset(options: SimToolsOptions): Toolset {
  const tools = Object.entries(RUNS)
    .filter(([name]) => options.asks || name !== "guarded")
    .map(([name, { repeatable, run }]) => toolOf(name, repeatable, { ...options, run }));
  const sim = { name: "sim", description: "Tools of the simulation.", tools: () => tools };
  if (!options.asks) return sim;
  const guarded = withApproval(sim, ALLOWED_FIRST, new Set(["guarded"]));
  return { ...sim, tools: (role) => [...guarded.tools(role), ...ASK.tools(role)] };
}

function toolOf(name: string, repeatable: boolean, options: SimToolsOptions & { readonly run: Run }): Tool {
  const { life, dice, tell, run, isCalm } = options;
  return {
    definition: {
      name,
      description: `Does what ${name} says.`,
      parameters: PARAMETERS,
    },
    repeatable,
    ...(name === "ask" && { resume: heard }),
    async run(_, context) {
      if (life.point("tool")) return never();
      const about = {
        life: life.number,
        taskId: context.taskId,
        callId: context.callId,
        tool: name,
        repeatable,
      };
      tell({ kind: "tool.began", ...about });
      try {
        if (name === "stick" && isCalm()) return done("Loose.");
        return await run(context, dice);
      } finally {
        if (!life.dead) tell({ kind: "tool.ended", ...about });
      }
    },
  };
}
