// Conformance: collecting results, with and without waiting.

import { expect } from "vitest";
import { CancelledError } from "../../src/base/errors.ts";
import type { Case } from "./conformance.ts";

export function collectCases(clause: Case): void {
  clause("collect with no time to wait says that the task goes on", async ({ api }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    expect(await api.collect(taskId, { timeoutMs: 0 })).toMatchObject({
      taskId,
      finished: false,
      result: null,
    });
  });

  clause("collect waits for the end", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const waiting = api.collect(taskId);
    await finishTask(taskId, "arrived");
    expect(await waiting).toMatchObject({ finished: true, state: "done", result: "arrived", failure: null });
  });

  clause(
    "collect gives up when its time is over, and the task goes on",
    async ({ api, advance, finishTask }) => {
      const { taskId } = await api.delegate({ goal: "walk" });
      const waiting = api.collect(taskId, { timeoutMs: 90_500 });
      await advance(91_000);
      expect(await waiting).toMatchObject({ finished: false });
      await finishTask(taskId, "arrived");
      expect(await api.collect(taskId)).toMatchObject({ finished: true, result: "arrived" });
    },
  );

  clause("collect gives the same answer every time", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived\nsafely — 你好 👋");
    const first = await api.collect(taskId);
    expect(first.result).toBe("arrived\nsafely — 你好 👋");
    expect(await api.collect(taskId, { timeoutMs: 5 })).toEqual(first);
  });

  clause("a failure has its code and its message", async ({ api, failTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await failTask(taskId, { code: "tool_loop", message: "The same call three times." });
    expect(await api.collect(taskId)).toMatchObject({
      finished: true,
      state: "failed",
      failure: { code: "tool_loop" },
    });
    expect((await api.check(taskId)).failure).toMatchObject({ code: "tool_loop" });
  });

  clause(
    "an aborted collect throws CancelledError and leaves the task alone",
    async ({ api, finishTask }) => {
      const { taskId } = await api.delegate({ goal: "walk" });
      const stop = new AbortController();
      const waiting = api.collect(taskId, { signal: stop.signal }).catch((thrown: unknown) => thrown);
      stop.abort();
      expect(await waiting).toBeInstanceOf(CancelledError);
      await finishTask(taskId, "arrived");
      expect(await api.collect(taskId)).toMatchObject({ state: "done" });
    },
  );

  clause("many wait for one task, and all get its end", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    const waiting = Promise.all(Array.from({ length: 5 }, () => api.collect(taskId)));
    await finishTask(taskId, "arrived");
    expect((await waiting).map(({ result }) => result)).toEqual(Array(5).fill("arrived"));
  });
}
