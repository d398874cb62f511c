// A model server in the shape of Ollama with the keeper of its models before it, and everything that the keeper says:
// to the scheduler, to the log. The test plays the scheduler.

import { SimulatedClock } from "../../src/base/clock.ts";
import { lineLogger } from "../../src/base/log.ts";
import type { ResidencyView } from "../../src/core/box-api.ts";
import { UNWATCHED } from "../../src/runtime/inspection.ts";
import { ResidencyServer } from "../../src/runtime/residency-server.ts";
import type { ResidencyReport } from "../../src/scheduler/scheduler.ts";
import { FakeOllama, type FakeOllamaOptions } from "./fake-ollama.ts";

export const A = "a:latest@512";
export const B = "b:latest@512";

export function residencyStage(options: Partial<FakeOllamaOptions> = {}) {
  const clock = new SimulatedClock();
  const server = new FakeOllama({ clock, models: ["a", "b"], ...options });
  const reports: ResidencyReport[] = [];
  const logged: string[] = [];
  const foreignBytes: number[] = [];
  /** What each look saw. */
  const reached: boolean[] = [];
  const work = { isBusy: false };
  const profileOf = (name: string) => ({
    backend: "ollama",
    model: `${name}:latest`,
    runner: { contextTokens: 512 },
  });
  const keeper = new ResidencyServer({
    backend: "ollama",
    profiles: [profileOf("a"), profileOf("b")],
    provider: () => server.provider,
    clock,
    logger: lineLogger((line) => logged.push(line)),
    inspection: UNWATCHED,
    drainMs: 10_000,
    report: (report) => reports.push(report),
    isBusy: () => work.isBusy,
    onReach: (isThere) => reached.push(isThere),
    onForeignBytes: (bytes) => foreignBytes.push(bytes),
  });
  return {
    clock,
    server,
    keeper,
    reports,
    logged,
    foreignBytes,
    reached,
    work,
    /** What the scheduler was told of a profile, oldest first, in words. */
    told: (profile = A): string[] =>
      reports
        .filter((report) => report.profile === profile)
        .map(({ state, passing }) => (passing === true ? `${state}, passing` : state)),
    viewOf: (profile = A): ResidencyView | undefined =>
      keeper.views().find((view) => view.profile === profile),
    /** Loads a profile, as the scheduler would have it. */
    load: async (profile = A): Promise<void> => {
      keeper.command("load", profile);
      await clock.advance(3_000);
    },
  };
}
