// What a request does that no key is there for: it waits a moment, comes back later, or is told the truth.

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { cloudOf, good, GROQ, OPENAI, server } from "./key-cloud.ts";

beforeAll(() => server.listen());
afterEach(() => server.resetHandlers());
afterAll(() => server.close());

describe("when no key is left", () => {
  const limited = (seconds: number) => ({ status: 429, headers: { "retry-after": String(seconds) } });

  it("waits a moment where it is", async () => {
    const made = cloudOf({ cloud: OPENAI, keys: [[limited(1), good(OPENAI)]] });
    expect(await made.failure("first")).toMatchObject({ code: "keys_cooling" });
    const second = made.failure("second");
    await made.clock.advance(1000);
    expect(await second).toBe("ok");
    expect(made.woken).toEqual(["first"]);
  });

  it("asks to come back when the wait is longer, with the time, and is called", async () => {
    const made = cloudOf({
      cloud: OPENAI,
      keys: [
        [limited(40), good(OPENAI)],
        [limited(30), good(OPENAI)],
      ],
    });
    expect(await made.failure()).toMatchObject({
      providerKind: "rate_limited",
      code: "keys_cooling",
      retryAfterMs: 30_000,
      details: { held_up: true, provider: "cloud", returns_at: "2023-11-14T22:13:50.000Z" },
    });
    await made.clock.advance(30_000);
    expect(made.woken).toEqual(["c"]);
    expect(await made.failure()).toBe("ok");
    expect(made.tried).toEqual([0, 1, 1]);
  });

  it("fails at once when the wait is longer than it may be, or than anybody wants the answer", async () => {
    const long = cloudOf({ cloud: OPENAI, keys: [[limited(301)]] });
    const error = await long.failure();
    expect(error).toMatchObject({ code: "keys_cooling", details: { held_up: false } });
    expect(String(error)).toContain("longer than the task may wait");
    const late = cloudOf({ cloud: OPENAI, keys: [[limited(30)]], deadlineLeftMs: 29_000 });
    expect(await late.failure()).toMatchObject({ details: { held_up: false } });
  });

  it("does not wait for ever by waiting again and again", async () => {
    const made = cloudOf({ cloud: OPENAI, keys: [[limited(60)]], config: { key_wait_s: 150 } });
    const waits: unknown[] = [];
    for (let nth = 0; nth < 3; nth++) {
      const error = await made.failure();
      waits.push(typeof error === "string" ? error : error.details["held_up"]);
      await made.clock.advance(60_000);
    }
    expect(waits).toEqual([true, true, false]);
  });

  it("does not wait for keys that nobody knows the return of, and says which they are", async () => {
    const made = cloudOf({ cloud: OPENAI, keys: [[{ status: 401 }], [{ status: 402 }]] });
    expect(await made.failure()).toMatchObject({ code: "quota" });
    const error = await made.failure();
    expect(error).toMatchObject({ providerKind: "quota", code: "keys_exhausted" });
    expect(String(error)).toContain("env:KEY_0 is suspect");
    expect(made.tried).toEqual([0, 1]);
    const refused = cloudOf({ cloud: GROQ, keys: [[{ status: 401 }]] });
    expect(await refused.failure()).toMatchObject({ code: "auth" });
    expect(await refused.failure()).toMatchObject({ providerKind: "auth", code: "keys_refused" });
  });

  it("waits for a busy key rather than fail with what another one was refused for", async () => {
    const one = { concurrency: 1 };
    const made = cloudOf({ cloud: OPENAI, keys: [[{ status: 401 }], []], about: [one, one] });
    const { pool } = made.desk.windowOf("cloud")!;
    const take = (conversation: string) =>
      pool.take({ need: { model: "m", tokens: 1 }, conversation, protocol: "openai", wake: () => true });
    const [first, second] = [take("first"), take("second")];
    if (first.type === "lease") first.lease.end();
    expect(await made.failure()).toMatchObject({ code: "keys_busy", details: { held_up: true } });
    if (second.type === "lease") second.lease.end();
    expect(made.woken).toEqual(["c"]);
    expect(await made.failure()).toBe("ok");
    expect(made.tried).toEqual([0, 1]);
  });

  it("stops when it is told to, and gives the key back", async () => {
    const made = cloudOf({ cloud: OPENAI, keys: [[]] });
    const abort = new AbortController();
    abort.abort(new Error("enough"));
    await expect(made.generate("c", abort.signal)).rejects.toThrow("enough");
    expect(made.shown()[0]?.inFlight).toBe(0);
  });
});
