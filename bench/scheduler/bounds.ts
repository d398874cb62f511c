// What no contender can beat on a given plan: lower bounds of the makespan and of the model loads, from the rates of
// the simulated server and from nothing that happened in a run. They are bounds, not optima: nothing says that a
// schedule exists which reaches them.
//
// The work bound: with b generations on one model each takes 1 + s·(b−1) times as long, so a model does at most
//   A = max over b ≤ np of b ÷ (1 + s·(b−1))
// milliseconds of lonely work in one; m models at work on one GPU are each 1 + t·(m−1) times slower. Each new token of a
// prompt is computed once at least, a prefix that all share once for each model, and every load that must happen while
// nothing else can be in memory stops the work. What belongs to tasks that will be cancelled counts as nothing.

import { fitsBeside } from "./fit.ts";
import type { ServerFacts } from "./model-server.ts";
import { tasksOf, type Plan, type PlannedTask, type PlannedTurn } from "./plan.ts";
import type { Workload, WorkloadModel } from "./workload.ts";

/** Milliseconds from the start of the run; `makespanMs` is the largest of the others. */
export interface Bounds {
  readonly workMs: number;
  readonly slotMs: number;
  readonly pathMs: number;
  readonly makespanMs: number;
  /** Loads that have to happen. */
  readonly swaps: number;
}

/** Work that arrives at one moment, in milliseconds of a lonely generation, by model. */
interface Batch {
  readonly atMs: number;
  readonly work: ReadonlyMap<string, number>;
}

export function boundsOf(plan: Plan, facts: ServerFacts): Bounds {
  const { workload } = plan;
  const used = usedModels(plan);
  const idle = used.filter((model) => !model.loaded);
  const exclusive = used.length > 1 && !anyPairFits(facts, used);
  const firstLoad = used.some((model) => model.loaded) ? 0 : least(idle.map((model) => model.load_s));
  const servers = workload.box.servers_from_s.length;
  // On several servers each may load another one at the same time.
  const swapsMs =
    exclusive && idle.length > 0 && servers === 1
      ? sum(idle.map((model) => model.load_s)) + workload.box.unload_s * (used.length - 1)
      : firstLoad;
  const batches = batchesOf(plan);
  const together = servers * (exclusive ? 1 : bestOfModels(workload, used.length));
  const speed = (model: WorkloadModel): number => bestOfBatch(workload, model) * together;
  const slots = (model: WorkloadModel): number => (model.np ?? workload.box.np) * together;
  const spread = (1 - workload.box.load_jitter) * 1_000;
  const workMs = latest(batches, used, speed) + swapsMs * spread;
  const slotMs = latest(batches, used, slots) + swapsMs * spread;
  const pathMs = longestPath(plan) + firstLoad * spread;
  return { workMs, slotMs, pathMs, makespanMs: Math.max(workMs, slotMs, pathMs), swaps: idle.length };
}

/** A parent's work at the best speed of the server, in milliseconds: what it would take if it were alone. */
export function idealParentMs(plan: Plan, rootId: string): number {
  const { workload } = plan;
  const tasks = tasksOf(plan).filter((task) => task.rootId === rootId);
  return sum(
    tasks.map((task) => {
      const model = modelOf(workload, task.model);
      return sum(task.turns.map((turn) => turnMs(workload, model, turn))) / bestOfBatch(workload, model);
    }),
  );
}

function usedModels(plan: Plan): readonly WorkloadModel[] {
  const names = new Set([
    ...living(plan).map((task) => task.model),
    ...plan.questions.map((question) => question.model),
  ]);
  return plan.workload.models.filter((model) => names.has(model.name));
}

/** Tasks that nothing cancels. */
function living(plan: Plan): readonly PlannedTask[] {
  const found: PlannedTask[] = [];
  const visit = (task: PlannedTask): void => {
    if (task.cancelAfterMs !== null) return;
    found.push(task);
    for (const turn of task.turns) turn.children.forEach(visit);
  };
  for (const parent of plan.parents) parent.children.forEach(visit);
  return found;
}

/** For every arrival: what comes then or later, done at full speed from then on. */
function latest(
  batches: readonly Batch[],
  used: readonly WorkloadModel[],
  speed: (model: WorkloadModel) => number,
): number {
  let most = 0;
  let left = 0;
  for (const { atMs, work } of batches.toSorted((a, b) => b.atMs - a.atMs)) {
    left += sum(used.map((model) => (work.get(model.name) ?? 0) / speed(model)));
    most = Math.max(most, atMs + left);
  }
  return most;
}

