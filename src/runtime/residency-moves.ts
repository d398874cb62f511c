// Loading and unloading one model on one server, step by step: ask, then look until the server shows what was asked for.
// Each ends in a typed output, never in a wait without an end; a rejection is a defect, or the caller's abort.
//
// Ollama loads one model at a time and can hang in it for ever while it answers everything else (scheduling.md, fact
// 7): a load during which nothing in its memory moves for as long as the slowest load may take is called wedged.

import { inTime, linkedAbort } from "../base/abort.ts";
import { delay, type Clock } from "../base/clock.ts";
import { CancelledError, ProviderError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import { taggedModel } from "../core/load-profile.ts";
import type { LoadOutput, ResidencyFailure, UnloadOutput } from "../../machines/residency.ts";
import type { LoadedModelInfo, ModelInfo, Provider } from "../../providers/provider.ts";
import type { ResidencyReport } from "../scheduler/scheduler.ts";
import type { Enrolment } from "./inspection.ts";
import { findModel, findProfile, shapeOf, type Sought } from "./residency-sight.ts";

/** What the profiles of one server share; `Tenant` is one of them. */
export interface TenantServer<Tenant> {
  /** The client of the server; may throw ConfigError when its credential is gone. */
  readonly provider: () => Provider;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly inspection: Enrolment;
  /** How long a generation that was given up may keep its connection before its model is asked to go. */
  readonly drainMs: number;
  readonly report: (report: ResidencyReport) => void;
  /** A load is about to end, and this is what the server has in memory after it. */
  readonly onLoaded: (tenant: Tenant, models: readonly LoadedModelInfo[]) => void;
}

/** A server that does not tell within this time what it has in memory is silent. */
const LOOK_MS = 5_000;
/** Between two looks, in milliseconds: a tenth of what was waited already, within these. */
const LEAST_POLL_MS = 100;
const MOST_POLL_MS = 2_000;
/** A load that was acknowledged is shown within this time, or it went again at once. */
const SHOWN_MS = 5_000;
/** A model may take so long to go: others may be using it. The server is asked again in between. */
const UNLOAD_MS = 60_000;
const ASK_AGAIN_MS = 5_000;

/** A load without movement is wedged after a base, and the time to read the model from a slow disk. */
const LOAD_BASE_MS = 60_000;
const SLOW_DISK_BYTES_PER_MS = 100_000;
const LOAD_UNKNOWN_MS = 300_000;

/** Pauses after a failed load, doubled with each failure in a row. */
const PAUSE_MS = 5_000;
const WEDGED_PAUSE_MS = 30_000;
const LONGEST_PAUSE_MS = 600_000;

export interface Move extends Pick<Sought, "profile" | "digest"> {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Load extends Move, Sought {
  /** On disk, where somebody could tell. */
  readonly sizeBytes: number | null;
  /** Loads before this one that failed in a row. */
  readonly failures: number;
  /** How the server shows it, once it does, among all that it has in memory then; `null` when it shows nothing at all. */
  readonly onShown: (model: LoadedModelInfo | null, models: readonly LoadedModelInfo[]) => void;
}

/** `away`: nobody listens there. `silent`: it did not answer in time, or with nonsense. */
export type Look =
  | { readonly outcome: "seen"; readonly models: readonly LoadedModelInfo[] }
  | { readonly outcome: "away" | "silent" };

type Asking = Pick<Move, "provider" | "clock" | "signal">;

/** What the server has in memory now. Contract: rejects with the signal's reason alone. */
export async function look(asking: Asking): Promise<Look> {
  try {
    return { outcome: "seen", models: await ask(asking, (signal) => asking.provider.loaded(signal)) };
  } catch (thrown) {
    asking.signal.throwIfAborted();
    return { outcome: isAway(thrown) ? "away" : "silent" };
  }
}

/** Which models the server has; `null` when it does not tell. Contract: rejects with the signal's reason alone. */
export async function list(asking: Asking): Promise<readonly ModelInfo[] | null> {
  try {
    return await ask(asking, (signal) => asking.provider.models(signal));
  } catch {
    asking.signal.throwIfAborted();
    return null;
  }
}

function ask<T>({ clock, signal }: Asking, question: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const late = (): Error => new CancelledError("It took too long.");
  return inTime({ clock, ms: LOOK_MS, late, signal }, question);
}

/** How long nothing may move while a model of this size is loaded. */
export function loadLimitMs(sizeBytes: number | null): number {
  return sizeBytes === null ? LOAD_UNKNOWN_MS : LOAD_BASE_MS + sizeBytes / SLOW_DISK_BYTES_PER_MS;
}

/** Asks for the model, with the profile's options, and waits until the server shows it. */
export async function loadModel(load: Load): Promise<LoadOutput> {
  const { clock } = load;
  const startedAt = clock.monotonic();
  let last = await loadOnce(load, SHOWN_MS);
  // A connection that broke off while the server answers says no more than that it was started again.
  const isBroken = last === "away" && (await look(load)).outcome === "seen";
  if (isBroken) last = await loadOnce(load, SHOWN_MS);
  // Whoever let it go at once for another program, and shows nothing while that loads, has to load it anew when asked.
  if (last === "nothing") last = await loadOnce(load, 0);
  if (last === "away") return { outcome: "away" };
  if (last !== "nothing" && "outcome" in last) return last;
  // One that shows nothing speaks Ollama's protocol and has no such list: its word that it loaded has to do.
  const { found, models } = last === "nothing" ? { found: null, models: [] } : last;
  load.onShown(found, models);
  const tookMs = clock.monotonic() - startedAt;
  return { outcome: "loaded", vramBytes: found?.vramBytes ?? 0, tookMs };
}

/** What went wrong, or how it is shown after `shownMs` at the latest; `nothing` when no model is. */
async function loadOnce(load: Load, shownMs: number): Promise<Shown | LoadOutput | "away" | "nothing"> {
  const { provider, profile, signal } = load;
  signal.throwIfAborted();
  const abort = linkedAbort(signal);
  try {
    const asked = provider.preload(profile.model, { ...profile.runner, signal: abort.signal });
    const ended = await untilAnswered(load, asked.then(success, failure));
    signal.throwIfAborted();
    if (ended === "away") return "away";
    if (ended === "wedged") return wedged(load);
    if (ended === "silent") return failed(load, SILENT);
    if (isAway(ended.thrown)) return "away";
    if (ended.thrown !== null) return failedBy(load, ended.thrown);
    const shown = await untilShown(load, shownMs);
    return shown ?? failed(load, goneAtOnce(profile.model));
  } finally {
    abort.abort(new CancelledError("The load is over."));
    abort.release();
  }
}

/** Asks the server to let the model go, and waits until it does not show it any more. */
export async function unloadModel(move: Move): Promise<UnloadOutput> {
  const { provider, clock, profile, signal } = move;
  const startedAt = clock.monotonic();
  let askedAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const waitedMs = clock.monotonic() - startedAt;
    if (waitedMs >= UNLOAD_MS) return { outcome: "kept" };
    try {
      // Another program's request can undo the first (scheduling.md, fact 7).
      if (clock.monotonic() - askedAt >= ASK_AGAIN_MS) {
        askedAt = clock.monotonic();
        await provider.unload(profile.model, { signal });
      }
    } catch {
      // Whether it is away is what the look says.
      signal.throwIfAborted();
    }
    const seen = await look(move);
    if (seen.outcome === "away") return { outcome: "away" };
    if (seen.outcome === "seen" && !findModel(seen.models, move)) return { outcome: "gone" };
    await delay(clock, pollMs(clock.monotonic() - startedAt), signal);
  }
}

interface Answer {
  /** `null` when it was loaded. */
  readonly thrown: unknown;
}

const success = (): Answer => ({ thrown: null });
const failure = (thrown: unknown): Answer => ({ thrown });

/** Looks again and again while the server loads. */
async function untilAnswered(
  load: Load,
  asked: Promise<Answer>,
): Promise<Answer | "away" | "wedged" | "silent"> {
  const { clock, sizeBytes } = load;
  const startedAt = clock.monotonic();
  const limitMs = loadLimitMs(sizeBytes);
  let shape: string | null = null;
  let movedAt = startedAt;
  for (;;) {
    const answer = await orLater(clock, asked, pollMs(clock.monotonic() - startedAt));
    if (answer) return answer;
    const seen = await look(load);
    if (seen.outcome === "away") return "away";
    if (seen.outcome === "seen" && shapeOf(seen.models) !== shape) {
      shape = shapeOf(seen.models);
      movedAt = clock.monotonic();
    }
    if (clock.monotonic() - movedAt < limitMs) continue;
    return seen.outcome === "seen" ? "wedged" : "silent";
  }
}

interface Shown {
  readonly found: LoadedModelInfo;
  readonly models: readonly LoadedModelInfo[];
}

/** `null` when it is not shown in time; `nothing` when no model was shown in all that time. */
async function untilShown(load: Load, mostMs: number): Promise<Shown | "away" | "nothing" | null> {
  const { clock, signal } = load;
  const startedAt = clock.monotonic();
  let [isFirst, isEmpty] = [true, true];
  for (;;) {
    const seen = await look(load);
    if (seen.outcome === "away") return "away";
    const models = seen.outcome === "seen" ? seen.models : [];
    // A server may show another context than ours at once; what comes later with another one is somebody else's.
    const found = isFirst ? findModel(models, load) : findProfile(models, load);
    if (found) return { found, models };
    isFirst &&= seen.outcome !== "seen";
    isEmpty &&= seen.outcome === "seen" && models.length === 0;
    if (clock.monotonic() - startedAt >= mostMs) return isEmpty ? "nothing" : null;
    await delay(clock, LEAST_POLL_MS, signal);
  }
}

/** What the promise comes to, or nothing when it has not come to anything after `ms`. */
async function orLater<T>(clock: Clock, promise: Promise<T>, ms: number): Promise<T | undefined> {
  const pause = new AbortController();
  const later = delay(clock, ms, pause.signal).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([promise, later]);
  } finally {
    pause.abort(new CancelledError("It came earlier."));
  }
}

