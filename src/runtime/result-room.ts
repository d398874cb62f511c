// How much of a model's context one result may take, a tool's or a child's.

import { MAX_TOOL_RESULT_CHARS } from "../core/limits.ts";
import type { TaskSpec } from "../core/task.ts";
import type { HostServices } from "./services.ts";
import type { TurnState } from "./turn-state.ts";

/** At about 3.5 characters in a token, one result takes at most a quarter of the context. */
const CHARS_PER_CONTEXT_TOKEN = 0.8;
const LEAST_CHARS = 400;

/** Characters of one result; `contextTokens` is `null` where the context is not known. */
export function resultRoom(contextTokens: number | null): number {
  if (contextTokens === null) return MAX_TOOL_RESULT_CHARS;
  const share = Math.floor(contextTokens * CHARS_PER_CONTEXT_TOKEN);
  return Math.min(MAX_TOOL_RESULT_CHARS, Math.max(LEAST_CHARS, share));
}

/** What reads a result. */
interface ReadingHost {
  readonly spec: Pick<TaskSpec, "route">;
  readonly services: Pick<HostServices, "modelOf">;
  readonly turn: Pick<TurnState, "model">;
}

/**
 * Characters of one result for a task's model. Where the config has that no more and there is a route, it is the next
 * generation that says so and goes elsewhere.
 * Contract: without a route throws NotFoundError `model_not_found`.
 */
export function resultRoomOf({ spec, services, turn }: ReadingHost): number {
  try {
    return resultRoom(services.modelOf(turn.model).contextTokens);
  } catch (thrown) {
    if (spec.route) return resultRoom(null);
    throw thrown;
  }
}
