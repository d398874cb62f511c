import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { limitScope, rateWindows, retryAfter, waitHint } from "../../providers/hints.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const DAY_MS = 86_400_000;

const hint = (headers: Record<string, string>, text = ""): number | undefined =>
  waitHint({ headers: new Headers(headers), text, now: NOW });

describe("Retry-After", () => {
  it.for([
    [{ "retry-after": "2" }, 2000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "0" }, 0],
    [{ "retry-after-ms": "120.4", "retry-after": "9" }, 120],
    [{ "retry-after-ms": "soon", "retry-after": "9" }, 9000],
    [{ "retry-after": "Thu, 01 Jan 2026 00:01:00 GMT" }, 60_000],
    [{ "retry-after": "Thursday, 01-Jan-26 00:01:00 GMT" }, 60_000],
    [{ "retry-after": "2026-01-01T00:00:30Z" }, 30_000],
    [{ "retry-after": "1767225610" }, 10_000],
    [{ "retry-after": "1m30s" }, 90_000],
    [{ "retry-after": "99999999" }, DAY_MS],
    [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, undefined],
    [{ "retry-after": "-5" }, undefined],
    [{ "retry-after": "1e9" }, undefined],
    [{ "retry-after": "NaN" }, undefined],
    [{ "retry-after": "Infinity" }, undefined],
    [{ "retry-after": "12 parsecs" }, undefined],
    [{ "retry-after": "Thu, 99 Foo 2026 00:01:00 GMT" }, undefined],
    [{}, undefined],
  ] as const)("%j is %s ms", ([headers, ms]) => {
    expect(retryAfter(new Headers({ ...headers }), NOW)).toBe(ms);
  });

  it("measures a date by the server's own clock, whichever of both is wrong", () => {
    const date = "Thu, 01 Jan 2026 05:00:00 GMT";
    const headers = { date, "retry-after": "Thu, 01 Jan 2026 05:00:20 GMT" };
    expect(hint(headers)).toBe(20_000);
    expect(waitHint({ headers: new Headers(headers), text: "", now: NOW + 30 * DAY_MS })).toBe(20_000);
    expect(hint({ ...headers, date: "yesterday" })).toBe(5 * 3_600_000 + 20_000);
  });
});

describe("the order of hints", () => {
  const all = {
    "retry-after-ms": "100",
    "retry-after": "2",
    "anthropic-ratelimit-requests-remaining": "0",
    "anthropic-ratelimit-requests-reset": "2026-01-01T00:00:03Z",
    "x-ratelimit-remaining-tokens": "0",
    "x-ratelimit-reset-tokens": "4s",
  };
  const without = (count: number): Record<string, string> =>
    Object.fromEntries(Object.entries(all).slice(count));

  it("takes the first that makes sense", () => {
    const text = "Please try again in 5s.";
    expect(hint(without(0), text)).toBe(100);
    expect(hint(without(1), text)).toBe(2000);
    expect(hint({ ...without(2), "x-ratelimit-remaining-tokens": "7" }, text)).toBe(3000);
    expect(hint(without(4), text)).toBe(4000);
    expect(hint({}, text)).toBe(5000);
    expect(hint({}, "no.")).toBeUndefined();
  });

  it("asks limits for their reset only when they are used up, and takes the longest of those", () => {
    const headers = {
      "anthropic-ratelimit-input-tokens-remaining": "0",
      "anthropic-ratelimit-input-tokens-reset": "2026-01-01T00:00:10Z",
      "anthropic-ratelimit-output-tokens-remaining": "0",
      "anthropic-ratelimit-output-tokens-reset": "2026-01-01T00:00:12Z",
      "anthropic-ratelimit-requests-remaining": "5",
      "anthropic-ratelimit-requests-reset": "2026-01-01T00:59:00Z",
    };
    expect(hint(headers)).toBe(12_000);
  });
});

