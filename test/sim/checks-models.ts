// What must hold where models share a memory: one load at a time, at the scheduler's word alone; no turn begins on a
// model that is not there, and none is taken away under a turn.

import type { LaneView } from "../../src/core/box-api.ts";
import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { laneKey, profileOf } from "./model-book.ts";
import { CONTEXT_TOKENS } from "./settings.ts";

function movingLanes(lanes: readonly LaneView[]): string | null {
  const moving = new Map<string, string>();
  for (const { backend, profile, residency } of lanes) {
    if (residency !== "loading" && residency !== "unloading") continue;
    const other = moving.get(backend);
    if (other !== undefined) return `${profile} is ${residency} while ${other} on ${backend}`;
    moving.set(backend, `${profile} is ${residency}`);
  }
  return null;
}

function servesNobody({ taskId, held, lane, isToGo }: FactOf<"lease">, book: Book): string | null {
  if (!held || lane === undefined || !book.models.isManaged(lane.backend)) return null;
  const told = book.models.told.get(laneKey(lane));
  if (told?.passing === true) return null;
  if (told?.state !== "resident")
    return `${taskId} gets a lease, and ${lane.profile} is ${told?.state ?? "absent"}`;
  return isToGo === true ? `${taskId} gets a lease, and ${lane.profile} is to go` : null;
}

function pushesOut({ taskId, place }: FactOf<"generation.began">, book: Book): string | null {
  const { backend, isThere, inTheWay, model } = place;
  const [victim] = inTheWay;
  // Where no load can succeed turns pass; when the server is back, they come to it before it was looked at.
  if (isThere || victim === undefined || book.models.isPassing(backend)) return null;
  return `${taskId} is sent to ${model}, which is absent, while ${victim} uses what would have to go`;
}

function elsewhere({ taskId, place }: FactOf<"generation.began">, { models }: Book): string | null {
  const lane = models.leases.get(taskId);
  const profile = models.isManaged(place.backend) ? profileOf(place.backend, place) : "";
  const here = laneKey({ backend: place.backend, profile });
  return lane === undefined || lane === here
    ? null
    : `${taskId} generates on ${here}, and its lease is on ${lane}`;
}

export const MODEL_CHECKS: readonly Check[] = [
  {
    id: "S1",
    name: "a turn runs where its lease is",
    means: "A generation is sent to the server, and the model on it, whose slot the task was given.",
    on: { "generation.began": elsewhere },
  },
  {
    id: "V4",
    name: "the server's word wins",
    means: "When all is quiet, what is taken to be in memory is what the server has there.",
    rest: ({ mistaken }) =>
      mistaken.length > 0 ? `the server does not have it so: ${mistaken.join(", ")}` : null,
  },
  {
    id: "G4",
    name: "one load at a time",
    means: "On one server no load or unload begins while another one is under way.",
    on: {
      "move.began": ({ backend, model, what }, book) => {
        const [other] = book.models.under(backend);
        return other === undefined ? null : `${what} of ${model} begins while ${other} is under way`;
      },
    },
    step: ({ lanes }) => movingLanes(lanes),
  },
  {
    id: "G7",
    name: "models are moved at command",
    means: "Nothing is loaded or asked to go but what the scheduler has commanded and was not answered for.",
    on: {
      "move.began": ({ backend, what, model }, book) => {
        const profile = profileOf(backend, { model, contextTokens: CONTEXT_TOKENS });
        const commanded = book.models.commanded.get(laneKey({ backend, profile }));
        return commanded === what ? null : `${what} of ${model} begins, and nobody asked for it`;
      },
    },
  },
  {
    id: "G5",
    name: "turns wait for their model",
    means: "A lease is given only on a model that is in memory and not to go, or one that cannot be had.",
    on: { lease: servesNobody },
  },
  {
    id: "G5",
    name: "no turn pushes a model out",
    means: "No generation is sent for an absent model while one of ours uses what would have to go for it.",
    on: { "generation.began": pushesOut },
  },
  {
    id: "G6",
    name: "a model in use stays",
    means: "No model is asked to go while a generation of ours uses it that somebody waits for.",
    on: {
      "move.began": ({ what, model, inUse }) => {
        const [user] = inUse;
        return what === "load" || user === undefined ? null : `${model} is asked to go, and ${user} uses it`;
      },
    },
  },
  {
    id: "G15",
    name: "one model, one set of options",
    means: "Loads and turns of a model ask for the same context, so that none of them loads it anew.",
    on: {
      "generation.began": ({ taskId, place }, { models }) => {
        const { backend, model, contextTokens } = place;
        if (!models.isManaged(backend) || contextTokens === CONTEXT_TOKENS) return null;
        return `${taskId} asks ${model} for a context of ${contextTokens}`;
      },
      "move.began": ({ what, model, contextTokens }) =>
        what === "unload" || contextTokens === CONTEXT_TOKENS
          ? null
          : `${model} is loaded with a context of ${contextTokens}`,
    },
  },
];
