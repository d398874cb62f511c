// Model servers of this box that are away: since when, who waits for them, and the question, asked again and again, whether
// they answer. A cloud is never held to be away here: its failures are tries of whoever asked it.
//
// O1. A server is away once a question of our own was not answered either; one broken connection says nothing.
// O2. While a server is away it is asked after a second, and after twice as long each time, up to 15 s; by nobody else.
// O3. Whoever waits is woken once the server answers, also one that was still on its way into its pause.
// O4. After `close` nobody is asked or woken.

import { inTime, withSignal } from "../base/abort.ts";
import { delay, type Clock } from "../base/clock.ts";
import { CancelledError, messageOf, ProviderError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { OutageView } from "../core/box-api.ts";
import { SERVER_AWAY } from "../core/lifecycle.ts";
import type { Provider } from "../../providers/provider.ts";

/** Who has not said within this time that it is there is away. */
const ASK_MS = 5_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** One that was on its way into its pause is woken after this time. */
const WAKE_AGAIN_MS = 100;
/** A task that waits is woken when its server is back; all the same it asks by itself, seldom, and more and more so. */
const FIRST_HOLD_MS = 60_000;
const LONGEST_HOLD_MS = 600_000;

export interface OutagesOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** The client of a server on this box; `null` for a cloud's and for a backend that nobody knows. May throw. */
  readonly clientOf: (backend: string) => Pick<Provider, "server" | "baseUrl"> | null;
  /** Resolves when whoever keeps the models there knows that it is back: before anybody is woken. Never rejects. */
  readonly welcome: (backend: string) => Promise<void>;
  /** A server has gone, or is back: told before anybody who waits for it is woken. */
  readonly onChange: (backend: string, isAway: boolean) => void;
  /** A server that is away for longer holds nobody any more; `null` for ever. */
  readonly mostMs: number | null;
}

interface Outage {
  readonly since: number;
  readonly sinceMonotonic: number;
  /** Who is to be woken, by task: true when it was, or wants no waking any more. */
  readonly held: Map<string, () => boolean>;
  /** The same of who is held elsewhere, and could come here. */
  readonly others: Map<string, () => boolean>;
  readonly where: string;
}

export class Outages {
  readonly #options: OutagesOptions;
  readonly #away = new Map<string, Outage>();
  /** Questions that are under way, one for each server. */
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #closing = new AbortController();

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  isAway(backend: string): boolean {
    return this.#away.has(backend);
  }

  /** Since when, in words; `null` for a server that is not known to be away. */
  wordsOf(backend: string): string | null {
    const outage = this.#away.get(backend);
    return outage ? `${backend} at ${outage.where} has not answered since ${timeOf(outage.since)}` : null;
  }

  /** Those of these servers that are away. */
  views(backends: readonly string[]): readonly OutageView[] {
    return backends.flatMap((backend) => {
      const outage = this.#away.get(backend);
      const message = this.wordsOf(backend) as string;
      return outage ? [{ backend, since: outage.since, held: outage.held.size, message }] : [];
    });
  }

  /**
   * What a turn on this backend has to wait for, as an error that counts no try; `null` when it need not wait, or the
   * server is away for too long.
   */
  heldUp(backend: string): ProviderError | null {
    const outage = this.#away.get(backend);
    const words = this.wordsOf(backend);
    if (!outage || words === null) return null;
    const { clock, mostMs } = this.#options;
    const ageMs = clock.monotonic() - outage.sinceMonotonic;
    const leftMs = mostMs === null ? LONGEST_HOLD_MS : Math.ceil(mostMs - ageMs);
    if (leftMs <= 0) return null;
    const retryAfterMs = Math.min(leftMs, LONGEST_HOLD_MS, Math.max(FIRST_HOLD_MS, ageMs));
    const message = `${words}; held until it is back.`;
    const details = { held_up: true, backend, since: outage.since };
    return new ProviderError({ kind: "network", code: SERVER_AWAY }, message, { retryAfterMs, details });
  }

  /** Wakes a task when the server is back; it is forgotten then. Does nothing while the server is not away. */
  wakeLater(backend: string, taskId: string, wake: () => boolean): void {
    this.#away.get(backend)?.held.set(taskId, wake);
  }

  /** The same for a task that is held elsewhere, and could go on at any of these servers. */
  wakeForAny(backends: readonly string[], taskId: string, wake: () => boolean): void {
    for (const backend of backends) this.#away.get(backend)?.others.set(taskId, wake);
  }

  /** Its wait is over, however it came to that: nobody is to wake it, and nobody counts it. */
  forget(taskId: string): void {
    for (const { held, others } of this.#away.values()) {
      held.delete(taskId);
      others.delete(taskId);
    }
  }

