import { describe, expect, test } from "vitest";
import type { TaskSpec } from "../../src/core/task.ts";
import { Admission } from "../../src/runtime/admission.ts";
import type { AdmitRequest } from "../../src/scheduler/scheduler.ts";
import { agentNamed, testSettings } from "./rig.ts";
import { specimen } from "../store/specimens.ts";

function desk(agents = [agentNamed("coder", { concurrencyLimit: 2 })]) {
  const admitted: AdmitRequest[] = [];
  const asked: { readonly ids: readonly string[]; readonly ahead: readonly string[] }[] = [];
  const scheduler = {
    admit: (request: AdmitRequest) => void admitted.push(request),
    checkRoom: (requests: readonly AdmitRequest[], ahead: ReadonlyMap<string, AdmitRequest>) =>
      void asked.push({ ids: requests.map(({ taskId }) => taskId), ahead: [...ahead.keys()] }),
  };
  return { admission: new Admission(scheduler, testSettings({ agents })), admitted, asked };
}

const named = (spec: TaskSpec, name: string): TaskSpec => ({ ...spec, agent: { ...spec.agent, name } });

describe("Admission", () => {
  test("asks with the parent's slots, and with the limit of an agent that has one", () => {
    const { admission, admitted } = desk();
    admission.admit(specimen("t1"));
    admission.admit(named(specimen("t2"), "coder"));
    expect(admitted[0]).toMatchObject({ taskId: "t1", parentSlots: 3 });
    expect(admitted[0]).not.toHaveProperty("agentLimit");
    expect(admitted[1]).toMatchObject({ agentLimit: { key: "coder", limit: 2 } });
  });

  test("A1 names those that were told of room until they are admitted, or their work has failed", async () => {
    const { admission, asked } = desk();
    let fail: (reason: Error) => void = () => {};
    const stored = new Promise<void>((_, reject) => (fail = reject));
    const first = admission.during([specimen("t1"), specimen("t2")], () => stored);
    admission.admit(specimen("t1"));
    await admission.during([specimen("t3")], () => Promise.resolve());
    fail(new Error("down"));
    await expect(first).rejects.toThrow("down");
    await admission.during([specimen("t4")], () => Promise.resolve());
    expect(asked).toEqual([
      { ids: ["t1", "t2"], ahead: [] },
      { ids: ["t3"], ahead: ["t2"] },
      { ids: ["t4"], ahead: [] },
    ]);
  });
});
