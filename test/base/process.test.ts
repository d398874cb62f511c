import { expect, it } from "vitest";
import { outputOf, type RunningProcess } from "../../src/base/process.ts";

/** A program that writes these pieces to stdout and ends. */
function writing(pieces: readonly Uint8Array[]): RunningProcess {
  return {
    pid: 1,
    exited: Promise.resolve({ code: 0, signal: null }),
    onOutput: (fd, take) => {
      if (fd === 1) for (const piece of pieces) take(piece);
    },
    write: () => {},
    endInput: () => {},
    unread: () => 0,
    kill: () => {},
  };
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

it("puts a character together that came in two pieces", async () => {
  const whole = bytes("aéb");
  const { stdout } = await outputOf(writing([whole.subarray(0, 2), whole.subarray(2)]), { maxBytes: 100 });
  expect(stdout).toBe("aéb");
});

it("keeps the first bytes and says that there were more", async () => {
  expect(await outputOf(writing([bytes("abc"), bytes("def")]), { maxBytes: 4 })).toMatchObject({
    stdout: "abcd",
    truncated: true,
  });
  expect(await outputOf(writing([bytes("abcd")]), { maxBytes: 4 })).toMatchObject({ truncated: false });
});

it("shows a character that the program itself broke off", async () => {
  const { stdout } = await outputOf(writing([bytes("é").subarray(0, 1)]), { maxBytes: 100 });
  expect(stdout).toBe("\ufffd");
});

it("rejects with the reason of a signal that has aborted, once the program has ended", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await expect(outputOf(writing([]), { maxBytes: 1, signal })).rejects.toThrow("enough");
});
