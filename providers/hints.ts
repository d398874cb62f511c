// When a server wants to be asked again, and how much of its limits is left: read from headers and words of the many
// dialects there are. Pure. What makes no sense is ignored, nothing is longer than a day, and absolute times are
// compared with the server's own clock where it tells it, so that a clock that is wrong on either side does no harm.

import type { LimitScope } from "../src/base/errors.ts";
import type { RateWindow } from "../src/core/rate-limits.ts";

const DAY_MS = 86_400_000;
/** A number of seconds this large is a date since 1970, and one of milliseconds from here on. */
const EPOCH_S = 1_000_000_000;
const EPOCH_MS = EPOCH_S * 1000;

/** What was answered, as far as it can hold hints. */
export interface Hinting {
  readonly headers?: Headers;
  /** The server's words, with the machine-readable ones among them. */
  readonly text: string;
  /** Our wall clock when the answer came, in milliseconds. */
  readonly now: number;
}

/**
 * Milliseconds until the server wants to be asked again, within 0 and a day; nothing when it does not say. The first
 * that makes sense counts: `retry-after-ms`, `retry-after`, the limits of Anthropic's headers that are used up, those
 * of `x-ratelimit-*`, the words of the body. Never throws.
 */
export function waitHint({ headers, text, now }: Hinting): number | undefined {
  if (headers === undefined) return waitInWords(text, now);
  return (
    retryAfter(headers, now) ??
    usedUpFor(rateWindows(headers, now)) ??
    waitInWords(text, serverNow(headers, now))
  );
}

/** Milliseconds from `retry-after-ms`, or from `retry-after` in seconds or as a date; within 0 and a day. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const exact = clamp(plainNumber(headers.get("retry-after-ms")));
  if (exact !== undefined) return exact;
  return resetIn(headers.get("retry-after"), serverNow(headers, now));
}

/** The longest reset of those limits that are used up; nothing where none is. */
function usedUpFor(windows: readonly RateWindow[]): number | undefined {
  const resets = windows.flatMap(({ remaining, resetMs }) =>
    remaining <= 0 && resetMs !== null ? [resetMs] : [],
  );
  return resets.length === 0 ? undefined : Math.max(...resets);
}

const KINDS: readonly (readonly [name: string, what: RateWindow["what"]])[] = [
  ["requests", "requests"],
  ["tokens", "tokens"],
  ["input-tokens", "input_tokens"],
  ["output-tokens", "output_tokens"],
];

/** What the headers tell of limits: Anthropic's, OpenAI's and Groq's by kind, and the bare ones of whole accounts. */
export function rateWindows(headers: Headers, now: number): readonly RateWindow[] {
  const at = serverNow(headers, now);
  const read = (
    name: (part: string) => string,
    what: RateWindow["what"],
    scope: RateWindow["scope"],
  ): RateWindow[] => {
    const remaining = plainNumber(headers.get(name("remaining")));
    if (remaining === undefined) return [];
    const limit = plainNumber(headers.get(name("limit"))) ?? null;
    const resetMs = resetIn(headers.get(name("reset")), at) ?? null;
    return [{ what, scope, limit, remaining: Math.floor(remaining), resetMs }];
  };
  return [
    ...KINDS.flatMap(([kind, what]) => read((part) => `anthropic-ratelimit-${kind}-${part}`, what, "model")),
    ...KINDS.flatMap(([kind, what]) => read((part) => `x-ratelimit-${part}-${kind}`, what, "model")),
    ...read((part) => `x-ratelimit-${part}`, "requests", "key"),
  ];
}

/** A reset as servers write it: `1s`, `6m0s`, seconds, seconds or milliseconds since 1970, or a date. */
function resetIn(written: string | null, at: number): number | undefined {
  const text = written?.trim() ?? "";
  const number = plainNumber(text);
  if (number === undefined) return durationMs(text) ?? untilDate(text, at);
  if (number >= EPOCH_MS) return clamp(number - at);
  return number >= EPOCH_S ? clamp(number * 1000 - at) : clamp(number * 1000);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS };
