// Conformance: the box.

import { expect } from "vitest";
import { NotFoundError } from "../../src/base/errors.ts";
import { STATES } from "../../src/core/lifecycle.ts";
import type { Case } from "./conformance.ts";

export function boxCases(clause: Case): void {
  clause("the status counts tasks by state", async ({ api, finishTask }) => {
    const { taskId } = await api.delegate({ goal: "walk" });
    await finishTask(taskId, "arrived");
    const status = await api.status();
    expect(Object.keys(status.tasks).toSorted()).toEqual([...STATES].toSorted());
    expect(status.tasks.done).toBe(1);
    expect(status.paused).toBe(false);
  });

  clause("pause is a switch that the status shows", async ({ api }) => {
    expect(await api.pause(true)).toEqual({ paused: true });
    expect((await api.status()).paused).toBe(true);
    expect(await api.pause(false)).toEqual({ paused: false });
    expect((await api.status()).paused).toBe(false);
  });

  clause("GPUs and providers are lists", async ({ api }) => {
    expect(Array.isArray(await api.gpus())).toBe(true);
    expect(Array.isArray(await api.providers())).toBe(true);
  });

  clause("a key that is not there cannot be switched", async ({ api }) => {
    await expect(api.switchKey("ffffffffffff", true)).rejects.toMatchObject({ code: "key_not_found" });
  });

  clause("a machine's definition arrives as it is, an unknown one is not found", async ({ api }) => {
    for (const name of ["agent", "residency"]) {
      const machine = await api.machine(name);
      expect(machine).toMatchObject({ name, definition: expect.any(Object) });
    }
    await expect(api.machine("toaster")).rejects.toBeInstanceOf(NotFoundError);
  });
}
