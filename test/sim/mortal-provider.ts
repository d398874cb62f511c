// The model server as one incarnation sees it: the scripted provider, with sick generations, a crash at any event, and
// a witness of what begins and ends. Its streams stop with the incarnation that reads them.

import { delay } from "../../src/base/clock.ts";
import { ProviderError } from "../../src/base/errors.ts";
import type {
  GenerateOptions,
  GenerateRequest,
  GenerationUsage,
  Provider,
  ProviderEvent,
} from "../../providers/provider.ts";
import { scripted, type ScriptedProvider } from "../../providers/scripted.ts";
import type { Step } from "../../providers/script.ts";
import { leastReserves } from "./checks-budget.ts";
import type { MortalClock } from "./clock.ts";
import type { Dice } from "./dice.ts";
import type { Fact, Move, Place } from "./facts.ts";
import { never, type Life } from "./life.ts";
import type { Seat } from "./model-memory.ts";
import { away, type ModelServer } from "./model-server.ts";
import { goalIn, type PlannedModel } from "./plan.ts";
import { drawSickness, sicken } from "./sickness.ts";

export interface MortalProviderOptions {
  readonly clock: MortalClock;
  readonly life: Life;
  readonly dice: Dice;
  readonly backend: string;
  /** What loads the models; `null` where all are always there. */
  readonly server: ModelServer | null;
  /** Tells the generations of one life apart. */
  readonly nth: () => number;
  readonly model: PlannedModel;
  /** The share of generations that go wrong now. */
  readonly sickness: () => number;
  /** The share of them that come to nothing, whatever else there is. */
  readonly poor: () => number;
  /** The share of streams that let go late when they are aborted. */
  readonly stubbornness: () => number;
  /** Longer than this after an abort nobody waits for a stream. */
  readonly patienceMs: number;
  /** Whose conversation has this goal; `null` while nobody's is known to have it. */
  readonly taskOf: (goal: string) => { readonly taskId: string; readonly session: boolean } | null;
  readonly tell: (fact: Fact) => void;
  readonly note: (text: string) => void;
}

export class MortalProvider implements Provider {
  readonly type = "scripted";
  readonly baseUrl = "scripted:";
  readonly #options: MortalProviderOptions;
  readonly #inner: ScriptedProvider;
  readonly #scenes = new Map<GenerateRequest, readonly Step[]>();
  #inFlight = 0;
  /** Milliseconds for a token, of the fastest generation so far. */
  #fastestMs = Infinity;
  /** Aborted longer than the patience ago, and still open. */
  #given = 0;

