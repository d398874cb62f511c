// A whole box on a server whose models are loaded and unloaded at our command: the real scheduler plans, the real
// provider speaks, and a server in the shape of Ollama does what real ones do, on a virtual clock.

import { SimulatedClock } from "../../src/base/clock.ts";
import { FakeOllama, type FakeOllamaOptions } from "./fake-ollama.ts";
import { agentNamed, rigOn, testSettings, type Rig } from "./rig.ts";

export interface Box {
  readonly rig: Rig;
  readonly server: FakeOllama;
  readonly clock: SimulatedClock;
  readonly ended: (taskId: string) => Promise<{ readonly state: string; readonly code: string | undefined }>;
}

/** A box with one slot for each model; children are on `a`, sessions and the agent `other` on `b`. */
export function box(options: Partial<FakeOllamaOptions> = {}): Box {
  const clock = new SimulatedClock();
  const server = new FakeOllama({ clock, models: ["a", "b"], maxLoaded: 1, ...options });
  const { provider } = server;
  const [template] = testSettings().models;
  const refOf = (model: string) => ({ provider: "gpu", model, backend: "gpu" });
  const modelOf = (name: string) => ({
    ...(template as NonNullable<typeof template>),
    ref: refOf(name),
    contextTokens: 4_096,
  });
  const rig = rigOn(clock, {
    reply: () => [],
    providerOf: () => provider,
    providers: new Map([["gpu", provider]]),
    settings: {
      backends: [
        {
          name: "gpu",
          provider: "gpu",
          gpu: "gpu0",
          slots: 1,
          maxChildren: 4,
          local: true,
          // Room for one of them.
          residency: { vramBytes: 2_000 },
        },
      ],
      models: [modelOf("a"), modelOf("b")],
      parentModel: refOf("b"),
      childModel: refOf("a"),
      sessionAgent: agentNamed("session", { role: "orchestrator", toolsets: ["delegation"] }),
      agents: [agentNamed("other", { model: "gpu/b" })],
      delegation: { ...testSettings().delegation, maxConcurrentChildren: 9 },
    },
  });
  const ended: Box["ended"] = async (taskId) => {
    const { state, failure } = await rig.api.collect(taskId, { timeoutMs: 0 });
    return { state, code: failure?.code };
  };
  return { rig, server, clock, ended };
}
