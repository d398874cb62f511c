// What a generation does when the model server counts more tokens than the runtime estimated.

import { describe, expect, test } from "vitest";
import { fail, say } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import { textOf } from "../../src/core/message.ts";
import { rig } from "./rig.ts";

/** A server on which every character is a token, as figures and some scripts nearly are. */
const ROOM = 2_000;
const charsOf = ({ messages }: GenerateRequest): number =>
  messages.reduce((sum, message) => sum + textOf(message).length, 0);
const tooLong = fail("context_length", "context_length", "The input length exceeds the context length.");

async function compactions(api: TroupeApi, taskId: string): Promise<number> {
  const { lastEvent } = await api.check(taskId);
  let count = 0;
  for await (const frame of api.events({ after: 0, taskId })) {
    if (frame.kind !== "event") continue;
    if (frame.event.type === "transcript.compacted") count += 1;
    if (frame.event.cursor >= lastEvent) break;
  }
  return count;
}

describe("a prompt that the server finds too long", () => {
  test("is compacted by its word, visibly, and the conversation goes on", async () => {
    const sizes: number[] = [];
    const { api, clock } = rig({
      reply: (request) => {
        sizes.push(charsOf(request));
        return [charsOf(request) > ROOM ? tooLong : say(`${sizes.length}: ${"x".repeat(1_200)}`)];
      },
    });
    const { taskId } = await api.createSession();
    for (const text of ["one", "two", "three", "four"]) {
      await api.sendMessage(taskId, { text });
      await clock.advance(100);
    }
    const { items } = await api.transcript(taskId);
    const answers = items.filter(({ message }) => message.role === "assistant");
    expect(textOf(answers.at(-1)?.message as never)).toMatch(/^\d+: x/);
    expect(sizes.some((size) => size > ROOM)).toBe(true);
    expect(sizes.at(-1)).toBeLessThanOrEqual(ROOM);
    expect(await compactions(api, taskId)).toBeGreaterThan(0);
    expect((await api.check(taskId)).phase).toBe("waiting_input");
  });

  test("fails as context_length when nothing can go, without another request", async () => {
    const { api, clock, provider, runtime } = rig({ reply: () => [tooLong] });
    const { taskId } = await api.delegate({ goal: "x".repeat(10_000) });
    await clock.advance(100);
    const { state, failure } = await api.collect(taskId, { timeoutMs: 0 });
    expect({ state, code: failure?.code }).toEqual({ state: "failed", code: "context_length" });
    expect(provider.begun).toBe(1);
    expect(await compactions(api, taskId)).toBe(0);
    expect(runtime.counts()).toMatchObject({ leases: 0, living: 0 });
  });
});
