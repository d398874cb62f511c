// The box of the canned API: one GPU with every member of its view in use.

import { NotFoundError } from "../../src/base/errors.ts";
import { type State, STATES } from "../../src/core/lifecycle.ts";
import type { BoxStatus, GpuView, MachineView, ProviderView, KeyView } from "../../src/core/box-api.ts";

export const CANNED_GPUS: readonly GpuView[] = [
  {
    gpu: "gpu0",
    backends: [
      {
        backend: "canned@0",
        profile: "canned-1@16384",
        provider: "canned",
        gpu: "gpu0",
        residency: "resident",
        slots: 2,
        slotsAuto: true,
        slotsReason: "2: the third did not make it faster",
        maxChildren: 4,
        leases: [{ leaseId: "lease_1", taskId: "task_1", class: "background", heldMs: 12.5 }],
        places: ["task_1"],
        waiting: [
          {
            taskId: "task_2",
            wants: "lease",
            class: "batch",
            position: 1,
            waitedMs: 3,
            reason: "2 of 2 slots",
          },
        ],
      },
    ],
    loaded: [{ model: "canned-1", sizeBytes: 10, vramBytes: 8, contextTokens: 16_384, foreign: false }],
    residency: [
      {
        backend: "canned",
        profile: "canned-2:latest@16384",
        model: "canned-2:latest",
        state: "absent",
        phase: "wedged",
        since: 1,
        inFlight: 0,
        vramBytes: 0,
        loadMs: null,
        failures: 1,
        problem: { code: "load_wedged", message: "Restart Ollama." },
        retryAt: 2,
      },
    ],
    outages: [{ backend: "canned", since: 1, held: 2, message: "canned has not answered since then" }],
  },
];

export const CANNED_PROVIDERS: readonly ProviderView[] = [
  {
    provider: "canned",
    type: "scripted",
    baseUrl: "http://127.0.0.1:1",
    reachable: true,
    version: null,
    problem: null,
    simulated: true,
    models: [
      {
        model: "canned-1",
        sizeBytes: null,
        parameters: "1B",
        contextTokens: null,
        tools: true,
        thinking: false,
      },
    ],
    keys: [
      {
        fingerprint: "0123456789ab",
        source: "env:CANNED_KEY",
        state: "throttled",
        reason: "the server asks for fewer requests",
        until: 1_700_000_060_000,
        inFlight: 1,
        concurrency: 4,
        models: [{ model: "canned-1", until: 1_700_000_090_000, reason: "its tokens are used up" }],
      },
    ],
  },
];

export async function cannedKeys(fingerprint: string, disabled: boolean): Promise<readonly KeyView[]> {
  const keys = CANNED_PROVIDERS.flatMap((each) => each.keys);
  const found = keys.filter((each) => each.fingerprint === fingerprint);
  if (found.length === 0) throw new NotFoundError("key_not_found", `There is no key ${fingerprint}.`);
  return found.map((each) => ({ ...each, state: disabled ? "disabled" : "ready" }));
}

export function cannedMachine(name: string): MachineView {
  if (name !== "agent" && name !== "residency") {
    throw new NotFoundError("machine_not_found", `Expected a machine's name, got ${JSON.stringify(name)}.`);
  }
  // Keys in two styles: a definition is somebody else's JSON and must arrive as it is.
  return { name, version: 1, definition: { initialState: "spawned", on_done: { targetState: "done" } } };
}

export function cannedStatus(
  tasks: readonly { readonly state: State }[],
  paused: boolean,
  newestCursor: number,
): BoxStatus {
  const count = (word: State): number => tasks.filter(({ state }) => state === word).length;
  return {
    version: "0.0.0-canned",
    boxId: "box_canned",
    simulated: true,
    paused,
    tasks: Object.fromEntries(STATES.map((word) => [word, count(word)])) as Record<State, number>,
    startedAt: 0,
    durability: "none",
    storeId: "canned",
    newestCursor,
    unsafe: ["tools.terminal.unsafe: canned"],
    recordedAt: null,
  };
}
