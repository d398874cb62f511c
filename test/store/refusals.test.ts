import { describe, expect, it } from "vitest";
import type { TroupeError } from "../../src/base/errors.ts";
import { firstRecord } from "../../src/store/commit.ts";
import * as refusals from "../../src/store/refusals.ts";
import { specimen } from "./specimens.ts";

const spec = specimen("t1");
const record = { ...firstRecord(spec), releasedAt: 5 };

interface Row {
  readonly name: keyof typeof refusals;
  readonly error: TroupeError;
  readonly kind: string;
  readonly code: string;
}

function row(name: Row["name"], error: TroupeError, kindAndCode: string): Row {
  const [kind = "", code = ""] = kindAndCode.split(" ");
  return { name, error, kind, code };
}

const TABLE: readonly Row[] = [
  row("taskNotFound", refusals.taskNotFound("t1"), "store task_not_found"),
  row("taskEnded", refusals.taskEnded(record), "store ended"),
  row("alreadyReleased", refusals.alreadyReleased(record), "store ended"),
  row("notEnded", refusals.notEnded(record), "store not_ended"),
  row("fenced", refusals.fenced(record, 3), "store fenced"),
  row("wrongSequence", refusals.wrongSequence(record, 3), "store sequence"),
  row("invalidWrite", refusals.invalidWrite("t1", "turn is -1."), "store invalid_write"),
  row("storeClosed", refusals.storeClosed(), "store closed"),
  row("ownedByAnother", refusals.ownedByAnother(), "store database_owned"),
  row("messageReused", refusals.messageReused("t1", "m1"), "conflict message_reused"),
  row("inboxFull", refusals.inboxFull("t1"), "limit inbox_full"),
  row("keyReused", refusals.keyReused(spec), "conflict idempotency_key_reused"),
  row("badWorkspace", refusals.badWorkspace("/x"), "invalid_request bad_workspace"),
  row("badQuery", refusals.badQuery("limit", "a whole number", 0.5), "invalid_request bad_limit"),
];

describe("refusals", () => {
  it.each(TABLE)("$name has its kind and code, and names the task", ({ name, error, kind, code }) => {
    expect(error).toMatchObject({ kind, code });
    const namesTask = !["storeClosed", "ownedByAnother", "badWorkspace", "badQuery"].includes(name);
    expect(error.message.includes("t1")).toBe(namesTask);
    expect(error.details["task_id"]).toBe(namesTask ? "t1" : undefined);
    expect(error.message).toMatch(/^[A-Z].*\.$/s);
  });

  it("are all in the table", () => {
    expect(TABLE.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(refusals)));
  });
});
