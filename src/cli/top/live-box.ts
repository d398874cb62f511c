// What `top` knows of a box: its tree, lanes and needs, looked at when something happens and now and then, and patched by
// events in between. Says honestly how old its knowledge is.
//
// L1. Looks follow each other with a rest that grows with what they cost, so that a large box is not kept busy by being
//     watched.
// L2. Nobody answering ends nothing: it goes on trying, and `liveness` says since when what is known is old.
// L3. An error that trying again does not mend ends `run`.

import { linkedAbort } from "../../base/abort.ts";
import { delay, type Clock } from "../../base/clock.ts";
import { toTroupeError, type TroupeError } from "../../base/errors.ts";
import type { TroupeApi, TreeNode } from "../../core/api.ts";
import type { BoxStatus, GpuView, ProviderView } from "../../core/box-api.ts";
import type { StoredEvent } from "../../core/event.ts";
import { ChangeBell } from "../change-bell.ts";
import type { Liveness } from "./frame.ts";
import { patched } from "./patches.ts";

export interface LiveBoxOptions {
  readonly api: TroupeApi;
  readonly clock: Clock;
  /** Only this tree; absent shows all. */
  readonly rootId?: string;
  /** Something to show has changed. */
  readonly onChange: () => void;
}

const LEAST_REST_MS = 250;
/** A look may take one part in so many of the time. */
const REST_FACTOR = 4;
/** Nothing is told of a place in a queue that moved, so it is looked at now and then. */
const LOOK_AGAIN_MS = 2_000;
/** Model servers are asked for this. */
const PROVIDERS_EVERY_MS = 15_000;
/** A look that takes longer than this leaves what is shown old. */
const SLOW_MS = 5_000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 5_000;

/** Errors that the next try may not meet. */
function passes(error: TroupeError): boolean {
  return (
    error.code === "server_unreachable" || ["limit", "store", "internal", "cancelled"].includes(error.kind)
  );
}

export class LiveBox {
  readonly #options: LiveBoxOptions;
  readonly #bell = new ChangeBell();
  #nodes: readonly TreeNode[] = [];
  #gpus: readonly GpuView[] = [];
  #providers: readonly ProviderView[] = [];
  #status: BoxStatus | null = null;
  /** The last event of each task since the look that is shown began. */
  #patches = new Map<string, StoredEvent>();
  /** Wall time of the last whole look; `null` before the first. */
  #seenAt: number | null = null;
  #lookingSince: number | null = null;
  #trouble: string | null = null;
  #providersAt = -Infinity;

  constructor(options: LiveBoxOptions) {
    this.#options = options;
  }

  get nodes(): readonly TreeNode[] {
    return patched(this.#nodes, this.#patches);
  }

  get gpus(): readonly GpuView[] {
    return this.#gpus;
  }

  get providers(): readonly ProviderView[] {
    return this.#providers;
  }

  get status(): BoxStatus | null {
    return this.#status;
  }

  /** Keeps L2. */
  get liveness(): Liveness {
    const { clock } = this.#options;
    const slow = this.#lookingSince !== null && clock.monotonic() - this.#lookingSince > SLOW_MS;
    if (this.#seenAt === null) return { kind: "connecting" };
    if (this.#trouble !== null) return { kind: "lost", since: this.#seenAt, why: this.#trouble };
    if (slow) return { kind: "lost", since: this.#seenAt, why: "The server takes long to answer." };
    return { kind: "live" };
  }

  /** Looks again soon, whatever happened. */
  lookSoon(): void {
    this.#bell.ring();
  }

  /** Looks until the signal aborts. Contract: throws the TroupeErrors of L3, and that of the first look. */
  async run(signal: AbortSignal): Promise<void> {
    const link = linkedAbort(signal);
    const listening = this.#listen(link.signal);
    try {
      let retryMs = FIRST_RETRY_MS;
      while (!signal.aborted) {
        this.#bell.quiet();
        const tookMs = await this.#look(signal);
        if (tookMs === null) {
          await delay(this.#options.clock, retryMs, signal).catch(() => {});
          retryMs = Math.min(LONGEST_RETRY_MS, retryMs * 2);
          continue;
        }
        retryMs = FIRST_RETRY_MS;
        // Keeps L1.
        await delay(this.#options.clock, Math.max(LEAST_REST_MS, tookMs * REST_FACTOR), signal).catch(
          () => {},
        );
        await this.#untilRung(signal);
      }
    } finally {
      link.abort("left");
      link.release();
      await listening;
    }
  }

  async #untilRung(signal: AbortSignal): Promise<void> {
    const again = linkedAbort(signal);
    const later = delay(this.#options.clock, LOOK_AGAIN_MS, again.signal).catch(() => {});
    await Promise.race([this.#bell.wait(), later]);
    again.abort("rung");
    again.release();
  }

  /** How long the look took; `null` when nobody answered. Contract: throws the errors of L3, and any at first. */
  async #look(signal: AbortSignal): Promise<number | null> {
    const { api, clock, rootId, onChange } = this.#options;
    const since = clock.monotonic();
    this.#lookingSince = since;
    // What comes while the look is under way may be newer than the look.
    const before = this.#patches;
    const during = new Map<string, StoredEvent>();
    this.#patches = new Map(before);
    this.#during = during;
    try {
      const asksProviders = since - this.#providersAt >= PROVIDERS_EVERY_MS;
      const [nodes, gpus, status, providers] = await Promise.all([
        api.tree(rootId),
        api.gpus(),
        api.status(),
        asksProviders ? api.providers() : this.#providers,
      ]);
      if (asksProviders) this.#providersAt = since;
      this.#nodes = nodes;
      this.#gpus = gpus;
      this.#status = status;
      this.#providers = providers;
      this.#patches = during;
      this.#seenAt = clock.now();
      this.#trouble = null;
      return clock.monotonic() - since;
    } catch (thrown) {
      const error = toTroupeError(thrown);
      if (signal.aborted) return 0;
      if (this.#seenAt === null || !passes(error)) throw error;
      this.#trouble = error.message;
      return null;
    } finally {
      this.#during = null;
      this.#lookingSince = null;
      onChange();
    }
  }

  /** The events since the look under way began. */
  #during: Map<string, StoredEvent> | null = null;

  #take(event: StoredEvent): void {
    this.#patches.set(event.taskId, event);
    this.#during?.set(event.taskId, event);
    this.#bell.ring();
    this.#options.onChange();
  }

  /** Contract: never rejects; the looks tell what is wrong. */
  async #listen(signal: AbortSignal): Promise<void> {
    const { api, clock, rootId } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const frame of api.events({ signal, ...(rootId !== undefined && { rootId }) })) {
          if (frame.kind === "event") this.#take(frame.event);
          else this.#bell.ring();
        }
      } catch {
        // The stream has given up; looks go on, and so does trying.
      }
      await delay(clock, LONGEST_RETRY_MS, signal).catch(() => {});
    }
  }
}
