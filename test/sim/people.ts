// The people of a world: they delegate, talk, look, call off and collect, at their own times, and never wait for each
// other. Who is cut off by a crash does not know what became of the call, and asks again where a key makes that safe.

import { TroupeError } from "../../src/base/errors.ts";
import type { DelegateRequest, TroupeApi } from "../../src/core/api.ts";
import type { Fact, ApiCall } from "./facts.ts";
import { goalOf } from "./plan.ts";
import { ASKED_DEEDS, wordsFor, type AskedDeed } from "./questions.ts";
import { keyOf, requestOf, type Wish } from "./wish.ts";
import type { Deed, Root } from "./world.ts";

/** The server as people reach it: what it answers, and which incarnation it is. */
export interface Server {
  readonly api: TroupeApi;
  readonly life: number;
}

export interface PeopleOptions {
  readonly roots: readonly Root[];
  /** The server, while one answers. */
  readonly server: () => Server | null;
  readonly tell: (fact: Fact) => void;
  readonly note: (text: string) => void;
  readonly serial: () => number;
  /** All tasks that were ever submitted, oldest first. */
  readonly tasks: () => readonly string[];
  /** Those that wait for somebody's answer, oldest first. */
  readonly asking: () => readonly string[];
  readonly label: (id: string) => string;
  readonly later: (ms: number, act: () => void) => void;
}

/** A watcher whose stream broke off comes back after this long. */
const WATCH_AGAIN_MS = 100;

interface Asking<T> {
  readonly name: string;
  readonly taskId: string | null;
  readonly request?: unknown;
  readonly work: (api: TroupeApi) => Promise<T>;
}

/** Paths of the plan that people's own children follow. */
export const EXTRA_PATH = "x";
const FOR_SESSIONS: ReadonlySet<string> = new Set(["message", "stop", "close"]);

export class People {
  readonly #options: PeopleOptions;
  readonly #wishes: Wish[];
  readonly #open = new Map<number, ApiCall>();
  /** Whose words begin which conversation. */
  readonly #goals = new Map<string, string>();
  #calls = 0;
  #watchedTo = 0;
  #paused = false;