function batchesOf(plan: Plan): readonly Batch[] {
  const { workload } = plan;
  const alive = living(plan);
  const shared = new Set<string>();
  const ofTasks = (tasks: readonly PlannedTask[]): Map<string, number> => {
    const work = new Map<string, number>();
    for (const task of tasks) {
      const model = modelOf(workload, task.model);
      // The first conversation on a model reads what all have in common; later ones may find it read.
      const spared = shared.has(task.model) && workload.box.prompt_cache ? task.sharedTokens : 0;
      shared.add(task.model);
      const ms = sum(task.turns.map((turn) => turnMs(workload, model, turn)));
      add(work, task.model, ms - (spared * 1_000) / prefillRate(workload, model));
    }
    return work;
  };
  return [
    ...plan.parents.map(({ id, atMs }) => ({
      atMs,
      work: ofTasks(alive.filter((task) => task.rootId === id)),
    })),
    ...plan.questions.map(({ atMs, model, promptTokens, outputTokens }) => ({
      atMs,
      work: new Map([
        [
          model,
          turnMs(workload, modelOf(workload, model), { newTokens: promptTokens, promptTokens, outputTokens }),
        ],
      ]),
    })),
  ];
}

function longestPath(plan: Plan): number {
  const { workload } = plan;
  const pathOf = (task: PlannedTask): number => {
    if (task.cancelAfterMs !== null) return 0;
    const model = modelOf(workload, task.model);
    const shared = workload.box.prompt_cache ? task.sharedTokens : 0;
    const spared = (shared * 1_000) / prefillRate(workload, model);
    return (
      sum(
        task.turns.map(
          (turn) => turnMs(workload, model, turn) + turn.toolMs + most(turn.children.map(pathOf)),
        ),
      ) - spared
    );
  };
  return Math.max(
    most(plan.parents.map((parent) => parent.atMs + most(parent.children.map(pathOf)))),
    most(
      plan.questions.map(
        ({ atMs, model, promptTokens, outputTokens }) =>
          atMs +
          turnMs(workload, modelOf(workload, model), { newTokens: promptTokens, promptTokens, outputTokens }),
      ),
    ),
  );
}

/** What a turn takes alone on the server, with everything but its new tokens in the cache. */
function turnMs(
  workload: Workload,
  model: WorkloadModel,
  { newTokens, promptTokens, outputTokens }: Pick<PlannedTurn, "newTokens" | "promptTokens" | "outputTokens">,
): number {
  const decode = model.decode_tokens_per_s ?? workload.box.decode_tokens_per_s;
  const read = workload.box.prompt_cache ? newTokens : promptTokens;
  return (read / prefillRate(workload, model) + outputTokens / decode) * 1_000;
}

function prefillRate(workload: Workload, model: WorkloadModel): number {
  return model.prefill_tokens_per_s ?? workload.box.prefill_tokens_per_s;
}

/** A of the head comment. */
function bestOfBatch({ box }: Workload, model: WorkloadModel): number {
  const np = model.np ?? box.np;
  return most(Array.from({ length: np }, (_, at) => (at + 1) / (1 + box.batch_slowdown * at)));
}

/** How many times as much as one model several can do beside each other, over all GPUs. */
function bestOfModels({ box }: Workload, models: number): number {
  const onOne = most(Array.from({ length: models }, (_, at) => (at + 1) / (1 + box.model_slowdown * at)));
  return Math.min(models, onOne * box.gpus.length);
}

function anyPairFits(facts: ServerFacts, used: readonly WorkloadModel[]): boolean {
  return used.some(({ name }, at) =>
    used.some((other, index) => index !== at && fitsBeside(facts, name, [other.name])),
  );
}

function modelOf(workload: Workload, name: string): WorkloadModel {
  return workload.models.find((model) => model.name === name) as WorkloadModel;
}

function add(map: Map<string, number>, key: string, value: number): void {
  map.set(key, (map.get(key) ?? 0) + value);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function most(values: readonly number[]): number {
  return Math.max(0, ...values);
}

function least(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.min(...values);
}
