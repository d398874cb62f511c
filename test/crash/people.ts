// The people of one house: they delegate, talk, steer, call off and collect at random times while a server answers, and
// ask again for what no answer came to. They never wait for each other.

import { messageOf, TroupeError } from "../../src/base/errors.ts";
import type { DelegateRequest, SessionRequest } from "../../src/core/api.ts";
import type { HttpClient } from "../../src/http/client.ts";
import type { Dice } from "../sim/dice.ts";
import type { Ledger, Spawn } from "./ledger.ts";
import { asTask, drawPlan, goalOf } from "./plan.ts";

/** Roots that may live at once: the house is to have something to end, too. */
const MOST_LIVING = 40;
const MOST_SESSIONS = 3;
/** Pauses between two acts, at least and at most. */
export const HURRIED_MS = [1, 20] as const;
/** Calls that are under way at once. */
const MOST_OPEN = 12;

/** Answers that are honest refusals: a task that has ended, a server that stops or starts, a full inbox or queue. */
const HONEST: ReadonlySet<string> = new Set([
  "server_unreachable",
  "cancelled",
  "task_ended",
  "draining",
  "starting",
  "closed",
  "inbox_full",
  "queue_full",
]);

export interface PeopleOptions {
  readonly ledger: Ledger;
  readonly dice: Dice;
  readonly client: HttpClient;
  readonly life: number;
  /** Begins the names of their plans. */
  readonly house: string;
  readonly serial: () => number;
  readonly complain: (what: string) => void;
  /** Milliseconds between two acts, at least and at most. */
  readonly pauseMs?: () => readonly [number, number];
}

type Act = (people: People) => Promise<void>;

/** What they do, with how often. */
const ACTS: readonly (readonly [number, Act])[] = [
  [24, (people) => people.delegate()],
  [7, (people) => people.delegateBatch()],
  [6, (people) => people.openSession()],
  [12, (people) => people.talk()],
  [16, (people) => people.steer()],
  [5, (people) => people.callOff()],
  [14, (people) => people.collect()],
  [8, (people) => people.askAgain()],
  [6, (people) => people.repeat()],
  [2, (people) => people.stopSession()],
  [1, (people) => people.closeSession()],
];
const WEIGHT = ACTS.reduce((sum, [weight]) => sum + weight, 0);

export class People {
  readonly #options: PeopleOptions;
  #open = 0;

  constructor(options: PeopleOptions) {
    this.#options = options;
  }

  /** Acts until the signal aborts. Contract: never throws; calls that are under way then are left to their end. */
  async live(signal: AbortSignal): Promise<void> {
    const { dice, pauseMs } = this.#options;
    while (!signal.aborted) {
      const [least, most] = pauseMs?.() ?? HURRIED_MS;
      if (this.#open < MOST_OPEN) void this.#act();
      await new Promise((resolve) => setTimeout(resolve, dice.between(least, most)));
    }
  }

  async #act(): Promise<void> {
    const { dice, complain } = this.#options;
    let left = dice.next() * WEIGHT;
    const [, act] = ACTS.find(([weight]) => (left -= weight) < 0) ?? ACTS[0]!;
    this.#open++;
    try {
      await act(this);
    } catch (thrown) {
      const code = thrown instanceof TroupeError ? thrown.code : "";
      if (!HONEST.has(code) && !isStale(thrown))
        complain(`an unexpected answer: ${code} ${messageOf(thrown)}`);
    } finally {
      this.#open--;
    }
  }

  async delegate(): Promise<void> {
    const { ledger } = this.#options;
    if (ledger.living.size > MOST_LIVING) return;
    await this.#spawn(this.#newTask());
  }

