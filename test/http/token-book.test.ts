import { expect, it } from "vitest";
import { TokenBook } from "../../src/http/token-book.ts";
import { callerWith, READ_TOKEN, TOKEN } from "./rig.ts";

const admin = callerWith("admin");
const reader = callerWith("read");
const book = new TokenBook([
  { token: TOKEN, caller: admin },
  { token: READ_TOKEN, caller: reader },
]);

it("knows whose a token is", async () => {
  expect(await book.callerOf(TOKEN)).toBe(admin);
  expect(await book.callerOf(READ_TOKEN)).toBe(reader);
});

it.each([
  ["another one", "00".repeat(32)],
  ["a part", TOKEN.slice(1)],
  ["more than one", `${TOKEN} `],
  ["nothing", ""],
  ["what is no text", 7],
  ["what is not there", undefined],
  ["an endless one", "a".repeat(10_000)],
])("T02 knows nobody for %s", async (_, sent) => {
  expect(await book.callerOf(sent)).toBeNull();
});

it("knows nobody for an empty token, though one was given to it", async () => {
  expect(await new TokenBook([{ token: "", caller: admin }]).callerOf("")).toBeNull();
});
