// Plays one plan with one contender on one model server, and writes down what happened. Tasks are plain loops: begin,
// turn, tool, turn, … end; they know nothing of queues. On a virtual clock hours pass in seconds.
//
// Y1. Every task and question of the plan is spawned once, and its loop ends it once, whatever it was cancelled by.
// Y2. A run that makes no progress any more is told apart from one that is slow: nothing is due, or its time is over.

import { delay, type Clock } from "../../src/base/clock.ts";
import { CancelledError, LimitError } from "../../src/base/errors.ts";
import type { Random } from "../../src/base/ids.ts";
import { History, type TaskRecord } from "./history.ts";
import type { GenerationFigures, ModelServer, ServerStats } from "./model-server.ts";
import type { Plan, PlannedQuestion, PlannedTask, PlannedTurn } from "./plan.ts";
import type { DecisionCost, Strategy, StrategyRun, Work, WorkClass } from "./strategy.ts";

/** How long a server may take to notice that a client has gone: a load, and the prompts before it. */
const NOTICED_WITHIN_LOOKS = 600;
const LOOK_MS = 1_000;

export interface PlayOptions {
  readonly plan: Plan;
  readonly strategy: Strategy;
  readonly server: ModelServer;
  readonly clock: Clock;
  readonly random: Random;
  /** Resolves `true` when the play is over, `false` when it can never be: it moves a virtual clock, or waits. */
  readonly until: (over: Promise<void>) => Promise<boolean>;
}

export interface Played {
  readonly history: History;
  /** False when tasks were left that nothing could end: a deadlock. */
  readonly finished: boolean;
  /** What the contender still held after the last end. */
  readonly leaked: number;
  readonly cost: DecisionCost | null;
  readonly server: ServerStats;
}

/** Contract: rejects with what the server or the contender threw and no cancel explains. */
export async function play(options: PlayOptions): Promise<Played> {
  const { plan, strategy, server, clock, random } = options;
  await options.until(server.warmUp());
  const run = await strategy.open({ clock, random, facts: server.facts, server });
  const stage = new Stage({ run, server, clock });
  const acts = [
    ...plan.parents.map((parent) =>
      stage.later(parent.atMs, () => stage.children(parent.children, stage.life)),
    ),
    ...plan.questions.map((question) => stage.later(question.atMs, () => stage.question(question))),
  ];
  const over = Promise.all(acts).then(() => {});
  // What breaks the play is told by `until`'s caller once the clock stands still.
  const finished = await options.until(over);
  const leaked = finished ? run.held() : 0;
  const stats = server.stats();
  // A server notices late that its client has gone: in its queue, or while it reads a prompt.
  if (finished) await options.until(quiet(server, clock));
  const { inFlight } = server.stats();
  const result: Played = {
    history: stage.history,
    finished,
    leaked,
    cost: run.cost(),
    server: { ...stats, inFlight },
  };
  stage.stop();
  run.close();
  server.close();
  if (!finished) over.catch(() => {});
  return result;
}

async function quiet(server: ModelServer, clock: Clock): Promise<void> {
  for (let look = 0; look < NOTICED_WITHIN_LOOKS && (server.stats().inFlight ?? 0) > 0; look += 1) {
    await delay(clock, LOOK_MS);
  }
}

interface StageOptions {
  readonly run: StrategyRun;
  readonly server: ModelServer;
  readonly clock: Clock;
}

/** The end of a task's life from outside: its own cancel, or that of a task above it. */
class Life {
  readonly #controller = new AbortController();
  readonly #above: Life | null;
  readonly #below = new Set<Life>();