  constructor(options: PeopleOptions) {
    this.#options = options;
    this.#wishes = options.roots.map((root, index) => {
      const goal = goalOf(root.plan.path, options.serial());
      return { root, index, goal, taskId: null, told: false, busy: false };
    });
  }

  /** Calls that were made to this incarnation and have not come back. */
  openCalls(life: number): readonly ApiCall[] {
    return [...this.#open.values()].filter((call) => call.life === life);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Whether everything that they wanted to begin has begun. */
  get satisfied(): boolean {
    return this.#wishes.every((wish) => wish.taskId !== null && (!wish.root.session || wish.told));
  }

  /** The session whose goal a person has told. */
  sessionOf(goal: string): string | null {
    return this.#goals.get(goal) ?? null;
  }

  /** Their calls to a dead incarnation are never answered. */
  cutOff(life: number): void {
    for (const [number, call] of this.#open) if (call.life === life) this.#open.delete(number);
    for (const wish of this.#wishes) wish.busy = false;
  }

  /** Begins, or begins again, what is due and was not acknowledged. */
  tend(nowMs: number): void {
    for (const wish of this.#wishes) {
      if (wish.root.atMs > nowMs || wish.busy || !this.#options.server()) continue;
      if (wish.taskId === null) this.#begin(wish);
      else if (wish.root.session && !wish.told) this.#talkTo(wish, wish.taskId);
    }
  }

  /** Reads all events from where the last reading broke off. */
  watch(): void {
    const { server, tell } = this.#options;
    const at = server();
    if (!at) return;
    const read = async (): Promise<void> => {
      for await (const frame of at.api.events({ after: this.#watchedTo })) {
        if (frame.kind === "delta") continue;
        const gap = frame.kind === "gap";
        const cursor = frame.kind === "gap" ? (frame.before ?? 0) - 1 : frame.event.cursor;
        this.#watchedTo = cursor;
        tell({ kind: "watched", life: at.life, cursor, gap });
      }
    };
    // A stream that breaks off is begun again where it was.
    const again = (): void => {
      this.#options.later(WATCH_AGAIN_MS, () => {
        if (server()?.life === at.life) this.watch();
      });
    };
    read().then(again, (thrown: unknown) => {
      if (!(thrown instanceof TroupeError)) tell({ kind: "unhandled", message: `events: ${String(thrown)}` });
      again();
    });
  }

  pause(paused: boolean): void {
    this.#ask({ name: "pause", taskId: null, request: paused, work: (api) => api.pause(paused) });
    this.#paused = paused;
  }

  act(deed: Deed): void {
    if (deed.kind === "pause") return this.pause(!this.#paused);
    if (deed.kind === "repeat" || deed.kind === "clash") return this.#useKeyAgain(deed);
    if (isAsked(deed.kind)) return this.#answer(deed.kind, deed.whom);
    const tasks = this.#among(deed);
    const taskId = tasks.at(-1 - (deed.whom % Math.max(1, tasks.length)));
    if (taskId === undefined) return;
    this.#actOn(taskId, deed);
  }

  /** Whom a deed may concern: what is for sessions goes to tasks only now and then, to be refused. */
  #among({ kind, whom }: Deed): readonly string[] {
    const tasks = this.#options.tasks();
    if (!FOR_SESSIONS.has(kind) || whom % 4 === 3) return tasks;
    return tasks.filter((id) => id.startsWith("ses_"));
  }

  /** Says something to one of those who ask, or calls it off. */
  #answer(kind: AskedDeed, whom: number): void {
    const asking = this.#options.asking();
    const taskId = asking[whom % Math.max(1, asking.length)];
    if (taskId === undefined) return;
    if (kind === "call_off") return this.#ask({ name: "cancel", taskId, work: (api) => api.cancel(taskId) });
    const text = wordsFor(kind, `word ${this.#options.serial()}`);
    this.#ask({ name: "answer", taskId, request: text, work: (api) => api.answer(taskId, { text }) });
  }

  say(sessionId: string, text: string): void {
    this.#ask({
      name: "message",
      taskId: sessionId,
      request: text,
      work: (api) => api.sendMessage(sessionId, { text }),
    });
  }

  close(sessionId: string): void {
    this.#ask({ name: "close", taskId: sessionId, work: (api) => api.closeSession(sessionId) });
  }

  /** Looks at a result without waiting. */
  collectNow(taskId: string): void {
    this.#ask({
      name: "collect",
      taskId,
      request: { timeoutMs: 0 },
      work: (api) => api.collect(taskId, { timeoutMs: 0 }),
    });
  }

  #actOn(taskId: string, { kind }: Deed): void {
    const serial = this.#options.serial();
    const word = `word ${serial}`;
    const ask = <T>(work: (api: TroupeApi) => Promise<T>, request?: unknown): void =>
      this.#ask({ name: kind, taskId, request, work });
    if (kind === "steer" || kind === "interrupt") {
      const request = { message: word, interrupt: kind === "interrupt", steerId: `steer_${word}` };
      // Some do not trust the line, and send the same twice.
      if (serial % 3 === 0) ask((api) => api.steer(taskId, request), request);
      return ask((api) => api.steer(taskId, request), request);
    }
    if (kind === "message") return this.say(taskId, word);
    if (kind === "cancel") return ask((api) => api.cancel(taskId));
    if (kind === "force") return ask((api) => api.cancel(taskId, { force: true }));
    if (kind === "stop") return ask((api) => api.stopSession(taskId));
    if (kind === "close") return this.close(taskId);
    if (kind === "check") return ask((api) => api.check(taskId));
    if (kind === "answer") return ask((api) => api.answer(taskId, { text: word }), word);
    if (kind === "glance") return ask((api) => api.collect(taskId, { timeoutMs: 30 }), { timeoutMs: 30 });
    if (kind === "collect") return ask((api) => api.collect(taskId), {});
    const request: DelegateRequest = {
      goal: goalOf(EXTRA_PATH, serial),
      parentId: taskId,
      ...(serial % 4 === 0 && { detached: true }),
    };
    ask((api) => api.delegate(request), request);
  }

  #useKeyAgain({ kind, whom }: Deed): void {
    const keyed = this.#wishes.filter((wish) => wish.root.keyed && wish.taskId !== null);
    const wish = keyed[whom % Math.max(1, keyed.length)];
    if (!wish) return;
    if (wish.root.session) {
      const request = { idempotencyKey: keyOf(wish), ...(kind === "clash" && { toolsets: [] }) };
      return this.#ask({ name: kind, taskId: null, request, work: (api) => api.createSession(request) });
    }
    const request = requestOf(wish);
    const asked = kind === "clash" ? { ...request, goal: `${wish.goal} or not` } : request;
    this.#ask({ name: kind, taskId: null, request: asked, work: (api) => api.delegate(asked) });
  }

  #begin(wish: Wish): void {
    wish.busy = true;
    // Without a key nobody knows whether a call that failed made a task: this one is another.
    if (!wish.root.keyed) wish.goal = goalOf(wish.root.plan.path, this.#options.serial());
    const settle = (taskId: string | null): void => {
      wish.busy = false;
      wish.taskId = taskId;
      if (taskId !== null && wish.root.session) this.#talkTo(wish, taskId);
    };
    if (wish.root.session) {
      const { budget, keyed } = wish.root;
      const request = { ...(keyed && { idempotencyKey: keyOf(wish) }), ...(budget && { budget }) };
      return this.#ask(
        { name: "session", taskId: null, request, work: (api) => api.createSession(request) },
        (answer) => settle(answer?.taskId ?? null),
      );
    }
    const request = requestOf(wish);
    this.#ask({ name: "delegate", taskId: null, request, work: (api) => api.delegate(request) }, (answer) =>
      settle(answer?.taskId ?? null),
    );
  }

  #talkTo(wish: Wish, sessionId: string): void {
    wish.busy = true;
    this.#goals.set(wish.goal, sessionId);
    const request = { text: wish.goal, messageId: `msg_goal_${wish.index}` };
    this.#ask(
      { name: "message", taskId: sessionId, request, work: (api) => api.sendMessage(sessionId, request) },
      (answer, thrown) => {
        wish.busy = false;
        // A session that somebody closed meanwhile needs no goal any more.
        wish.told = answer !== null || (thrown instanceof TroupeError && thrown.code === "task_ended");
      },
    );
  }

  #ask<T>(asking: Asking<T>, settle?: (answer: T | null, thrown: unknown) => void): void {
    const { server, tell, note, label } = this.#options;
    const at = server();
    if (!at) return settle?.(null, null);
    const { name, taskId, request } = asking;
    const call: ApiCall = { number: this.#calls++, name, taskId, life: at.life, request };
    this.#open.set(call.number, call);
    note(`call ${call.number} ${name} ${taskId === null ? "" : label(taskId)}`);
    tell({ kind: "called", call });
    // What a server would have answered after its death was never sent.
    const close = (): boolean => server()?.life === call.life && this.#open.delete(call.number);
    asking.work(at.api).then(
      (answer) => {
        if (!close()) return;
        note(`call ${call.number} returns`);
        tell({ kind: "returned", call, answer });
        settle?.(answer, null);
      },
      (thrown: unknown) => {
        if (!close()) return;
        note(`call ${call.number} throws ${thrown instanceof TroupeError ? thrown.code : String(thrown)}`);
        tell({ kind: "threw", call, thrown });
        settle?.(null, thrown);
      },
    );
  }
}

function isAsked(kind: Deed["kind"]): kind is AskedDeed {
  return (ASKED_DEEDS as readonly string[]).includes(kind);
}
