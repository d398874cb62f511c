import { describe, expect, it } from "vitest";
import type { NewEvent } from "../../src/core/event.ts";
import type { Message } from "../../src/core/message.ts";
import { databaseFolder, openedWithConnection } from "./sqlite-files.ts";
import { claimed } from "./specimens.ts";

const pathFor = databaseFolder();
const CALLS = 40;

/** One answer with many calls, of which two share an id, and the events that announce them. */
function announced(): { readonly message: Message; readonly events: readonly NewEvent[] } {
  const calls = Array.from({ length: CALLS }, (_, at) => ({
    id: at === 7 ? "call_6" : `call_${at}`,
    name: "write_file",
    arguments: { path: `file-${at}`, content: "x".repeat(2_000) },
  }));
  const parts = calls.map((call) => ({ type: "tool_call", call }) as const);
  const events = calls.map(({ id, name, arguments: input }): NewEvent => ({
    type: "tool.requested",
    data: { callId: id, tool: name, input },
  }));
  return { message: { role: "assistant", origin: "model", parts }, events };
}

describe("events that point at the transcript", () => {
  it("are written and read back with one look at the answer that they repeat", async () => {
    const { store, connection } = openedWithConnection(pathFor());
    const looks: string[] = [];
    const all = connection.all.bind(connection);
    const get = connection.get.bind(connection);
    connection.all = (sql, ...values) => {
      looks.push(sql);
      return all(sql, ...values);
    };
    connection.get = (sql, ...values) => {
      looks.push(sql);
      return get(sql, ...values);
    };
    const looksAtRows = (): number => looks.splice(0).filter((sql) => sql.includes("FROM transcript")).length;
    const claim = await claimed(store, "t1");
    const { message, events } = announced();
    looksAtRows();
    await store.commit(claim, 1, { messages: [message], events });
    expect(looksAtRows()).toBe(1);
    const read = await store.events({ after: 1 });
    expect(looksAtRows()).toBe(1);
    expect(read.map(({ type, data }) => ({ type, data }))).toEqual(events);
    const written = connection.all<{ data: string }>("SELECT data FROM events WHERE cursor > 1");
    expect(written.map(({ data }) => data)).toEqual(events.map((_, at) => `@1.${at}`));
    await store.close();
  });
});