  constructor(above: Life | null) {
    this.#above = above;
    if (above === null) return;
    above.#below.add(this);
    if (above.signal.aborted) this.cancel();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  cancel(): void {
    this.#controller.abort(new CancelledError("The task was cancelled."));
    for (const life of this.#below) life.cancel();
  }

  over(): void {
    if (this.#above !== null) this.#above.#below.delete(this);
  }
}

class Stage {
  readonly history = new History();
  readonly life = new Life(null);
  readonly #run: StrategyRun;
  readonly #server: ModelServer;
  readonly #clock: Clock;
  readonly #curtain: number;

  constructor({ run, server, clock }: StageOptions) {
    this.#run = run;
    this.#server = server;
    this.#clock = clock;
    this.#curtain = clock.monotonic();
  }

  /** Milliseconds since the play began; what was loaded before it took none of them. */
  #now(): number {
    return this.#clock.monotonic() - this.#curtain;
  }

  async later(atMs: number, act: () => Promise<void>): Promise<void> {
    if (atMs > 0) await delay(this.#clock, atMs, this.life.signal);
    await act();
  }

  async children(tasks: readonly PlannedTask[], above: Life): Promise<void> {
    await Promise.all(tasks.map((task) => this.#task(task, above)));
  }

  async question(question: PlannedQuestion): Promise<void> {
    const work: Work = { taskId: question.id, parentId: null, model: question.model };
    const record = this.#spawn(work, { rootId: question.id, kind: "question", planned: 1 });
    const { promptTokens, outputTokens } = question;
    const turn = { newTokens: promptTokens, promptTokens, outputTokens, toolMs: 0, children: [] };
    await this.#live(record, work, async () => {
      await this.#turn({ work, record, turn, class: "interactive", sharedTokens: 0 }, this.life.signal);
    });
  }

  /** Ends every task that a deadlock has left. */
  stop(): void {
    this.life.cancel();
  }

  async #task(task: PlannedTask, above: Life): Promise<void> {
    const life = new Life(above);
    const { signal } = life;
    const work: Work = { taskId: task.id, parentId: task.parentId, model: task.model };
    const record = this.#spawn(work, { rootId: task.rootId, kind: "task", planned: task.turns.length });
    const { cancelAfterMs } = task;
    const cancel = cancelAfterMs === null ? null : this.#clock.after(cancelAfterMs, () => life.cancel());
    await this.#live(record, work, async () => {
      await this.#run.begin(work, signal);
      let schedulingClass: WorkClass = "background";
      for (const turn of task.turns) {
        await this.#turn(
          { work, record, turn, class: schedulingClass, sharedTokens: task.sharedTokens },
          signal,
        );
        schedulingClass = "background";
        if (turn.children.length > 0) {
          this.#run.park(work);
          await this.children(turn.children, life);
          schedulingClass = "resuming";
        } else if (turn.toolMs > 0) await delay(this.#clock, turn.toolMs, signal);
        signal.throwIfAborted();
      }
    });
    cancel?.cancel();
    life.over();
  }

  #spawn(work: Work, record: Pick<TaskRecord, "rootId" | "kind" | "planned">): TaskRecord {
    return this.history.spawned({ ...record, taskId: work.taskId, spawnedAt: this.#now() });
  }

  /** Keeps Y1. */
  async #live(record: TaskRecord, work: Work, loop: () => Promise<void>): Promise<void> {
    let outcome: TaskRecord["outcome"] = "done";
    try {
      await loop();
    } catch (error) {
      if (!(error instanceof CancelledError)) throw error;
      outcome = "cancelled";
    } finally {
      this.#run.end(work);
    }
    record.outcome = outcome;
    record.endedAt = this.#now();
    record.ends += 1;
  }

  async #turn(
    { work, record, turn, class: schedulingClass, sharedTokens }: TurnOnStage,
    signal: AbortSignal,
  ): Promise<void> {
    const readyAt = this.#now();
    const nth = record.turns;
    const generate = async (attemptSignal: AbortSignal, at?: number): Promise<GenerationFigures> => {
      const { taskId, model } = work;
      const sentAt = this.#now();
      const attempt = this.history.sent({ taskId, kind: record.kind, model, turn: nth, readyAt, sentAt });
      try {
        const { promptTokens, outputTokens } = turn;
        const onFirstToken = (): void => {
          attempt.firstTokenAt = this.#now();
        };
        const call = {
          model,
          conversation: taskId,
          promptTokens,
          sharedTokens,
          outputTokens,
          onFirstToken,
          server: at,
        };
        const figures = await this.#server.generate(call, attemptSignal);
        attempt.outcome = "ok";
        attempt.figures = figures;
        return figures;
      } catch (error) {
        attempt.outcome = attemptSignal.aborted ? "aborted" : isBusy(error) ? "busy" : "error";
        throw error;
      } finally {
        attempt.endedAt = this.#now();
      }
    };
    const figures = await this.#run.turn({ work, class: schedulingClass, generate }, signal);
    record.turns += 1;
    record.startedAt ??= this.#now() - figures.promptMs - figures.outputMs;
  }
}

interface TurnOnStage {
  readonly work: Work;
  readonly record: TaskRecord;
  readonly turn: PlannedTurn;
  readonly class: WorkClass;
  readonly sharedTokens: number;
}

/** Ollama's 503. */
export function isBusy(error: unknown): boolean {
  return error instanceof LimitError && error.code === "busy";
}
