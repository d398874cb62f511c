// Whom the gate refused, in the record of who did what. A row for each refusal would let a stranger fill the disk, so they
// are counted, and a minute's refusals of one kind are one row.
//
// F1. A minute has at most MAX_KINDS + 1 rows, whoever asks for whatever.
// F2. A row names no path and no header that the request chose: the route as it is declared, and the code.

import { matchedRoutes } from "hono/route";
import type { Context } from "hono";
import type { Clock, Timer } from "../base/clock.ts";
import type { Caller } from "../core/api.ts";
import { actorOf, type Audit, type AuditNote } from "../core/audit.ts";

export const REFUSALS_MS = 60_000;
/** Kinds of refusal that get a row of their own; the others share one. */
export const MAX_KINDS = 16;

/** What the gate says no with. The API's own refusals of commands are noted with the commands. */
const CODES: ReadonlySet<string> = new Set([
  "unauthorized",
  "forbidden_host",
  "forbidden_origin",
  "insufficient_scope",
  "rate_limited",
  "too_many_sockets",
]);

export interface Refused {
  /** `null` for somebody without a token that is known. */
  readonly caller: Caller | null;
  /** As `routeOf` gives it. */
  readonly route: string;
  readonly code: string;
}

interface Kind extends Refused {
  count: number;
}

/** Which route a request was for: method and path as declared, so that they are few. Contract: never throws. */
export function routeOf(c: Context): string {
  const route = matchedRoutes(c).findLast(({ method }) => method !== "ALL");
  return route ? `${route.method} ${route.path}` : "no route";
}

export class Refusals {
  readonly #audit: Pick<Audit, "note">;
  readonly #clock: Clock;
  readonly #kinds = new Map<string, Kind>();
  /** Of kinds beyond those. */
  #others = 0;
  #timer: Timer | null = null;

  constructor(audit: Pick<Audit, "note">, clock: Clock) {
    this.#audit = audit;
    this.#clock = clock;
  }

  /** Counts one; codes that are not the gate's are passed over. Contract: never throws. */
  count(refused: Refused): void {
    const { caller, route, code } = refused;
    if (!CODES.has(code)) return;
    this.#timer ??= this.#clock.after(REFUSALS_MS, () => this.#tell());
    const key = JSON.stringify([caller?.tokenId ?? caller?.name ?? null, route, code]);
    const known = this.#kinds.get(key);
    if (known) known.count += 1;
    else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(key, { ...refused, count: 1 });
    else this.#others += 1;
  }

  /** Notes what was counted and not noted yet. Contract: may be called twice. */
  close(): void {
    if (this.#timer) this.#tell();
  }

  #tell(): void {
    this.#timer?.cancel();
    this.#timer = null;
    for (const { caller, route, code, count } of this.#kinds.values()) {
      const actor = caller ? actorOf(caller) : { actor: "stranger" };
      this.#audit.note({ ...rowOf(route, code, count), ...actor });
    }
    if (this.#others > 0) this.#audit.note(rowOf(null, "other_kinds", this.#others));
    this.#kinds.clear();
    this.#others = 0;
  }
}

function rowOf(target: string | null, outcome: string, count: number): AuditNote {
  const detail = `${count} within ${REFUSALS_MS / 1000} s`;
  return { actor: "stranger", action: "gate.refuse", target, digest: null, outcome, detail };
}