describe("what the body says", () => {
  it.for([
    [
      "Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 1.2s. Visit …",
      1200,
    ],
    ["Limit 100000, Used 99000. Please try again in 7m12.5s.", 432_500],
    ["please retry after 30 seconds", 30_000],
    ["Retry after 2 minutes and 5 seconds", 125_000],
    ["quota resets in 4h 12m", 15_120_000],
    ["limit resets at 2026-01-01T00:10:00Z", 600_000],
    ['{"retry_after": 20}', 20_000],
    ['{"@type":"RetryInfo","retryDelay":"34s"}', 34_000],
    ["wait 250 ms", 250],
    ["try again in 3 days", DAY_MS],
    ["Please try again later.", undefined],
    ["you used 5 seconds of 10 minutes", undefined],
    ["resets at 1999-01-01T00:00:00Z", undefined],
    ["retry after 5 parsecs", undefined],
    ["", undefined],
  ] as const)("%s", ([text, ms]) => {
    expect(hint({}, text)).toBe(ms);
    expect(waitHint({ text, now: NOW })).toBe(ms);
  });
});

describe("limits", () => {
  it("reads OpenAI's and Groq's by kind", () => {
    const headers = new Headers({
      "x-ratelimit-limit-requests": "14400",
      "x-ratelimit-remaining-requests": "14370",
      "x-ratelimit-reset-requests": "2m59.56s",
      "x-ratelimit-limit-tokens": "18000",
      "x-ratelimit-remaining-tokens": "0",
      "x-ratelimit-reset-tokens": "7.66s",
    });
    expect(rateWindows(headers, NOW)).toEqual([
      { what: "requests", scope: "model", limit: 14_400, remaining: 14_370, resetMs: 179_560 },
      { what: "tokens", scope: "model", limit: 18_000, remaining: 0, resetMs: 7660 },
    ]);
  });

  it("reads an account's own, in milliseconds since 1970", () => {
    const headers = new Headers({
      "x-ratelimit-limit": "50",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(NOW + 90_000),
    });
    expect(rateWindows(headers, NOW)).toEqual([
      { what: "requests", scope: "key", limit: 50, remaining: 0, resetMs: 90_000 },
    ]);
    expect(limitScope(headers, "")).toBe("key");
  });

  it("leaves out what is no number, and an end that is none", () => {
    const headers = new Headers({
      "x-ratelimit-remaining-requests": "plenty",
      "x-ratelimit-remaining-tokens": "3",
      "x-ratelimit-reset-tokens": "-1s",
    });
    expect(rateWindows(headers, NOW)).toEqual([
      { what: "tokens", scope: "model", limit: null, remaining: 3, resetMs: null },
    ]);
  });

  it.for([
    ["Rate limit reached for gpt-4o on requests per min", "key_model"],
    ["Rate limit exceeded: free-models-per-day", "key"],
    ["timed out waiting for a concurrent request slot", "key"],
    ["google/gemma-3 is temporarily rate-limited upstream. Please retry shortly", "model"],
  ] as const)("%s is counted for %s", ([text, scope]) => {
    expect(limitScope(undefined, text)).toBe(scope);
  });
});

it("never throws and never leaves 0 to a day, whatever a server writes", () => {
  const words = fc.constantFrom(
    "retry-after",
    "retry-after-ms",
    "date",
    "x-ratelimit-reset",
    "x-ratelimit-remaining",
  );
  const value = fc.oneof(
    fc.string({ unit: "grapheme-ascii" }),
    fc.double().map(String),
    fc.date().map(String),
  );
  fc.assert(
    fc.property(fc.dictionary(words, value), fc.string(), fc.integer(), (written, text, now) => {
      const headers = new Headers();
      for (const [name, each] of Object.entries(written)) {
        if (/^[\t\x20-\x7e]*$/.test(each)) headers.set(name, each);
      }
      const ms = waitHint({ headers, text: `try again in ${text}`, now });
      if (ms === undefined) return;
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThanOrEqual(DAY_MS);
    }),
    { numRuns: 500 },
  );
});
