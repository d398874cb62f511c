// The model server as one incarnation sees it: the scripted provider, with sick generations, a crash at any event, and
// a witness of what begins and ends. Its streams stop with the incarnation that reads them.

import { delay } from "../../src/base/clock.ts";
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
import type { Fact } from "./facts.ts";
import { never, type Life } from "./life.ts";
import { goalIn, type PlannedModel } from "./plan.ts";
import { drawSickness, sicken } from "./sickness.ts";

export interface MortalProviderOptions {
  readonly clock: MortalClock;
  readonly life: Life;
  readonly dice: Dice;
  readonly model: PlannedModel;
  /** The share of generations that go wrong now. */
  readonly sickness: () => number;
  /** The share of streams that let go late when they are aborted. */
  readonly stubbornness: () => number;
  /** Longer than this after an abort nobody waits for a stream. */
  readonly patienceMs: number;
  /** Whose conversation has this goal; `null` while nobody's is known to have it. */
  readonly taskOf: (goal: string) => { readonly taskId: string; readonly session: boolean } | null;
  readonly tell: (fact: Fact) => void;
  readonly note: (text: string) => void;
}

/** What the script of a generation is, decided when it begins. */
interface Scene {
  readonly steps: readonly Step[];
  readonly retryAfterMs: number | null;
}

export class MortalProvider implements Provider {
  readonly type = "scripted";
  readonly baseUrl = "scripted:";
  readonly #options: MortalProviderOptions;
  readonly #inner: ScriptedProvider;
  readonly #scenes = new Map<GenerateRequest, Scene>();
  #inFlight = 0;
  /** Milliseconds for a token, of the fastest generation so far. */
  #fastestMs = Infinity;
  #begun = 0;
  /** Aborted longer than the patience ago, and still open. */
  #given = 0;

  constructor(options: MortalProviderOptions) {
    this.#options = options;
    this.#inner = scripted({
      clock: options.clock,
      reply: (request) => this.#scenes.get(request)?.steps ?? [],
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
    const name = task?.taskId ?? "nobody";
    const scene = this.#stage(request, task?.session ?? true);
    this.#scenes.set(request, scene);
    this.#inFlight++;
    let retryAfterMs: number | null = null;
    const reserves = this.#leastFor(request);
    const which = { life: life.number, taskId: name, nth: this.#begun++ };
    tell({ kind: "generation.began", ...which, inFlight: this.#inFlight, reserves });
    try {
      for await (const event of this.#inner.generate(request, options)) {
        if (life.point("provider")) return yield* silence();
        if (event.type === "finished") this.#timed(event.usage);
        yield event;
      }
    } catch (thrown) {
      if (!options.signal.aborted) retryAfterMs = scene.retryAfterMs;
      throw thrown;
    } finally {
      if (options.signal.aborted) {
        if (!life.dead) tell({ kind: "generation.aborted", ...which });
        await this.#linger();
      }
      this.#inFlight--;
      this.#scenes.delete(request);
      if (!life.dead) {
        note(`generation ends in ${about?.goal ?? "?"}`);
        tell({ kind: "generation.ended", ...which, retryAfterMs });
      }
    }
  }

  /** What budgets must have reserved for it, at the least: its answer, and the tools that it is told of. */
  #leastFor({ maxOutputTokens, tools }: GenerateRequest): ReturnType<typeof leastReserves> {
    const told = Math.floor(JSON.stringify(tools).length / 4);
    return leastReserves({ output: maxOutputTokens, tools: told }, this.#fastestMs);
  }

  #timed({ outputMs, outputTokens }: GenerationUsage): void {
    if (outputTokens > 0) this.#fastestMs = Math.min(this.#fastestMs, outputMs / outputTokens);
  }

  /** A socket that takes its time to close. */
  async #linger(): Promise<void> {
    const { clock, dice, stubbornness, patienceMs } = this.#options;
    if (!dice.chance(stubbornness())) return;
    const ms = dice.chance(0.2) ? 3 * patienceMs : dice.between(0, patienceMs - 200);
    // A moment earlier than whoever waits, so that the two are never taken in the wrong order.
    const most = Math.min(ms, patienceMs - 1);
    await delay(clock, most);
    if (ms === most) return;
    this.#given++;
    await delay(clock, ms - most);
    this.#given--;
  }

  server(signal: AbortSignal): ReturnType<Provider["server"]> {
    return this.#inner.server(signal);
  }

  models(signal: AbortSignal): ReturnType<Provider["models"]> {
    return this.#inner.models(signal);
  }

  describe(model: string, signal: AbortSignal): ReturnType<Provider["describe"]> {
    return this.#inner.describe(model, signal);
  }

  loaded(signal: AbortSignal): ReturnType<Provider["loaded"]> {
    return this.#inner.loaded(signal);
  }

  preload(model: string, options: Parameters<Provider["preload"]>[1]): Promise<void> {
    return this.#inner.preload(model, options);
  }

  unload(model: string, options: Parameters<Provider["unload"]>[1]): Promise<void> {
    return this.#inner.unload(model, options);
  }

  #stage(request: GenerateRequest, isSession: boolean): Scene {
    const { dice, model, sickness, note } = this.#options;
    const steps = model.reply(request);
    const about = goalIn(request)?.goal ?? "?";
    const ailment = model.ailmentOf(request);
    if (ailment === null && !dice.chance(sickness())) {
      note(`generation begins in ${about}`);
      return { steps, retryAfterMs: null };
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
