import { describe, expect, test } from "vitest";
import { MAX_QUESTIONS } from "../../src/core/limits.ts";
import { respondentOf, type AskingHost } from "../../src/runtime/respondent.ts";
import { desk, steer } from "./specimens.ts";

/** `task_c`, whose parent `task_1` has a store and listens. */
async function asking(rest: { readonly spec?: AskingHost["spec"]; readonly listens?: boolean } = {}) {
  const { store, patience } = await desk();
  const host: AskingHost = {
    id: "task_c",
    spec: { kind: "task", parentId: "task_1", ...rest.spec },
    services: { store, patience, kinship: { listens: () => rest.listens ?? true } },
  };
  const ask = async (childId: string, count: number): Promise<void> => {
    for (let n = 0; n < count; n += 1) {
      const [questionId, from] = [`call_${n}_1`, `agent:${childId}`];
      const id = `${childId}/${questionId}`;
      await store.send("task_1", { kind: "question", id, from, childId, questionId, text: "?" });
    }
  };
  return { host, store, ask };
}

describe("who would answer", () => {
  test("is the parent that listens, and nobody once it has ended", async () => {
    expect(await respondentOf((await asking()).host)).toBe("parent");
    expect(await respondentOf((await asking({ listens: false })).host)).toBe("ended");
  });

  test("is a person where no agent delegated it, or in a conversation whoever talks", async () => {
    const alone = await asking({ spec: { kind: "task", parentId: null } });
    expect(await respondentOf(alone.host)).toBe("person");
    const talk = await asking({ spec: { kind: "session", parentId: null } });
    expect(await respondentOf(talk.host)).toBe("conversation");
  });

  test("is nobody after so many questions of its own, whatever else the parent was sent", async () => {
    const it = await asking();
    await it.ask("task_other", MAX_QUESTIONS);
    await it.store.send("task_1", steer("s"));
    await it.ask("task_c", MAX_QUESTIONS - 1);
    expect(await respondentOf(it.host)).toBe("parent");
    await it.ask("task_c", MAX_QUESTIONS);
    expect(await respondentOf(it.host)).toBe("spent");
  });
});
