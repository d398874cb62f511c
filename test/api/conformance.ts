// The contract of core/api.ts as tests, over any implementation: in process, over HTTP, or bound to a task.
// It drives tasks only through the harness and asks only what every implementation must answer alike.

import { describe, expect, it } from "vitest";
import type { TroupeApi } from "../../src/core/api.ts";
import { boxCases } from "./conformance-box.ts";
import { collectCases } from "./conformance-collect.ts";
import { eventCases } from "./conformance-events.ts";
import { sessionCases } from "./conformance-sessions.ts";
import { taskCases } from "./conformance-tasks.ts";

/** One implementation under test, with the hands that a test needs inside it. */
export interface ApiHarness {
  readonly api: TroupeApi;
  /** Lets the task run and end as `done` with this result; resolves once the end is recorded. */
  readonly finishTask: (taskId: string, result: string) => Promise<void>;
  /** Lets the task run and end as `failed`; resolves once the end is recorded. */
  readonly failTask: (
    taskId: string,
    failure: { readonly code: string; readonly message: string },
  ) => Promise<void>;
  /** Moves the clock that the implementation waits on, and lets what comes due take effect. */
  readonly advance: (ms: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

export interface ConformanceOptions {
  /** Title of a case → why this implementation cannot keep it. */
  readonly unsupported?: Readonly<Record<string, string>>;
}

/** How a group of cases states one: a title, and what to do with a fresh implementation. */
export type Case = (title: string, body: (harness: ApiHarness) => Promise<void>) => void;

/** Declares the whole suite for one implementation; `makeApi` makes an empty one for each case. */
export function taskApiConformance(
  name: string,
  makeApi: () => Promise<ApiHarness>,
  options: ConformanceOptions = {},
): void {
  const titles = new Set<string>();
  const stated: Case = (title, body) => {
    titles.add(title);
    const reason = options.unsupported?.[title];
    const why = reason === undefined ? "" : ` (skipped: ${reason})`;
    it.skipIf(reason !== undefined)(`${title}${why}`, async () => {
      expect.hasAssertions();
      const harness = await makeApi();
      try {
        await body(harness);
      } finally {
        await harness.close();
      }
    });
  };
  describe(`${name} keeps the contract of TroupeApi`, () => {
    describe("tasks", () => {
      taskCases(stated);
    });
    describe("results", () => {
      collectCases(stated);
    });
    describe("events", () => {
      eventCases(stated);
    });
    describe("sessions", () => {
      sessionCases(stated);
    });
    describe("the box", () => {
      boxCases(stated);
    });
    it("names only cases that exist as unsupported", () => {
      expect(Object.keys(options.unsupported ?? {}).filter((title) => !titles.has(title))).toEqual([]);
    });
  });
}