  async delegateBatch(): Promise<void> {
    const { ledger, dice } = this.#options;
    if (ledger.living.size > MOST_LIVING) return;
    const requests = dice.several(dice.between(2, 3), () => this.#newRequest());
    await this.#spawn({ kind: "batch", requests });
  }

  async openSession(): Promise<void> {
    const { ledger, serial, house } = this.#options;
    if (ledger.sessions.size - ledger.closed.size >= MOST_SESSIONS) return;
    const request: SessionRequest = { idempotencyKey: `${house}.key.${serial()}` };
    await this.#spawn({ kind: "session", request });
  }

  async talk(): Promise<void> {
    const { ledger, dice, client, life, house, serial } = this.#options;
    const sessionId = this.#anySession();
    if (sessionId === null) return;
    const name = `${house}.${serial()}`;
    const text = dice.chance(0.5) ? goalOf(drawPlan(dice, name, 5)) : `hello ${name}`;
    const receipt = await client.sendMessage(sessionId, { text, messageId: `${name}.message` });
    ledger.tell(receipt, { text, kind: "message" }, life);
  }

  async steer(): Promise<void> {
    const { ledger, dice, client, life, house, serial } = this.#options;
    const taskId = this.#any(ledger.living);
    if (taskId === null || ledger.sessions.has(taskId)) return;
    const steerId = `${house}.${serial()}.steer`;
    const message = `mind ${steerId}`;
    const request = { message, interrupt: dice.chance(0.3), steerId };
    ledger.tell(await client.steer(taskId, request), { text: message, kind: "steer" }, life);
    if (!dice.chance(0.2)) return;
    // The same steer again: it is still one.
    const again = await client.steer(taskId, request);
    if (again.steerId !== steerId)
      this.#options.complain(`${steerId} was sent twice and became ${again.steerId}`);
  }

  async callOff(): Promise<void> {
    const { ledger, dice, client, life } = this.#options;
    const taskId = this.#any(ledger.living);
    if (taskId === null || ledger.sessions.has(taskId)) return;
    ledger.askedToStop.add(taskId);
    ledger.callOff(await client.cancel(taskId, { force: dice.chance(0.2) }), life);
  }

  async collect(): Promise<void> {
    const { ledger, dice, client } = this.#options;
    const ended = dice.chance(0.7);
    const taskId = this.#any(ended ? ledger.ends : ledger.tasks);
    if (taskId === null) return;
    await this.#collect(taskId, client, ended ? 0 : 200);
  }

  /** What got no answer, once more with the same key. */
  async askAgain(): Promise<void> {
    const { ledger, dice } = this.#options;
    const wish = ledger.wishes.length === 0 ? null : dice.pick(ledger.wishes);
    if (wish) await this.#spawn(wish);
  }

  /** What was acknowledged, once more with the same key: it must be the same task. */
  async repeat(): Promise<void> {
    const { ledger, dice } = this.#options;
    const known = [...ledger.tasks.values()];
    if (known.length > 0) await this.#spawn(dice.pick(known).spawn, true);
  }

  async stopSession(): Promise<void> {
    const { ledger, client, life } = this.#options;
    const sessionId = this.#anySession();
    if (sessionId === null) return;
    ledger.askedToStop.add(sessionId);
    ledger.callOff(await client.stopSession(sessionId), life);
  }

  async closeSession(): Promise<void> {
    const { ledger, client, life } = this.#options;
    const sessionId = this.#anySession();
    if (sessionId === null) return;
    // Asked for is not done: from here on it may be closed or not.
    ledger.closed.add(sessionId);
    ledger.askedToStop.add(sessionId);
    ledger.callOff(await client.closeSession(sessionId), life);
  }

  async #collect(taskId: string, client: HttpClient, timeoutMs: number): Promise<void> {
    const { ledger, complain } = this.#options;
    const result = await client.collect(taskId, { timeoutMs });
    if (!result.finished) return;
    const bytes = JSON.stringify(result);
    const before = ledger.results.get(taskId);
    ledger.results.set(taskId, before ?? bytes);
    if (before !== undefined && before !== bytes)
      complain(`the result of ${taskId} was ${before} and is ${bytes}`);
  }

  async #spawn(spawn: Spawn, isKnown = false): Promise<void> {
    const { ledger, client, life, complain } = this.#options;
    if (!isKnown && !ledger.wishes.includes(spawn)) ledger.wish(spawn);
    const ids = await made(client, spawn);
    for (const wrong of ledger.acknowledge(spawn, ids, life)) complain(wrong);
  }

  #newTask(): Spawn {
    const { dice, house, serial } = this.#options;
    const plan = drawPlan(dice, `${house}.${serial()}`, 7);
    const policy = dice.chance(0.1) ? (dice.chance(0.5) ? "restart" : "fail") : "resume";
    const request: DelegateRequest = {
      ...asTask(plan),
      idempotencyKey: `${plan.name}.key`,
      ...(policy !== "resume" && { onRestart: policy }),
    };
    return { kind: "task", request, plan };
  }

  #newRequest(): DelegateRequest {
    const { dice, house, serial } = this.#options;
    const plan = drawPlan(dice, `${house}.${serial()}`, 3);
    return { ...asTask(plan), idempotencyKey: `${plan.name}.key` };
  }

  #anySession(): string | null {
    const { sessions, closed } = this.#options.ledger;
    return this.#any(new Set([...sessions].filter((id) => !closed.has(id))));
  }

  #any(of: ReadonlySet<string> | ReadonlyMap<string, unknown>): string | null {
    return of.size === 0 ? null : this.#options.dice.pick([...of.keys()]);
  }
}

/**
 * Node's server answers 408 on a connection that was opened and never used; a call that is put on it in that moment gets
 * that answer, and counts as one that nobody answered.
 */
function isStale(thrown: unknown): boolean {
  return thrown instanceof TroupeError && thrown.details["status"] === 408;
}

async function made(client: HttpClient, spawn: Spawn): Promise<readonly string[]> {
  if (spawn.kind === "session") return [(await client.createSession(spawn.request)).taskId];
  if (spawn.kind === "task") return [(await client.delegate(spawn.request)).taskId];
  return (await client.delegateBatch(spawn.requests)).map(({ taskId }) => taskId);
}
