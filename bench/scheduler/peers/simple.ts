// The peers that are one rule each. All send what they let through straight to the server and leave it to Ollama what
// is loaded; none loads or unloads anything itself.

import type { Clock } from "../../../src/base/clock.ts";
import { newPQueue } from "../../rivals.ts";
import { Line, type Waiting } from "../line.ts";
import type { ServerFacts } from "../model-server.ts";
import type { Strategy, StrategyRun, StrategyWorld, Turn, Work } from "../strategy.ts";
import { generateWithRetries } from "./retry.ts";

/** Children that Hermes runs at once under one parent (`delegation.max_concurrent_children`). */
const CHILDREN_PER_PARENT = 3;

/** What differs between them; whatever is left out does nothing. */
interface Rule {
  begin?(work: Work, signal: AbortSignal): Promise<void>;
  turn?<R>(turn: Turn, signal: AbortSignal, send: () => Promise<R>): Promise<R>;
  end?(work: Work): void;
  held?(): number;
}

function strategyOf(
  name: string,
  about: string,
  rule: (world: StrategyWorld) => Rule | Promise<Rule>,
): Strategy {
  return { name, about, namesKeepAlive: true, open: async (world) => runOf(await rule(world), world.clock) };
}

function runOf(rule: Rule, clock: Clock): StrategyRun {
  return {
    begin: async (work, signal) => {
      signal.throwIfAborted();
      await rule.begin?.(work, signal);
    },
    turn: (turn, signal) => {
      const send = () => generateWithRetries(turn, clock, signal);
      return rule.turn?.(turn, signal, send) ?? send();
    },
    park: () => {},
    end: (work) => rule.end?.(work),
    held: () => rule.held?.() ?? 0,
    cost: () => null,
    close: () => {},
  };
}

/** The parallelism of the servers: what they give to any of their models. */
function npOf({ serversFromMs, models }: ServerFacts): number {
  return serversFromMs.length * Math.max(...models.map((model) => model.np));
}

export const direct = strategyOf("direct", "every turn goes to Ollama as soon as it is ready", () => ({}));

/** Tasks that hold their place from begin to end, whatever they wait for. */
function heldPlaces(lineFor: (work: Work) => Line<Work>, lines: () => Iterable<Line<Work>>): Rule {
  const holders = new Map<string, Line<Work>>();
  return {
    begin: async (work, signal) => {
      const line = lineFor(work);
      await line.enter(work, signal);
      holders.set(work.taskId, line);
    },
    end: (work) => {
      const line = holders.get(work.taskId);
      holders.delete(work.taskId);
      line?.leave();
    },
    held: () => [...lines()].reduce((sum, line) => sum + line.held, 0),
  };
}

export const semaphore = strategyOf(
  "semaphore",
  "one first-come-first-served semaphore of np children, held from start to end; questions pass by",
  ({ facts }) => {
    const line = new Line<Work>({ cap: npOf(facts) });
    return heldPlaces(
      () => line,
      () => [line],
    );
  },
);

export const perParent = strategyOf(
  "per-parent 3",
  "three children of each parent at once, as Hermes does; their turns go straight to Ollama",
  () => {
    const lines = new Map<string, Line<Work>>();
    const lineFor = (work: Work): Line<Work> => {
      const key = work.parentId ?? "";
      const line = lines.get(key) ?? new Line<Work>({ cap: CHILDREN_PER_PARENT });
      lines.set(key, line);
      return line;
    };
    return heldPlaces(lineFor, () => lines.values());
  },
);

export const pQueue = strategyOf(
  "p-queue",
  "p-queue with a concurrency of np over all turns and questions, first in first out",
  async ({ facts }) => {
    const queue = await newPQueue(npOf(facts));
    let held = 0;
    return {
      turn: (_turn, signal, send) => {
        held += 1;
        const job = async () => {
          signal.throwIfAborted();
          return send();
        };
        return queue.add(job).finally(() => {
          held -= 1;
        });
      },
      held: () => held,
    };
  },
);

/** Turns of each model in a line of their own, at most np of it at once, in the order of `pick`. */
function lineForEachModel(
  { facts }: StrategyWorld,
  pick: (waiting: readonly Waiting<Turn>[]) => number,
): Rule {
  const lines = new Map(facts.models.map(({ name, np }) => [name, new Line<Turn>({ cap: np, pick })]));
  return {
    turn: (turn, signal, send) => (lines.get(turn.work.model) as Line<Turn>).run(turn, signal, send),
    held: () => [...lines.values()].reduce((sum, line) => sum + line.held, 0),
  };
}

export const priority = strategyOf(
  "priority",
  "LiteLLM-like: a heap by (priority, order of coming) for each model with its max_parallel_requests at np, questions first",
  (world) =>
    lineForEachModel(world, (waiting) => {
      const first = waiting.findIndex(({ entry }) => entry.class === "interactive");
      return Math.max(0, first);
    }),
);

export const roundRobin = strategyOf(
  "round robin",
  "ollamaMQ-like: parents take turns, at most np turns at once over all models",
  ({ facts }) => {
    const servedAt = new Map<string, number>();
    let turn = 0;
    const userOf = ({ work }: Turn): string => work.parentId ?? work.taskId;
    const pick = (waiting: readonly Waiting<Turn>[]): number => {
      const last = waiting.map(({ entry }) => servedAt.get(userOf(entry)) ?? -1);
      const next = last.indexOf(Math.min(...last));
      servedAt.set(userOf((waiting[next] as Waiting<Turn>).entry), turn++);
      return next;
    };
    const line = new Line<Turn>({ cap: npOf(facts), pick });
    return { turn: (each, signal, send) => line.run(each, signal, send), held: () => line.held };
  },
);
