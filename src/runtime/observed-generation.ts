// A provider's generations, accompanied: each counts as a use of its model from the request to the closed connection,
// and what it cost is told to the scheduler afterwards. It changes no event and no error.

import type {
  GenerateOptions,
  GenerateRequest,
  GenerationUsage,
  Provider,
  ProviderEvent,
} from "../../providers/provider.ts";
import type { Clock } from "../base/clock.ts";
import { ProviderError } from "../base/errors.ts";
import { profileKey } from "../core/load-profile.ts";
import type { ModelRef } from "../core/task.ts";
import type { GenerationSample, Scheduler } from "../scheduler/scheduler.ts";
import type { Residency } from "./residency.ts";

/** Whose generation it is, and with which model. */
export interface Generating {
  readonly id: string;
  readonly parentId: string | null;
  readonly model: ModelRef;
  /** `Lease.inFlight` of the lease that it runs under. */
  readonly inFlight: number;
}

export interface Observers {
  readonly clock: Clock;
  readonly residency: Pick<Residency, "enter" | "profileOf">;
  readonly scheduler: Pick<Scheduler, "observe">;
}

/** Contract: throws what the provider throws, and ProviderError where the model cannot be had now. */
export function observed(
  provider: Pick<Provider, "generate">,
  who: Generating,
  observers: Observers,
): Pick<Provider, "generate"> {
  return { generate: (request, options) => accompany({ provider, who, observers, request, options }) };
}

interface Accompanied {
  readonly provider: Pick<Provider, "generate">;
  readonly who: Generating;
  readonly observers: Observers;
  readonly request: GenerateRequest;
  readonly options: GenerateOptions;
}

async function* accompany(accompanied: Accompanied): AsyncGenerator<ProviderEvent> {
  const { provider, who, observers, request, options } = accompanied;
  const { clock, residency } = observers;
  const use = residency.enter(who.model);
  const startedAt = clock.monotonic();
  let firstTokenMs: number | null = null;
  let usage: GenerationUsage | null = null;
  let failure: unknown = null;
  try {
    for await (const event of provider.generate(request, options)) {
      if (event.type === "finished") usage = event.usage;
      else if (event.type !== "started") firstTokenMs ??= clock.monotonic() - startedAt;
      yield event;
    }
  } catch (thrown) {
    failure = thrown;
    throw thrown;
  } finally {
    use.end(failure ?? undefined);
    const outcome = outcomeOf({ usage, failure, aborted: options.signal.aborted });
    const elapsedMs = clock.monotonic() - startedAt;
    const figures = figuresOf(usage, elapsedMs);
    const { id: taskId, parentId, model, inFlight } = who;
    const about = {
      backend: model.backend,
      profile: profileKey(residency.profileOf(model)),
      taskId,
      parentId,
    };
    observers.scheduler.observe({ ...about, outcome, ...figures, firstTokenMs, inFlight });
  }
}

/** Memory that ran out has no code of its own in any protocol: the server's words tell it. */
const OUT_OF_MEMORY = /out of memory|cudaMalloc|requires more (system )?memory/i;

/** What a generation came to, for whoever adapts to it. A reader that left before the end has called it off. */
export function outcomeOf(end: {
  readonly usage: GenerationUsage | null;
  readonly failure: unknown;
  readonly aborted: boolean;
}): GenerationSample["outcome"] {
  const { usage, failure, aborted } = end;
  if (usage !== null) return "ok";
  if (aborted || failure === null) return "aborted";
  if (!(failure instanceof ProviderError)) return "error";
  // Ours to wait for (a key, a model): nothing was sent.
  if ("held_up" in failure.details) return "aborted";
  if (OUT_OF_MEMORY.test(failure.message)) return "oom";
  const { providerKind } = failure;
  if (providerKind === "overloaded" || providerKind === "rate_limited") return "busy";
  return providerKind === "timeout" ? "timeout" : "error";
}

type Figures = Pick<
  GenerationSample,
  "waitMs" | "loadMs" | "promptMs" | "outputMs" | "promptTokens" | "outputTokens" | "totalMs"
>;

/** The server's figures; what it does not tell is 0, but for the total, which our clock knows too. */
export function figuresOf(usage: GenerationUsage | null, elapsedMs: number): Figures {
  const { loadMs = 0, promptMs = 0, outputMs = 0, promptTokens = 0, outputTokens = 0 } = usage ?? {};
  const told = usage?.totalMs ?? 0;
  // What is in none of its parts was the wait for a slot of the server's own (scheduling.md, fact 17).
  const waitMs = told > 0 ? Math.max(0, told - loadMs - promptMs - outputMs) : 0;
  return {
    waitMs,
    loadMs,
    promptMs,
    outputMs,
    promptTokens,
    outputTokens,
    totalMs: told > 0 ? told : elapsedMs,
  };
}
