import { expect, test } from "vitest";
import { capsOf } from "../../src/runtime/backend-caps.ts";

const backend = { name: "gpu", provider: "ollama", gpu: "g0", slots: 2, maxChildren: 5, local: true };

test("a backend's caps are its settings', with residency and caps that adapt where it has them", () => {
  const caps = { backend: "gpu", provider: "ollama", gpu: "g0", slots: 2, maxChildren: 5, maxQueued: 9 };
  expect(capsOf(backend, { maxQueued: 9 })).toEqual(caps);
  const more = { residency: { vramBytes: null }, autoSlots: { most: 8 }, autoChildren: { most: 16 } };
  expect(capsOf({ ...backend, ...more }, { maxQueued: 9 })).toEqual({ ...caps, ...more });
});