const UNIT_WORD = /^(ms|milli)|^(s)|^(m)|^(h)|^(d)/i;

/** `1s`, `6m0s`, `7.66s`, `1h2m`, `120ms`; nothing for other texts. */
function durationMs(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|[smhd]))+$/.test(text)) return undefined;
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g);
  return clamp(
    [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNIT_MS[unit as string] ?? 0), 0),
  );
}

const AMOUNT = String.raw`\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|minutes?|mins?|hours?|hrs?|days?|[smhd])(?![a-z])`;
const ASKS =
  /(?:try(?:ing)?\s+again|retry(?:ing)?(?:[-_ ]?(?:after|delay))?|resets?|available(?:\s+again)?|wait)\b/;
const WAIT_WORDS = new RegExp(
  String.raw`${ASKS.source}[^.\d]{0,24}?((?:${AMOUNT}(?:\s*,?\s*(?:and\s+)?)?)+)`,
  "i",
);
const BARE_SECONDS =
  /retry[-_ ]?(?:after|delay)(?:_?s(?:econds)?)?"?\s*[:=]\s*"?(\d+(?:\.\d+)?)(?![\d.]*[a-z])/i;
const WAIT_DATE = new RegExp(
  String.raw`${ASKS.source}[^\d]{0,24}?(\d{4}-\d{2}-\d{2}[t ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:z|[+-]\d{2}:?\d{2}))`,
  "i",
);

/** `Please try again in 7m12.5s`, `retry after 30 seconds`, `resets at 2026-01-01T00:00:00Z`, `"retryDelay": "34s"`. */
function waitInWords(text: string, at: number): number | undefined {
  const amounts = WAIT_WORDS.exec(text)?.[1];
  if (amounts !== undefined) return amountsMs(amounts);
  const date = WAIT_DATE.exec(text)?.[1];
  if (date !== undefined) return untilDate(date, at);
  const seconds = plainNumber(BARE_SECONDS.exec(text)?.[1] ?? null);
  return seconds === undefined ? undefined : clamp(seconds * 1000);
}

function amountsMs(text: string): number | undefined {
  let sum = 0;
  for (const [, count, word] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-z]+)/gi)) {
    const [, ms, s, m, h] = UNIT_WORD.exec(word as string) ?? [];
    const unit = ms ? "ms" : s ? "s" : m ? "m" : h ? "h" : "d";
    sum += Number(count) * (UNIT_MS[unit] as number);
  }
  return clamp(sum);
}

/** Whom a limit is counted for, in the server's words: the key's model unless it says more. */
export function limitScope(headers: Headers | undefined, text: string): LimitScope {
  const upstream = /upstream/i.test(text) && /rate[- ]?limit/i.test(text);
  if (upstream) return "model";
  const windows = headers === undefined ? [] : rateWindows(headers, 0);
  const ofKey = windows.some(({ scope, remaining }) => scope === "key" && remaining <= 0);
  return ofKey || /free-models-per|\b(session|weekly|account|organization)[- ]wide\b|concurren/i.test(text)
    ? "key"
    : "key_model";
}

/** The server's own time, where its answer has a sound one: absolute hints are in it. */
function serverNow(headers: Headers, now: number): number {
  const told = Date.parse(headers.get("date") ?? "");
  return Number.isFinite(told) ? told : now;
}

/** Dates as HTTP and RFC 3339 write them; a bare number or a word is none. One that is over says nothing. */
function untilDate(text: string, at: number): number | undefined {
  // Parsers take a lone number or a word for a date.
  if (!/\d:\d\d/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isFinite(date) && date > at ? clamp(date - at) : undefined;
}

/** Digits with at most one point; nothing for signs, exponents, words and empty texts. */
function plainNumber(text: string | null): number | undefined {
  const trimmed = text?.trim() ?? "";
  return /^\d{1,15}(\.\d+)?$/.test(trimmed) ? Number(trimmed) : undefined;
}

function clamp(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.min(Math.max(0, Math.round(ms)), DAY_MS);
}