function pollMs(waitedMs: number): number {
  return Math.min(MOST_POLL_MS, Math.max(LEAST_POLL_MS, Math.round(waitedMs / 10)));
}

/** Nobody listens there, or the connection broke; a server that answers with an error of its own is there. */
function isAway(thrown: unknown): boolean {
  return thrown instanceof ProviderError && thrown.providerKind === "network" && thrown.status === undefined;
}

/** The pause after so many failures in a row and one more. */
function pauseMs(firstMs: number, failures: number): number {
  return Math.min(LONGEST_PAUSE_MS, firstMs * 2 ** failures);
}

function failed({ failures }: Load, reason: ResidencyFailure, retryAfterMs = 0): LoadOutput {
  const retryInMs = Math.max(retryAfterMs, pauseMs(PAUSE_MS, failures));
  return { outcome: "failed", failure: reason, retryInMs };
}

function failedBy(load: Load, thrown: unknown): LoadOutput {
  if (!(thrown instanceof ProviderError)) throw thrown;
  const { providerKind: kind, code, message } = thrown;
  const reason = { kind, code, message };
  if (code === "model_not_found") return { outcome: "removed", failure: reason, retryInMs: 0 };
  return failed(load, reason, thrown.retryAfterMs);
}

function wedged({ profile, provider, sizeBytes, failures }: Load): LoadOutput {
  const waitedS = Math.round(loadLimitMs(sizeBytes) / 1_000);
  const message =
    `Expected ${provider.baseUrl} to load ${profile.model}, but nothing moved in its memory for ${waitedS} s while it ` +
    "answered everything else. Restart Ollama there, unless another program keeps it busy; Troupe tries again by itself.";
  return {
    outcome: "wedged",
    failure: { kind: "overloaded", code: "load_wedged", message },
    retryInMs: pauseMs(WEDGED_PAUSE_MS, failures),
  };
}

/** What stands for a model that the server lists no more. */
export function removedFailure(model: string, provider: Pick<Provider, "baseUrl">): ResidencyFailure {
  const message =
    `Expected the model ${taggedModel(model)} at ${provider.baseUrl}, but it is not there any more. ` +
    `Get it again with \`ollama pull ${model}\`, or name another.`;
  return { kind: "refused", code: "model_not_found", message };
}

const SILENT: ResidencyFailure = {
  kind: "timeout",
  code: "load_timeout",
  message:
    "Expected the model server to load the model, but it neither did nor answered what it has in memory. Look at its log; Troupe tries again by itself.",
};

function goneAtOnce(model: string): ResidencyFailure {
  const message =
    `Expected ${model} in the server's memory after it was loaded, but it went again at once. ` +
    "Another program may be loading models there; Troupe tries again by itself.";
  return { kind: "overloaded", code: "load_lost", message };
}
