// The kill: what was there before, the blow, the server that comes back, and what the API says of all of it then.
// Everything is asked over HTTP, as any client would; the store is never opened here.

import { messageOf, NotFoundError } from "../base/errors.ts";
import { delay, type Clock } from "../base/clock.ts";
import { deadline, linkedAbort } from "../base/abort.ts";
import { sha256 } from "../base/ids.ts";
import type { TaskView, TreeNode, TroupeApi } from "../core/api.ts";
import type { EventFrame, StoredEvent } from "../core/event.ts";
import { isTerminal } from "../core/lifecycle.ts";
import type { TranscriptRow } from "../core/message.ts";
import { toWire } from "../core/wire.ts";
import type { CrashEvidence, CrashReport, Kill, Standing, UnderWay } from "./demo-crash-facts.ts";
import { crashReportOf } from "./demo-crash-report.ts";
import type { Message } from "./demo-facts.ts";
import type { DemoRecord } from "./demo-record.ts";
import type { DemoServer } from "./demo-server.ts";
import type { DemoWatch } from "./demo-watch.ts";
import { duration, plural } from "./demo-words.ts";

/** What the story needs of the kill. */
export interface Crash {
  /** Notes what is there; asked for just before the moment. */
  prepare(): Promise<void>;
  /** Kills the server and starts it again. Contract: rejects when it does not come back, or the signal aborts. */
  strike(accepted: Accepted): Promise<void>;
}

/** What was accepted just before, and has not had its effect. */
export interface Accepted {
  readonly steeredId: string;
  readonly steerId: string;
  readonly message: Message;
}

export interface DemoCrashOptions {
  readonly api: TroupeApi;
  readonly server: DemoServer;
  readonly record: DemoRecord;
  readonly watch: DemoWatch;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Far more than the story has. */
const PAGE = 100;
/** Places and leases are given back just after a task has ended. */
const SETTLE_MS = 2_000;
const SETTLE_STEP_MS = 50;
const REPLAY_MS = 10_000;

export class DemoCrash implements Crash {
  readonly #options: DemoCrashOptions;
  readonly #streamed: StoredEvent[] = [];
  #gaps = 0;
  #before: Standing | null = null;
  #after: Standing | null = null;
  #kill: Kill | null = null;
  #steeredId = "";
  /** On the monotonic clock. */
  #killedAt: number | null = null;
  #firstTokenMs: number | null = null;

  constructor(options: DemoCrashOptions) {
    this.#options = options;
    options.watch.onFrame((frame) => this.#see(frame));
  }

  async prepare(): Promise<void> {
    this.#before = await this.#standing();
  }

  async strike({ steeredId, steerId, message }: Accepted): Promise<void> {
    const { server, record, watch, clock, signal } = this.#options;
    this.#steeredId = steeredId;
    const [underWay, { pid }] = await Promise.all([
      this.#underWay({ steeredId, steerId, message }),
      server.life(),
    ]);
    const at = clock.now();
    const since = clock.monotonic();
    this.#killedAt = since;
    const dying = server.kill();
    record.died(`${timeOf(at)} UTC, pid ${pid}. ${wordsOf(underWay)}`);
    watch.changed();
    await dying;
    const { pid: nextPid } = await server.start(signal);
    const downMs = clock.monotonic() - since;
    this.#kill = { pid, nextPid, at, downMs, firstTokenMs: null, underWay };
    record.note(
      `started again as pid ${nextPid} on the same store and port; it serves after ${duration(downMs)}`,
    );
    this.#after = await this.#standing();
    const same = this.#after.tasks.filter(({ taskId }) =>
      this.#before?.tasks.some((task) => task.taskId === taskId),
    );
    record.note(
      `${same.length} of ${this.#before?.tasks.length} are there, the conversation and its tasks, by the same ids`,
    );
    watch.changed();
  }

