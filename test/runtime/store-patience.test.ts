import { describe, expect, test } from "vitest";
import { ConflictError, InternalError, LimitError, StoreError } from "../../src/base/errors.ts";
import { lineLogger } from "../../src/base/log.ts";
import { isRefusal } from "../../src/runtime/store-patience.ts";
import { desk } from "./specimens.ts";

const busy = (): never => {
  throw new StoreError("busy", "Busy.");
};

describe("isRefusal", () => {
  test.each([
    [new StoreError("fenced", ""), true],
    [new StoreError("sequence", ""), true],
    [new StoreError("ended", ""), true],
    [new StoreError("closed", ""), true],
    [new StoreError("database_owned", ""), true],
    [new StoreError("defect", ""), true],
    [new ConflictError("message_reused", ""), true],
    [new LimitError("inbox_full", ""), true],
    [new StoreError("busy", ""), false],
    [new StoreError("full", ""), false],
    [new InternalError("unexpected", ""), false],
    [new Error("EIO"), false],
  ])("%o → %s", (error, refusal) => expect(isRefusal(error)).toBe(refusal));
});

describe("StorePatience", () => {
  test("asks again with growing pauses until it succeeds, and says so each time", async () => {
    const lines: string[] = [];
    const { clock, patience } = await desk(
      {},
      lineLogger((line) => lines.push(line), "warn"),
    );
    const asked: number[] = [];
    const answer = patience.call("commit", async () => {
      asked.push(clock.monotonic());
      return asked.length < 4 ? busy() : "done";
    });
    await clock.advance(10_000);
    expect(await answer).toBe("done");
    expect(asked).toEqual([0, 50, 300, 1_300]);
    expect(lines).toHaveLength(3);
  });

  test("never gives up while the store is merely away: an hour later the call is made", async () => {
    const { clock, patience } = await desk();
    let away = true;
    const answer = patience.call("commit", async () => (away ? busy() : "done"));
    await clock.advance(3_600_000);
    away = false;
    await clock.advance(15_000);
    expect(await answer).toBe("done");
  });

  test("never repeats a refusal", async () => {
    const { patience } = await desk();
    let tries = 0;
    const refuse = async (): Promise<never> => {
      tries += 1;
      throw new StoreError("fenced", "Another owner.");
    };
    await expect(patience.call("commit", refuse)).rejects.toMatchObject({ code: "fenced" });
    expect(tries).toBe(1);
  });

  test("ends its pause when the runtime closes, and leaves no timer", async () => {
    const { clock, patience, closing } = await desk();
    const answer = patience.call("commit", async () => busy()).catch((thrown: unknown) => thrown);
    await clock.advance(10);
    closing.abort("closing");
    expect(await answer).toMatchObject({ code: "busy" });
    expect(clock.pending).toBe(0);
  });
});