  /**
   * Whether a generation failed because its server is away: if so it is known from now on (O1).
   * Contract: rejects with the signal's reason alone.
   */
  async suspect(backend: string, thrown: unknown, signal: AbortSignal): Promise<boolean> {
    if (!isSilence(thrown) || this.#closing.signal.aborted) return false;
    if (this.isAway(backend)) return true;
    return !(await withSignal(this.#answers(backend), signal)) && this.isAway(backend);
  }

  /**
   * Whoever looks at the server for other reasons saw that nobody listens there, or that somebody does; `askedAt` is when
   * that was asked, in monotonic milliseconds. What was asked before it went says nothing of whether it is back.
   */
  noticed(backend: string, isThere: boolean, askedAt: number): void {
    if (!isThere) return this.#gone(backend);
    if (askedAt > (this.#away.get(backend)?.sinceMonotonic ?? 0)) this.#back(backend);
  }

  close(): void {
    this.#closing.abort(new CancelledError("the runtime closes"));
    this.#away.clear();
  }

  /** Asks once; questions that come meanwhile share the answer. Never rejects. */
  #answers(backend: string): Promise<boolean> {
    const under = this.#asking.get(backend);
    if (under) return under;
    const asked = this.#ask(backend).finally(() => this.#asking.delete(backend));
    this.#asking.set(backend, asked);
    return asked;
  }

  async #ask(backend: string): Promise<boolean> {
    const { clock, clientOf } = this.#options;
    const late = (): Error =>
      new ProviderError({ kind: "timeout", code: "timeout" }, `${backend} did not answer in ${ASK_MS} ms.`);
    try {
      const client = clientOf(backend);
      if (client === null) return true;
      await inTime({ clock, ms: ASK_MS, late, signal: this.#closing.signal }, (signal) =>
        client.server(signal),
      );
      return true;
    } catch (thrown) {
      const isThere = !isSilence(thrown);
      if (!isThere) this.#gone(backend);
      return isThere;
    }
  }

  #gone(backend: string): void {
    const { clock, logger, clientOf } = this.#options;
    if (this.#closing.signal.aborted || this.isAway(backend)) return;
    let where: string;
    try {
      const client = clientOf(backend);
      if (client === null) return;
      where = client.baseUrl;
    } catch (thrown) {
      return logger.warn("a model server cannot be asked", { backend, problem: messageOf(thrown) });
    }
    const times = { since: clock.now(), sinceMonotonic: clock.monotonic() };
    this.#away.set(backend, { ...times, where, held: new Map(), others: new Map() });
    this.#options.onChange(backend, true);
    logger.warn("the model server does not answer; its tasks are held", { backend });
    // Ends with the outage, or with the runtime.
    void this.#follow(backend).catch(() => {});
  }

  /** Keeps O2. */
  async #follow(backend: string): Promise<void> {
    const { clock, welcome } = this.#options;
    const { signal } = this.#closing;
    const outage = this.#away.get(backend);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(LONGEST_PAUSE_MS, 2 * pauseMs)) {
      await delay(clock, pauseMs, signal);
      if (this.#away.get(backend) !== outage) return;
      const isThere = await this.#answers(backend);
      signal.throwIfAborted();
      if (!isThere) continue;
      await welcome(backend);
      return this.#back(backend);
    }
  }

  #back(backend: string): void {
    const outage = this.#away.get(backend);
    if (!outage) return;
    const { clock, logger } = this.#options;
    const awayMs = Math.round(clock.monotonic() - outage.sinceMonotonic);
    this.#away.delete(backend);
    logger.info("the model server is back", { backend, awayMs, held: outage.held.size });
    this.#options.onChange(backend, false);
    this.#wake([...outage.held.values(), ...outage.others.values()]);
  }

  /** Keeps O3. */
  #wake(held: readonly (() => boolean)[]): void {
    if (this.#closing.signal.aborted) return;
    const early = held.filter((wake) => !wake());
    if (early.length === 0) return;
    void delay(this.#options.clock, WAKE_AGAIN_MS, this.#closing.signal).then(
      () => this.#wake(early),
      () => {},
    );
  }
}

/** What is about our own config or the request, or was never sent, and no silence. */
const SAID: ReadonlySet<string> = new Set(["tls", "server_error", SERVER_AWAY]);

/** Nobody listened, or the connection broke, or nothing came in time; a server that says no has answered. */
function isSilence(thrown: unknown): boolean {
  if (!(thrown instanceof ProviderError) || thrown.status !== undefined || SAID.has(thrown.code))
    return false;
  return thrown.providerKind === "network" || thrown.providerKind === "timeout";
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
