// How a task waits for a model server that is away: its turn is held without a try being counted, in the pause
// `backing_off`, and goes on when the server answers or somebody writes to it. A task whose route has another model that
// may take it and is not away is not held: it tries, and goes on elsewhere as after any failure, told as a change of its
// model; before its first turn it goes at once. Where all are away it is held where it is, and goes at once to the first that is back.
//
// H1. A generation under which its server went away again and again may be what ends the server: after so many times it
//     is held no more, and its failures are tries.

import { ProviderError } from "../base/errors.ts";
import { SERVER_AWAY, type Phase, type State } from "../core/lifecycle.ts";
import type { TaskFailure } from "../core/task.ts";
import { GENERATION_TRIES } from "./generation.ts";
import type { Pauses } from "./pauses.ts";
import { changeFor, type ReroutingHost } from "./rerouting.ts";
import type { HostServices } from "./services.ts";

/** What can be told of a task that is held, or not. */
export interface HeldHost {
  readonly turn: { readonly lastFailure: TaskFailure | null };
  readonly words: { readonly state: State; readonly phase: Phase | null };
  readonly pauses: Pick<Pauses, "hurry">;
}

/** What is needed of a task that may have to wait. */
export interface WaitingTask extends HeldHost, ReroutingHost {
  readonly id: string;
  readonly turn: ReroutingHost["turn"];
  readonly ending: boolean;
  readonly services: ReroutingHost["services"] & {
    readonly residency: Pick<HostServices["residency"], "outages">;
  };
}

/** Throws what a turn is held with, or goes elsewhere with, that may not begin: its server is known to be away. */
export function checkServer(host: WaitingTask): void {
  const error = heldUp(host) ?? leaving(host);
  if (error) throw error;
}

/** Who was held has waited long enough to need no more tries here, and who has begun no turn never came here. */
function leaving(host: WaitingTask): Error | null {
  const { turn } = host;
  const words = host.services.residency.outages.wordsOf(turn.model.backend);
  const isFree = isHeld(turn) || turn.begunTurn === 0;
  if (words === null || !isFree || !goesElsewhere(host)) return null;
  return new ProviderError({ kind: "network", code: SERVER_AWAY }, `${words}.`);
}

/**
 * What a failed generation failed with: an error that counts no try where its server is away, else what was thrown.
 * Contract: rejects with the signal's reason alone.
 */
export async function explainFailure(
  host: WaitingTask,
  thrown: unknown,
  at: { readonly turn: number; readonly signal: AbortSignal; readonly wasAway: boolean },
): Promise<unknown> {
  const { services, turn } = host;
  const isAway = await services.residency.outages.suspect(turn.model.backend, thrown, at.signal);
  if (!isAway) return thrown;
  // A server that was away before has not gone because of it.
  const times = (turn.broken?.turn === at.turn ? turn.broken.times : 0) + (at.wasAway ? 0 : 1);
  turn.broken = { turn: at.turn, times };
  return times > GENERATION_TRIES ? thrown : (heldUp(host) ?? thrown);
}

function heldUp(host: WaitingTask): Error | null {
  const { services, turn, id } = host;
  const { outages } = services.residency;
  const { backend } = turn.model;
  const error = outages.heldUp(backend);
  if (error === null || goesElsewhere(host)) return null;
  outages.wakeLater(backend, id, () => wake(host));
  const others = host.spec.route?.candidates.map((ref) => ref.backend) ?? [];
  outages.wakeForAny(
    others.filter((other) => other !== backend),
    id,
    () => wake(host),
  );
  return error;
}

function goesElsewhere(host: WaitingTask): boolean {
  const other = changeFor(host, "away", { code: SERVER_AWAY, reason: "" });
  if (other === null || !("change" in other)) return false;
  return !host.services.residency.outages.isAway(other.to.backend);
}

/** False while it is still on its way into its pause. */
function wake(host: WaitingTask): boolean {
  if (host.ending) return true;
  hurryHeld(host);
  return host.words.phase !== "generating";
}

/** Whether the last try of a task was none: its server was away. */
export function isHeld({ lastFailure }: HeldHost["turn"]): boolean {
  return lastFailure?.code === SERVER_AWAY;
}

/** Ends the pause of a task that is held: its server is back, or somebody wrote to it and is to hear why it waits. */
export function hurryHeld(host: HeldHost): void {
  if (isHeld(host.turn) && host.words.phase === "backing_off") host.pauses.hurry();
}
