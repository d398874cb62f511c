// D7: what a commit sends to others has arrived when the commit is acknowledged, and not before.

import { expect } from "vitest";
import { MAX_INBOX } from "../../src/core/limits.ts";
import type { Clause } from "./conformance.ts";
import {
  childOf,
  claimed,
  completion,
  DONE,
  end,
  everything,
  FAILED,
  FINISHED,
  steer,
  submitted,
} from "./specimens.ts";

export function outboxClauses(clause: Clause): void {
  clause("D7 has delivered a child's completion when its end is acknowledged", async ({ store, clock }) => {
    await submitted(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    await clock.advance(40);
    const outbox = [{ to: "t1", message: completion("c1") }];
    await store.commit(child, 1, { terminal: DONE, events: [FINISHED], outbox });
    const entry = {
      taskId: "t1",
      position: 1,
      time: clock.now(),
      state: "queued",
      message: completion("c1"),
    };
    expect(await store.inbox("t1", 0)).toMatchObject([entry]);
  });

  clause("D7 delivers nothing of a commit that is refused", async ({ store }) => {
    await submitted(store, "t1");
    const child = await claimed(store, "c1", childOf("t1"));
    const before = await everything(store, ["t1", "c1"]);
    const outbox = [{ to: "t1", message: completion("c1") }];
    const stale = store.commit(child, 9, { terminal: DONE, outbox });
    await expect(stale).rejects.toMatchObject({ code: "sequence" });
    expect(await everything(store, ["t1", "c1"])).toEqual(before);
  });

  clause("D7 delivers one completion of a child to a parent, the first", async ({ store }) => {
    await submitted(store, "t1");
    await submitted(store, "t2");
    const child = await claimed(store, "c1", childOf("t1"));
    const first = [
      { to: "t1", message: completion("c1") },
      { to: "t2", message: completion("c1") },
    ];
    await store.commit(child, 1, { outbox: first });
    const again = [
      { to: "t1", message: completion("c1") },
      { to: "t1", message: completion("c1", FAILED) },
    ];
    await store.commit(child, 1, { outbox: again });
    expect(await store.inbox("t1", 0)).toMatchObject([{ message: { id: "c1", end: DONE } }]);
    expect(await store.inbox("t2", 0)).toHaveLength(1);
  });

  clause("D7 keeps completions in the order in which the children ended", async ({ store }) => {
    await submitted(store, "t1");
    const names = ["c1", "c2", "c3", "c4"];
    for (const id of names) await claimed(store, id, childOf("t1"));
    for (const id of ["c3", "c1", "c4", "c2"]) {
      const outbox = [{ to: "t1", message: completion(id) }];
      await store.commit({ taskId: id, epoch: 1 }, 1, { terminal: DONE, events: [FINISHED], outbox });
    }
    const order = (await store.inbox("t1", 0)).map((entry) => entry.message.id);
    expect(order).toEqual(["c3", "c1", "c4", "c2"]);
  });

  clause("D7 drops what an ended task cannot take, and commits the rest", async ({ store }) => {
    await end(store, await claimed(store, "t1"));
    await submitted(store, "t2");
    const child = await claimed(store, "c1", childOf("t1"));
    const outbox = [
      { to: "t1", message: completion("c1") },
      { to: "t2", message: steer("m1") },
      { to: "c1", message: steer("m2") },
    ];
    await store.commit(child, 1, { terminal: DONE, events: [FINISHED], outbox });
    expect(await store.inbox("t1", 0)).toEqual([]);
    expect(await store.inbox("t2", 0)).toHaveLength(1);
    expect(await store.inbox("c1", 0)).toEqual([]);
    expect(await store.get("c1")).toMatchObject({ state: "done" });
  });

  clause("D7 sends a repeated message once", async ({ store }) => {
    await submitted(store, "t1");
    const sender = await claimed(store, "c1", childOf("t1"));
    const mail = { to: "t1", message: steer("m1") };
    await store.commit(sender, 1, { outbox: [mail, mail] });
    await store.commit(sender, 1, { outbox: [mail] });
    expect(await store.send("t1", steer("m1"))).toMatchObject({ duplicate: true });
    expect(await store.inbox("t1", 0)).toHaveLength(1);
  });

  clause(
    "D7 delivers a child's question, whatever ids others chose and however full the inbox is",
    async ({ store }) => {
      await submitted(store, "t1");
      const child = await claimed(store, "c1", childOf("t1"));
      const asked = {
        kind: "question",
        id: "c1/call_1_1",
        from: "agent:c1",
        childId: "c1",
        questionId: "call_1_1",
        text: "which?",
      } as const;
      await store.send("t1", steer(asked.id));
      for (let n = 1; n < MAX_INBOX; n += 1) await store.send("t1", steer(`m${n}`));
      await store.commit(child, 1, { outbox: [{ to: "t1", message: asked }] });
      await store.commit(child, 1, { outbox: [{ to: "t1", message: asked }] });
      expect((await store.inbox("t1", MAX_INBOX)).map(({ message }) => message)).toEqual([asked]);
    },
  );
}
