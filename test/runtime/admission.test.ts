import { describe, expect, test } from "vitest";
import type { LoadProfile } from "../../src/core/load-profile.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import { Admission } from "../../src/runtime/admission.ts";
import type { AdmitRequest } from "../../src/scheduler/scheduler.ts";
import { agentNamed, MODEL, testSettings } from "./rig.ts";
import { specimen } from "../store/specimens.ts";

const HERE = { model: MODEL, reroutes: [] };

function desk(profile: LoadProfile | null = null) {
  const agents = [agentNamed("coder", { concurrencyLimit: 2 })];
  const admitted: AdmitRequest[] = [];
  const asked: { readonly ids: readonly string[]; readonly ahead: readonly string[] }[] = [];
  const scheduler = {
    admit: (request: AdmitRequest) => void admitted.push(request),
    checkRoom: (requests: readonly AdmitRequest[], ahead: ReadonlyMap<string, AdmitRequest>) =>
      void asked.push({ ids: requests.map(({ taskId }) => taskId), ahead: [...ahead.keys()] }),
  };
  const residency = { profileOf: () => profile, sizeOf: () => 5 };
  return { admission: new Admission(scheduler, testSettings({ agents }), residency), admitted, asked };
}

const named = (spec: TaskSpec, name: string): TaskSpec => ({ ...spec, agent: { ...spec.agent, name } });

describe("Admission", () => {
  test("asks with the parent's slots, and with the limit of an agent that has one", () => {
    const { admission, admitted } = desk();
    admission.admit(specimen("t1"), HERE);
    admission.admit(named(specimen("t2"), "coder"), { ...HERE, model: { ...MODEL, backend: "other" } });
    expect(admitted[0]).toMatchObject({ taskId: "t1", parentSlots: 3 });
    expect(admitted[0]).not.toHaveProperty("agentLimit");
    expect(admitted[1]).toMatchObject({ backend: "other", agentLimit: { key: "coder", limit: 2 } });
  });

  test("asks for the load profile of a model that is loaded at our command, with its size", () => {
    const { admission, admitted } = desk({ backend: "gpu", model: "m:1b", runner: { contextTokens: 512 } });
    admission.admit(specimen("t1"), HERE);
    expect(admitted[0]).toMatchObject({ profile: "m:1b@512", sizeBytes: 5 });
    const other = desk();
    other.admission.admit(specimen("t1"), HERE);
    expect(other.admitted[0]).not.toHaveProperty("profile");
  });

  test("A1 names those that were told of room until they are admitted, or their work has failed", async () => {
    const { admission, asked } = desk();
    let fail: (reason: Error) => void = () => {};
    const stored = new Promise<void>((_, reject) => (fail = reject));
    const first = admission.during([specimen("t1"), specimen("t2")], () => stored);
    admission.admit(specimen("t1"), HERE);
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