  constructor(options: MortalProviderOptions) {
    this.#options = options;
    this.#inner = scripted({
      clock: options.clock,
      reply: (request) => this.#scenes.get(request) ?? [],
    });
  }

  /** Streams that are open, but for those that nobody waits for any more. */
  get inFlight(): number {
    return this.#inFlight - this.#given;
  }

  async *generate(request: GenerateRequest, options: GenerateOptions): AsyncGenerator<ProviderEvent> {
    const { life, tell, note, taskOf } = this.#options;
    if (life.point("provider")) return yield* silence();
    options.signal.throwIfAborted();
    const about = goalIn(request);
    const task = about === null ? null : taskOf(about.goal);
    const taskId = task?.taskId ?? "nobody";
    this.#scenes.set(request, this.#stage(request, task?.session ?? true));
    this.#inFlight++;
    let retryAfterMs: number | null = null;
    let seat: Seat | null = null;
    const which = { life: life.number, taskId, nth: this.#options.nth() };
    const reserves = this.#leastFor(request);
    const place = this.#placeOf(request);
    tell({ kind: "generation.began", ...which, inFlight: this.#inFlight, reserves, place });
    try {
      seat = await this.#sit(request, taskId, options.signal);
      if (life.dead) return yield* silence();
      for await (const event of this.#inner.generate(request, options)) {
        if (life.point("provider")) return yield* silence();
        if (seat?.broken) throw away("ECONNRESET");
        if (event.type === "finished") this.#timed(event.usage);
        yield event;
      }
    } catch (thrown) {
      const isAsked = !options.signal.aborted && thrown instanceof ProviderError;
      if (isAsked) retryAfterMs = thrown.retryAfterMs ?? null;
      throw thrown;
    } finally {
      if (options.signal.aborted) {
        if (!life.dead) tell({ kind: "generation.aborted", ...which });
        await this.#linger(seat);
      }
      if (seat && !life.dead) this.#options.server?.leave(seat);
      this.#inFlight--;
      this.#scenes.delete(request);
      if (!life.dead) {
        note(`generation ends in ${about?.goal ?? "?"}`);
        tell({ kind: "generation.ended", ...which, retryAfterMs });
      }
    }
  }

  async #sit(
    { model, contextTokens }: GenerateRequest,
    taskId: string,
    signal: AbortSignal,
  ): Promise<Seat | null> {
    const { server, life } = this.#options;
    return server && server.enter({ model, contextTokens }, { asker: life.number, taskId, signal });
  }

  /** Where it is generated, and who is in its way there. */
  #placeOf({ model, contextTokens }: GenerateRequest): Place {
    const { server, life, backend } = this.#options;
    const isThere = server?.has({ model, contextTokens }) ?? true;
    const inTheWay = isThere ? [] : (server?.users(life.number, model).inTheWay ?? []);
    return { backend, model, contextTokens: contextTokens ?? null, isThere, inTheWay };
  }

  /** What budgets must have reserved for it, at the least: its answer, and the tools that it is told of. */
  #leastFor({ maxOutputTokens, tools }: GenerateRequest): ReturnType<typeof leastReserves> {
    const told = Math.floor(JSON.stringify(tools).length / 4);
    const least = leastReserves({ output: maxOutputTokens, tools: told }, this.#fastestMs);
    return this.#options.backend === "cloud" ? { ...least, gpuMs: 0 } : least;
  }

  #timed({ outputMs, outputTokens }: GenerationUsage): void {
    if (outputTokens > 0) this.#fastestMs = Math.min(this.#fastestMs, outputMs / outputTokens);
  }

  /** A socket that takes its time to close. */
  async #linger(seat: Seat | null): Promise<void> {
    const { clock, dice, stubbornness, patienceMs } = this.#options;
    if (!dice.chance(stubbornness())) return;
    const ms = dice.chance(0.2) ? 3 * patienceMs : dice.between(0, patienceMs - 200);
    // A moment earlier than whoever waits, so that the two are never taken in the wrong order.
    const most = Math.min(ms, patienceMs - 1);
    await delay(clock, most);
    if (ms === most) return;
    this.#given++;
    if (seat) seat.given = true;
    await delay(clock, ms - most);
    this.#given--;
  }

  server(signal: AbortSignal): ReturnType<Provider["server"]> {
    return this.#inner.server(signal);
  }

  async models(signal: AbortSignal): ReturnType<Provider["models"]> {
    const { server } = this.#options;
    return server ? this.#ask(() => server.listed(), signal) : this.#inner.models(signal);
  }

  describe(model: string, signal: AbortSignal): ReturnType<Provider["describe"]> {
    return this.#inner.describe(model, signal);
  }

  async loaded(signal: AbortSignal): ReturnType<Provider["loaded"]> {
    const { server } = this.#options;
    return server ? this.#ask(() => server.shown(), signal) : this.#inner.loaded(signal);
  }

  async preload(model: string, options: Parameters<Provider["preload"]>[1]): Promise<void> {
    const { server, life } = this.#options;
    const { contextTokens, signal } = options;
    if (!server) return this.#inner.preload(model, options);
    const move = { what: "load", model, contextTokens: contextTokens ?? null, inUse: [] } as const;
    await this.#move(move, () => server.load({ model, contextTokens }, { asker: life.number, signal }));
  }

  async unload(model: string, options: Parameters<Provider["unload"]>[1]): Promise<void> {
    const { server, life } = this.#options;
    if (!server) return this.#inner.unload(model, options);
    const inUse = server.users(life.number, model).own;
    const move = { what: "unload", model, contextTokens: null, inUse } as const;
    await this.#move(move, async () => server.unload(model));
  }

  async #ask<T>(question: () => T, signal: AbortSignal): Promise<T> {
    if (this.#options.life.point("provider")) return never();
    signal.throwIfAborted();
    return question();
  }

  /** Loads or unloads, with a witness of its beginning and its end. */
  async #move(move: Move, work: () => Promise<void>): Promise<void> {
    const { life, backend, tell, note } = this.#options;
    if (life.point("provider")) return never();
    const which = { life: life.number, backend, ...move };
    note(`${move.what} of ${move.model} begins`);
    tell({ kind: "move.began", ...which });
    try {
      await work();
    } finally {
      if (!life.dead) {
        note(`${move.what} of ${move.model} ends`);
        tell({ kind: "move.ended", ...which });
      }
    }
    if (life.point("provider")) return never();
  }

  #stage(request: GenerateRequest, isSession: boolean): readonly Step[] {
    const { dice, model, sickness, poor, note } = this.#options;
    const steps = model.reply(request);
    const about = goalIn(request)?.goal ?? "?";
    const ailment = dice.chance(poor()) ? "empty" : model.ailmentOf(request);
    if (ailment === null && !dice.chance(sickness())) {
      note(`generation begins in ${about}`);
      return steps;
    }
    const drawn = ailment ?? drawSickness(dice);
    note(`generation begins in ${about}, ${drawn}`);
    return sicken(steps, drawn, isSession);
  }
}

/** The stream of a dead incarnation: nothing, for ever. */
async function* silence(): AsyncGenerator<ProviderEvent> {
  yield* await never<readonly ProviderEvent[]>();
}
