// Fetches one page for a model: each hop is checked anew and goes to the very address that was checked; nothing of one
// hop (cookies, credentials, referrer) reaches the next. What comes back is bytes with their type, cut at the caps.
//
// F1. One resolution for each hop, and the connection goes to what it said.
// F2. At most MAX_REDIRECTS hops more, none from https to http.
// F3. Everything together, resolution included, ends within the time limit.

import { inTime, withSignal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, ToolError } from "../base/errors.ts";
import type { PinnedHttp, PinnedResponse } from "../base/pinned-http.ts";
import type { ResolveName } from "../base/resolver.ts";
import { readBody, type Body } from "./web-body.ts";
import { addressesOf, checkUrl, refuse, type WebPolicy } from "./web-guard.ts";

export const MAX_REDIRECTS = 5;
/** Addresses of one name that are tried when the first does not answer. */
const MAX_ADDRESSES = 3;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** What the web toolset reaches the web with. */
export interface WebReach {
  readonly policy: WebPolicy;
  readonly resolve: ResolveName;
  readonly request: PinnedHttp;
  /** Bytes of one body, packed and unpacked (`tools.web.max_bytes`). */
  readonly maxBytes: number;
  /** For one call with all its hops (`tools.web.timeout_s`). */
  readonly timeoutMs: number;
  readonly userAgent: string;
}

export interface Fetched extends Body {
  /** Where the hops ended. */
  readonly url: URL;
  readonly status: number;
  /** As the server names it, with its parameters; empty when it names none. */
  readonly contentType: string;
}

export interface FetchLimits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Contract: throws ToolError for what was refused (as `checkUrl`, `addressesOf` and `readBody` do), `redirect_refused`,
 * `too_many_redirects`, `too_slow` or `web_failed`, and the signal's reason when it aborts.
 */
export function fetchPage(text: string, reach: WebReach, { clock, signal }: FetchLimits): Promise<Fetched> {
  const first = checkUrl(text, reach.policy);
  return limited(first, { clock, signal, timeoutMs: reach.timeoutMs }, async (within) => {
    let url = first;
    for (let hops = 0; ; hops += 1) {
      const addresses = await withSignal(addressesOf(url, reach), within);
      const answer = await firstAnswer(url, addresses, { reach, signal: within });
      try {
        const next = nextHop(url, answer, reach.policy);
        if (next === null) return { ...(await readBody(answer, reach.maxBytes)), ...head(url, answer) };
        if (hops === MAX_REDIRECTS) {
          throw refuse(
            "too_many_redirects",
            `Expected a page after at most ${MAX_REDIRECTS} redirects, got one more.`,
          );
        }
        url = next;
      } finally {
        answer.close();
      }
    }
  });
}

/** The same for a server that the operator named: no redirect, and its address is the operator's affair. */
export function askServer(url: URL, reach: WebReach, { clock, signal }: FetchLimits): Promise<Fetched> {
  return limited(url, { clock, signal, timeoutMs: reach.timeoutMs }, async (within) => {
    const host = url.hostname.replaceAll(/[[\]]/g, "");
    const found = await withSignal(reach.resolve(host), within);
    const answer = await firstAnswer(url, found, { reach, signal: within });
    try {
      return { ...(await readBody(answer, reach.maxBytes)), ...head(url, answer) };
    } finally {
      answer.close();
    }
  });
}

/** Keeps F3, and gives what the network throws a name. */
async function limited<T>(
  url: URL,
  { clock, signal, timeoutMs }: FetchLimits & Pick<WebReach, "timeoutMs">,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = (): ToolError =>
    refuse(
      "too_slow",
      `${url.host} did not give its page within ${timeoutMs / 1000} s (tools.web.timeout_s in the config).`,
    );
  const limit = { clock, ms: timeoutMs, late, signal };
  return inTime(limit, async (within) => {
    try {
      return await work(within);
    } catch (error) {
      if (within.aborted) throw within.reason;
      if (error instanceof ToolError) throw error;
      throw refuse("web_failed", `${url.host} could not be read: ${messageOf(error).slice(0, 300)}`);
    }
  });
}

async function firstAnswer(
  url: URL,
  addresses: readonly string[],
  { reach, signal }: { readonly reach: WebReach; readonly signal: AbortSignal },
): Promise<PinnedResponse> {
  let failure: unknown = new Error("its name has no address");
  for (const address of addresses.slice(0, MAX_ADDRESSES)) {
    try {
      return await reach.request({ url, address, signal, headers: headersOf(reach) });
    } catch (error) {
      if (signal.aborted) throw error;
      failure = error;
    }
  }
  throw failure;
}

function headersOf({ userAgent }: WebReach): Readonly<Record<string, string>> {
  return {
    "user-agent": userAgent,
    accept: "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
    "accept-encoding": "gzip",
  };
}

function head(url: URL, { status, headers }: PinnedResponse): Omit<Fetched, keyof Body> {
  return { url, status, contentType: headers["content-type"] ?? "" };
}

/** Keeps F2; `null` for an answer that leads nowhere else. */
function nextHop(from: URL, { status, headers }: PinnedResponse, policy: WebPolicy): URL | null {
  const { location } = headers;
  if (!REDIRECTS.has(status) || location === undefined) return null;
  const to = checkUrl(location, policy, from);
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw refuse(
      "redirect_refused",
      `${from.host} led from https to http (${to.host}); that way is not taken.`,
    );
  }
  return to;
}
