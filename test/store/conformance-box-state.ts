// D9: what the box keeps beside its tasks.

import { expect } from "vitest";
import type { Clause } from "./conformance.ts";
import { claimed, end } from "./specimens.ts";

const VALUE = { list: [{ until: 1.5, text: 'a "b" – ⌘' }], none: null };

export function boxStateClauses(clause: Clause): void {
  clause("keeps JSON under a name, and nothing under another", async ({ store }) => {
    expect(await store.boxState("keys")).toBeNull();
    await store.saveBoxState("keys", VALUE);
    expect(await store.boxState("keys")).toEqual(VALUE);
    expect(await store.boxState("Keys")).toBeNull();
    expect(await store.boxState("__proto__")).toBeNull();
  });

  clause("replaces it as a whole, and forgets it", async ({ store }) => {
    await store.saveBoxState("keys", VALUE);
    await store.saveBoxState('a "b"', [1]);
    await store.saveBoxState("keys", { other: true });
    expect(await store.boxState("keys")).toEqual({ other: true });
    await store.saveBoxState("keys", null);
    await store.saveBoxState("never", null);
    expect(await store.boxState("keys")).toBeNull();
    expect(await store.boxState('a "b"')).toEqual([1]);
  });

  clause("hands out copies, and keeps none of the caller's", async ({ store }) => {
    const value = { list: [1] };
    await store.saveBoxState("keys", value);
    value.list.push(2);
    const read = (await store.boxState("keys")) as { list: number[] };
    read.list.push(3);
    expect(await store.boxState("keys")).toEqual({ list: [1] });
  });

  clause(
    "keeps it when trees are removed, makes no event, and refuses it once closed",
    async ({ store, clock }) => {
      await store.saveBoxState("keys", VALUE);
      await end(store, await claimed(store, "t1"));
      await store.markRead("t1", clock.now());
      const { newest } = await store.bounds();
      await store.prune({ endedBefore: clock.now() + 1 });
      await store.saveBoxState("more", 1);
      expect(await store.boxState("keys")).toEqual(VALUE);
      expect((await store.bounds()).newest).toBe(newest);
      await store.close();
      await expect(store.boxState("keys")).rejects.toMatchObject({ code: "closed" });
      await expect(store.saveBoxState("keys", 1)).rejects.toMatchObject({ code: "closed" });
    },
  );
}
