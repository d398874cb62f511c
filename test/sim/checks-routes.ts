// What must hold of tasks that change their model: never in silence, never in a circle, never to a cloud unasked, and
// never beyond what may be spent there.

import type { EventData } from "../../src/core/event.ts";
import { MAX_REROUTES } from "../../src/core/limits.ts";
import type { Book } from "./book.ts";
import type { Check } from "./check.ts";
import type { FactOf } from "./facts.ts";
import { isCloud, OUTAGE, POOR_ANSWERS, visit, type RoutingNow } from "./model-book.ts";

/** What one generation may cost beyond what it was reckoned to: its prompt may be underestimated. */
const OVERRUN_MICROS = 4_000;

type Change = EventData["task.rerouted"];

function changesIn({ write }: FactOf<"committed">): readonly Change[] {
  return (write.events ?? []).flatMap(({ type, data }) => (type === "task.rerouted" ? [data] : []));
}

/** Asks of each change of model in a commit, with the place and the count before it. */
function eachChange(
  fact: FactOf<"committed">,
  book: Book,
  ask: (change: Change, before: { readonly at: string; readonly changes: number }) => string | null,
): string | null {
  const way = book.models.ways.get(fact.taskId);
  if (!way) return null;
  let [at, changes] = [way.at, way.changes - way.outages];
  for (const change of changesIn(fact)) {
    const complaint = ask(change, { at, changes });
    if (complaint !== null) return `${fact.taskId} ${complaint}`;
    [at, changes] = [change.to, changes + (change.code === OUTAGE ? 0 : 1)];
  }
  return null;
}

function circle(fact: FactOf<"committed">, book: Book): string | null {
  const visited = new Set(book.models.ways.get(fact.taskId)?.visited);
  return eachChange(fact, book, (change, { changes }) => {
    if (visited.has(change.to)) return `goes to ${change.to} once more`;
    visit(visited, change);
    return change.code !== OUTAGE && changes >= MAX_REROUTES
      ? `changes its model ${changes + 1} times`
      : null;
  });
}

function mayCross(from: string, to: string, routing: RoutingNow | null): boolean {
  if (isCloud(from) === isCloud(to)) return true;
  const way = isCloud(to) ? "local_to_cloud" : "cloud_to_local";
  return routing?.fallback === way || routing?.fallback === "both";
}

function stepsUp(fact: FactOf<"committed">, book: Book): string | null {
  const before = book.models.ways.get(fact.taskId)?.stepsUp ?? 0;
  const poor = changesIn(fact).filter(({ code }) => POOR_ANSWERS.has(code)).length;
  if (poor === 0) return null;
  if (book.models.routing?.escalate !== true) return `${fact.taskId} steps up, and nobody asked for it`;
  return before + poor > 1 ? `${fact.taskId} steps up once more` : null;
}

export const ROUTE_CHECKS: readonly Check[] = [
  {
    id: "B3",
    name: "no change of model is silent",
    means: "A task generates where it began or where its last change in the store says, and nowhere else.",
    on: {
      "generation.began": ({ taskId, place }, { models }) => {
        const way = models.ways.get(taskId);
        const at = `${place.backend}/${place.model}`;
        return way && way.at !== at ? `${taskId} generates on ${at}, and is told to be on ${way.at}` : null;
      },
      committed: (fact, book) =>
        eachChange(fact, book, ({ from }, { at }) =>
          from === at ? null : `says that it leaves ${from}, and was on ${at}`,
        ),
    },
  },
  {
    id: "B1",
    name: "a route is no circle",
    means: "No task comes back to a model that failed it, nor changes it more than three times.",
    on: { committed: circle },
  },
  {
    id: "R1",
    name: "nothing crosses unasked",
    means: "Between this box and a cloud a task goes only as routing.fallback allows in that life.",
    on: {
      committed: (fact, book) =>
        eachChange(fact, book, ({ to }, { at }) =>
          mayCross(at, to, book.models.routing) ? null : `goes from ${at} to ${to}, which is not allowed`,
        ),
      submitted: ({ spec, created }, { models }) => {
        const at = `${spec.model.provider}/${spec.model.model}`;
        const first = models.firstOf(spec);
        const isAllowed = !created || mayCross(first, at, models.routing);
        return isAllowed ? null : `${spec.id} begins on ${at} for ${first}, which is not allowed`;
      },
    },
  },
  {
    id: "R1",
    name: "what is local stays local",
    means: "Nothing of a task that began on this box reaches a cloud in a life whose policy keeps it here.",
    on: {
      "generation.began": ({ taskId, place }, { models }) => {
        const way = models.ways.get(taskId);
        if (!way || place.backend !== "cloud" || isCloud(way.began)) return null;
        return mayCross(way.began, "cloud/", models.routing) ? null : `${taskId} generates in a cloud`;
      },
    },
  },
  {
    id: "B2",
    name: "the ceiling of a fallback holds",
    means:
      "No generation begins in a cloud that a task fell back to that could pass what it may spend there.",
    on: {
      "generation.began": ({ taskId, place, reserves }, { models }) => {
        const way = models.ways.get(taskId);
        const limit = models.routing?.maxCostMicros ?? null;
        if (!way || limit === null || place.backend !== "cloud" || isCloud(way.began)) return null;
        const sum = way.cloudMicros + reserves.costMicros;
        return sum > limit ? `${taskId} generates, which could make it ${sum} of ${limit} micros` : null;
      },
    },
    rest: (_, { models }) => {
      const limit = models.routing?.maxCostMicros ?? null;
      if (limit === null) return null;
      for (const [taskId, { cloudMicros, began }] of models.ways) {
        if (!isCloud(began) && cloudMicros > limit + OVERRUN_MICROS)
          return `${taskId} has spent ${cloudMicros} of ${limit} micros in clouds`;
      }
      return null;
    },
  },
  {
    id: "B1",
    name: "stepping up happens once",
    means: "A poor answer takes a task to a stronger model where that is asked for, and once.",
    on: { committed: stepsUp },
  },
];
