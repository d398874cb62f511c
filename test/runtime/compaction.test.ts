import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { callsOf, textMessage, textOf, type Message, type TranscriptRow } from "../../src/core/message.ts";
import { estimateTokens, planCompaction, type Compaction } from "../../src/runtime/compaction.ts";

function rowsOf(messages: readonly Message[]): TranscriptRow[] {
  return messages.map((message, at) => ({
    taskId: "task_1",
    index: at + 1,
    seq: at + 1,
    run: 1,
    turn: 1,
    time: 0,
    message,
  }));
}

function calling(id: string, text = ""): Message {
  const call = { id, name: "read_file", arguments: { path: text } };
  return { role: "assistant", origin: "model", parts: [{ type: "tool_call", call }] };
}

function result(callId: string, text: string): Message {
  const part = { type: "tool_result" as const, callId, name: "read_file", text, isError: false };
  return { role: "tool", origin: "tool", parts: [part] };
}

const GOAL = textMessage("user", "goal", "Find the gold.");
const said = (text: string): Message => textMessage("assistant", "model", text);

function plan(messages: readonly Message[], contextTokens: number, maxOutputTokens = 100): Compaction | null {
  return planCompaction({ rows: rowsOf(messages), contextTokens, maxOutputTokens, fixedTokens: 20 });
}

/** What the model reads afterwards. */
function after({ kept, replacement }: Compaction): Message[] {
  return [...replacement, ...kept];
}

describe("planCompaction", () => {
  test("leaves alone what fits", () => {
    expect(plan([GOAL, said("hello")], 2_000)).toBeNull();
  });

  test("keeps the goal and the newest, and says in a digest what was between", () => {
    const messages = [
      GOAL,
      calling("c1", "old.txt"),
      result("c1", "x".repeat(3_000)),
      said("y".repeat(3_000)),
      said("the newest"),
    ];
    const compaction = plan(messages, 2_000) as Compaction;
    const texts = after(compaction).map(textOf);
    expect(texts[0]).toBe("Find the gold.");
    expect(texts[1]).toMatch(
      /^\[earlier turns, shortened to fit the context: \d messages\]\n- called read_file/,
    );
    expect(texts.at(-1)).toBe("the newest");
  });

  test("quotes an older digest instead of losing what it told", () => {
    const digest = textMessage("user", "summary", "[earlier turns, shortened] - called read_file a.txt");
    const messages = [GOAL, digest, said("z".repeat(6_000)), said("new")];
    const [, summary] = (plan(messages, 2_000) as Compaction).replacement;
    expect(summary && textOf(summary)).toContain(
      "you were told: [earlier turns, shortened] - called read_file a.txt",
    );
  });

  test("keeps a person's question and a child's result that came together with large results", () => {
    const question = textMessage("user", "person", "And what does it cost?");
    const ended = textMessage("user", "completion", `[task finished] task_1 done: dig\n${"g".repeat(9_000)}`);
    const messages = [
      GOAL,
      said("x".repeat(9_000)),
      calling("c1"),
      result("c1", "r".repeat(9_000)),
      ended,
      question,
    ];
    const texts = after(plan(messages, 2_400) as Compaction).map(textOf);
    expect(texts).toContain("And what does it cost?");
    expect(texts.find((text) => text.startsWith("[task finished] task_1 done: dig"))?.length).toBeGreaterThan(
      400,
    );
  });

  test("has nothing to drop in a conversation of one message, however long", () => {
    expect(plan([textMessage("user", "goal", "g".repeat(50_000))], 2_000)).toBeNull();
  });

  test("keeps what the model has not read yet, though it passes the usual share, and cuts it where it must", () => {
    const big = "r".repeat(2_200);
    const both: Message = {
      role: "assistant",
      origin: "model",
      parts: ["c1", "c2"].flatMap((id) => calling(id).parts),
    };
    const messages = [GOAL, said("x".repeat(9_000)), both, result("c1", big), result("c2", big)];
    const compaction = plan(messages, 2_400) as Compaction;
    expect(messages.slice(compaction.dropTo)).toEqual([both, result("c1", big), result("c2", big)]);
    const tight = plan(messages, 1_300) as Compaction;
    expect(tight.kept.map(({ role }) => role)).toEqual(["assistant", "tool", "tool"]);
    for (const { parts } of tight.kept.slice(1)) {
      expect(parts[0]).toMatchObject({
        text: expect.stringMatching(/^r+\n… \[\d+ characters cut\] …\nr+$/) as string,
      });
    }
    expect(tight.afterTokens).toBeLessThanOrEqual(1_300);
  });

  const size = fc.integer({ min: 0, max: 4_000 });
  const turn = fc.oneof(
    size.map((n) => [said("s".repeat(n))]),
    size.map((n) => [textMessage("user", "steer", "u".repeat(n))]),
    fc.array(size, { minLength: 1, maxLength: 3 }).map((sizes) => sizes),
  );
  const conversations = fc.array(turn, { minLength: 1, maxLength: 25 }).map((turns) => {
    const messages: Message[] = [GOAL];
    let serial = 0;
    for (const each of turns) {
      if (typeof each[0] !== "number") messages.push(...(each as Message[]));
      else {
        const ids = each.map(() => `c${serial++}`);
        messages.push({ role: "assistant", origin: "model", parts: ids.flatMap((id) => calling(id).parts) });
        for (const [at, id] of ids.entries()) messages.push(result(id, "r".repeat(each[at] as number)));
      }
    }
    return messages;
  });

  test("never drops the goal, never separates a result from its call, and always shrinks", () => {
    fc.assert(
      fc.property(conversations, fc.constantFrom(500, 2_000, 8_000), (messages, contextTokens) => {
        const compaction = plan(messages, contextTokens);
        if (!compaction) return;
        const read = after(compaction);
        expect(read.filter(({ origin }) => origin === "goal")).toEqual([GOAL]);
        const calls = read.flatMap((message) => callsOf(message).map(({ id }) => id));
        const results = read.flatMap(({ parts }) =>
          parts.flatMap((part) => (part.type === "tool_result" ? [part.callId] : [])),
        );
        expect(results).toEqual(calls);
        expect(compaction.afterTokens).toBe(20 + estimateTokens(read));
        expect(compaction.afterTokens).toBeLessThan(compaction.beforeTokens);
        expect(compaction.droppedRows).toBe(compaction.dropTo);
      }),
      { numRuns: 300 },
    );
  });

  test("made again and again it comes to rest: what it made is not compacted without need", () => {
    fc.assert(
      fc.property(conversations, (messages) => {
        let current: readonly Message[] = messages;
        let rounds = 0;
        for (let next = plan(current, 4_000); next; next = plan(current, 4_000)) {
          current = after(next);
          expect(++rounds).toBeLessThan(messages.length + 2);
        }
      }),
    );
  });
});
