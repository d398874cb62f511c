// D2 and D3 for calls that come together: what one of them is refused says nothing about the others. A store that shares
// one transaction between them must not show it.

import { expect } from "vitest";
import type { Clause } from "./conformance.ts";
import {
  ADMITTED,
  claimed,
  DONE,
  FINISHED,
  RELEASED,
  SPAWNED,
  specimen,
  STARTED,
  steer,
} from "./specimens.ts";

export function roundClauses(clause: Clause): void {
  clause("D2 a refusal between two writes of one round leaves the others right", async ({ store }) => {
    const one = await claimed(store, "t1");
    const two = await claimed(store, "t2");
    await store.send("t2", steer("m1"));
    // Nobody waits for anybody: all of them come in one round.
    const round = await Promise.allSettled([
      store.commit(one, 1, { events: [STARTED] }),
      store.send("t2", steer("m1", "another content")),
      store.commit(two, 1, { events: [STARTED], inboxCursor: 1 }),
      store.submit(specimen("t1", { requestHash: "another request" }), SPAWNED),
      store.commit(one, 2, { events: [ADMITTED] }),
      store.markReleased("nobody", 1, RELEASED),
      store.commit(two, 1, { events: [ADMITTED] }),
      store.commit(two, 2, { events: [ADMITTED] }),
    ]);
    const said = round.map((each) =>
      each.status === "fulfilled" ? "written" : (each.reason as { code: string }).code,
    );
    const wrong = ["message_reused", "idempotency_key_reused", "task_not_found", "sequence"];
    expect(said).toEqual([
      "written",
      wrong[0],
      "written",
      wrong[1],
      "written",
      wrong[2],
      wrong[3],
      "written",
    ]);
    expect(await store.get("t1")).toMatchObject({ seq: 3 });
    await expect(store.commit(one, 3, { events: [ADMITTED] })).resolves.toMatchObject({ seq: 4 });
    await expect(store.commit(two, 3, { events: [ADMITTED] })).resolves.toMatchObject({ seq: 4 });
    const cursors = (await store.events({ after: 0 })).map(({ cursor }) => cursor);
    expect(cursors).toEqual(Array.from({ length: 8 }, (_, at) => at + 1));
  });

  const late = { needs: "claim_expiry" } as const;

  clause(
    "D3 a refusal beside a claim leaves the new owner writing and the old one fenced",
    async ({ store, clock }) => {
      const old = await claimed(store, "t1");
      await store.commit(old, 1, { events: [STARTED] });
      await clock.advance(60_001);
      const claim = store.claim({ owner: "owner-b", boxId: "t1", ttlMs: 60_000, max: 1 });
      const refused = store.markRead("nobody", 1);
      await expect(refused).rejects.toMatchObject({ code: "task_not_found" });
      const [fresh] = await claim;
      const stale = store.commit(old, 2, { events: [ADMITTED] });
      await expect(stale).rejects.toMatchObject({ code: "fenced" });
      if (fresh === undefined) throw new Error("Expected a claim.");
      await expect(store.commit(fresh, 2, { events: [ADMITTED] })).resolves.toMatchObject({ seq: 3 });
    },
    late,
  );

  clause(
    "D6 gives nobody a task whose late owner ended it in the same round",
    async ({ store, clock }) => {
      const old = await claimed(store, "t1");
      await clock.advance(60_001);
      const ending = store.commit(old, 1, { events: [FINISHED], terminal: DONE });
      const claim = store.claim({ owner: "owner-b", boxId: "t1", ttlMs: 60_000, max: 1 });
      await expect(ending).resolves.toMatchObject({ seq: 2 });
      expect(await claim).toEqual([]);
      expect(await store.get("t1")).toMatchObject({ state: "done", epoch: 1 });
      expect(await store.heartbeat("owner-a", 60_000)).toEqual([]);
    },
    late,
  );
}