  /** What came of it. Contract: never rejects; what cannot be asked is a fact that does not hold. */
  async judge(): Promise<CrashReport> {
    try {
      const never = this.#killedAt === null;
      const why = never
        ? "the story did not come to the kill"
        : "the server was killed, and none came after it";
      return crashReportOf((await this.#evidence()) ?? why);
    } catch (error) {
      return crashReportOf(messageOf(error));
    }
  }

  #see(frame: EventFrame): void {
    if (frame.kind === "gap") this.#gaps += 1;
    if (frame.kind === "event") this.#streamed.push(frame.event);
    if (frame.kind !== "delta" || this.#killedAt === null || this.#firstTokenMs !== null) return;
    // The stream ended with the server: what comes now was written after.
    if (this.#options.server.awaySince !== null) return;
    this.#firstTokenMs = this.#options.clock.monotonic() - this.#killedAt;
    this.#options.record.note(`a model writes again ${duration(this.#firstTokenMs)} after the kill`);
  }

  async #standing(): Promise<Standing> {
    const { api } = this.#options;
    const tasks = await this.#tasks();
    const ended = tasks.filter(({ state }) => isTerminal(state));
    const results = ended.map(async ({ taskId }) => ({
      taskId,
      sha256: sha256(JSON.stringify(toWire(await api.collect(taskId, { timeoutMs: 0 })))),
    }));
    return {
      tasks: tasks.map(({ taskId, goal }) => ({ taskId, goal })),
      results: await Promise.all(results),
    };
  }

  async #tasks(): Promise<readonly TaskView[]> {
    const { api, record } = this.#options;
    return (await api.list({ rootId: record.sessionId, limit: PAGE })).items;
  }

  async #underWay({ steeredId, steerId, message }: Accepted): Promise<UnderWay> {
    const { api, record } = this.#options;
    const [[tree], steered] = await Promise.all([api.tree(record.sessionId), api.check(steeredId)]);
    const children = tree?.children ?? [];
    const nodes: readonly TreeNode[] = tree ? [tree, ...children] : [];
    const receipt = steered.steers.find((steer) => steer.steerId === steerId);
    return {
      atWork: children.filter(({ state }) => !isTerminal(state)).map(({ taskId }) => taskId),
      generating: nodes.filter(({ phase }) => phase === "generating").map(({ taskId }) => taskId),
      done: children.filter(({ state }) => state === "done").map(({ taskId }) => taskId),
      steer: { steerId, taskId: steeredId, state: receipt?.state ?? "unknown" },
      message: { messageId: message.id, isAnswered: message.answeredAt !== null },
    };
  }

  async #evidence(): Promise<CrashEvidence | null> {
    const { api, record } = this.#options;
    const { sessionId } = record;
    if (this.#kill === null || this.#before === null || this.#after === null) return null;
    const left = await this.#left();
    return {
      sessionId,
      durability: (await api.status()).durability,
      kill: { ...this.#kill, firstTokenMs: this.#firstTokenMs },
      before: this.#before,
      after: this.#after,
      end: await this.#standing(),
      streamed: this.#streamed,
      gaps: this.#gaps,
      stored: await this.#stored(),
      parentRows: await this.#rows(sessionId),
      steeredRows: await this.#rows(this.#steeredId),
      left,
    };
  }

  /** What still runs; looked at until nothing does, or for `SETTLE_MS`. The session itself stays, and listens. */
  async #left(): Promise<CrashEvidence["left"]> {
    const { api, record, clock } = this.#options;
    for (let waited = 0; ; waited += SETTLE_STEP_MS) {
      const [tasks, gpus] = await Promise.all([this.#tasks(), api.gpus()]);
      const lanes = gpus.flatMap(({ backends }) => backends);
      const living = tasks.filter(({ taskId, state }) => taskId !== record.sessionId && !isTerminal(state));
      const sum = (of: (lane: (typeof lanes)[number]) => readonly unknown[]): number =>
        lanes.reduce((total, lane) => total + of(lane).length, 0);
      const left = {
        tasks: living.map(({ taskId }) => taskId),
        leases: sum(({ leases }) => leases),
        waiting: sum(({ waiting }) => waiting),
        places: sum(({ places }) => places),
      };
      const isSettled = left.tasks.length + left.leases + left.waiting + left.places === 0;
      if (isSettled || waited >= SETTLE_MS) return left;
      await delay(clock, SETTLE_STEP_MS);
    }
  }

  /** The log of the session's tree, read from its beginning to the last event that came by the stream. */
  async #stored(): Promise<readonly StoredEvent[]> {
    const { api, record, clock } = this.#options;
    const last = this.#streamed.at(-1)?.cursor ?? 0;
    const events: StoredEvent[] = [];
    const reading = linkedAbort();
    const late = deadline(clock, REPLAY_MS, () => reading.abort(new Error("It took too long.")));
    try {
      for await (const frame of api.events({ after: 0, rootId: record.sessionId, signal: reading.signal })) {
        if (frame.kind === "event") events.push(frame.event);
        if (frame.kind === "event" && frame.event.cursor >= last) return events;
      }
      throw new NotFoundError("events_missing", `Expected the events up to ${last}, got ${events.length}.`);
    } finally {
      late.cancel();
      reading.abort("read");
    }
  }

  async #rows(taskId: string): Promise<readonly TranscriptRow[]> {
    const rows: TranscriptRow[] = [];
    for (;;) {
      const { items } = await this.#options.api.transcript(taskId, { after: rows.at(-1)?.index ?? 0 });
      if (items.length === 0) return rows;
      rows.push(...items);
    }
  }
}

/** `03:24:29.123` */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 23);
}

function wordsOf({ atWork, generating, done, steer, message }: UnderWay): string {
  const parts = [
    `${plural(atWork.length, "child", "children")} at work`,
    `${plural(generating.length, "generation")} in flight`,
    `${done.length} done`,
    `1 steer ${steer.state}`,
    ...(message.isAnswered ? [] : ["your message without an answer"]),
  ];
  return `Under way: ${parts.join(", ")}.`;
}
