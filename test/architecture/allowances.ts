// The exceptions, each with its reason. One that nothing needs any more is itself a violation.

import type { Rule, Violation } from "./violation.ts";

export interface Allowance {
  readonly rule: Rule;
  readonly path: string;
  /** Part of the violation's message, where one file has several: the token in backticks, or a function's name. */
  readonly about?: string;
  /** Ends with a full stop, like any sentence. */
  readonly reason: string;
  /** For a source without a mirrored test: the test that reaches it instead. */
  readonly test?: string;
}

/** Parts of a room that have no test of their own, because one test reaches them all by the way they are used. */
function testedBy(test: string, reason: string, paths: readonly string[]): readonly Allowance[] {
  return paths.map((path) => ({ rule: "mirror", path, reason, test }));
}

export const ALLOWANCES: readonly Allowance[] = [
  ...testedBy(
    "test/public-api.test.ts",
    "A test may not be called index: the only index is the public API.",
    ["src/index.ts"],
  ),
  ...testedBy(
    "test/runtime/forest.ts",
    "They act only together, on living tasks: random trees under random people hold all of them to their invariants.",
    [
      "src/runtime/effects.ts",
      "src/runtime/household.ts",
      "src/runtime/task-host.ts",
      "src/runtime/turn-state.ts",
      "src/runtime/open-turn.ts",
      "src/runtime/ending.ts",
    ],
  ),
  ...testedBy(
    "test/runtime/homecoming.test.ts",
    "What a task pauses for is asked of whole tasks; its waits and its retry have tests of their own.",
    ["src/runtime/pauses.ts"],
  ),
  ...testedBy(
    "test/runtime/store-claims.test.ts",
    "Who owns a task shows on living tasks and their store only.",
    ["src/runtime/claimant.ts"],
  ),
  ...testedBy(
    "test/runtime/bad-calls.test.ts",
    "What a turn's calls come to is asked of whole tasks; the calls by themselves are the tool runner's.",
    ["src/runtime/call-tools-effect.ts"],
  ),
  ...testedBy(
    "test/api/conformance.ts",
    "They are the API in process: its conformance suite is their test, beside those of bad input and of every tool.",
    ["src/runtime/bound-api.ts", "src/runtime/reading.ts", "src/runtime/sessions.ts", "src/runtime/tasks.ts"],
  ),
  ...testedBy(
    "test/store/conformance.ts",
    "Parts of the SQLite store that only a whole store can be asked for: the contract's suite asks, beside the model.",
    [
      "src/store/sqlite-box-state.ts",
      "src/store/sqlite-claims.ts",
      "src/store/sqlite-connection.ts",
      "src/store/sqlite-inbox.ts",
      "src/store/sqlite-read.ts",
      "src/store/sqlite-readers.ts",
      "src/store/sqlite-rows.ts",
      "src/store/sqlite-tasks.ts",
      "src/store/sqlite-words.ts",
      "src/store/sqlite-write.ts",
    ],
  ),
  ...testedBy("test/store/sqlite-open.test.ts", "The lock is what opening a file twice comes to.", [
    "src/store/sqlite-lock.ts",
  ]),
  ...testedBy("test/store/sqlite-open.test.ts", "The refusals are what opening a wrong file comes to.", [
    "src/store/sqlite-opening.ts",
  ]),
  ...testedBy("test/credentials/pool-record.test.ts", "The words of keys and what is kept of them.", [
    "src/core/key-state.ts",
  ]),
  ...testedBy(
    "test/credentials/key-pool.test.ts",
    "Parts of the pool that only a whole pool can be asked for: what it lends, sums up and shows.",
    [
      "src/credentials/key-lease.ts",
      "src/credentials/key-ring.ts",
      "src/credentials/pool-verdict.ts",
      "src/credentials/pool-view.ts",
    ],
  ),
  ...testedBy(
    "test/browser/cases.ts",
    "Parts of the page that need a browser: a real one is driven by clicks and keys (`npm run test:browser`).",
    [
      "web/access.js",
      "web/box.js",
      "web/browser.js",
      "web/keys.js",
      "web/chart/statechart.js",
      "web/chart/task-chart.js",
      "web/main.js",
      "web/past.js",
      "web/place.js",
      "web/server.js",
      "web/speech.js",
      "web/task-data.js",
      "web/theme.js",
      "web/view/access-page.js",
      "web/view/app.js",
      "web/view/cancel-box.js",
      "web/view/chat-page.js",
      "web/view/chart-panel.js",
      "web/view/child-card.js",
      "web/view/gpu-page.js",
      "web/view/help-dialog.js",
      "web/view/inbox-page.js",
      "web/view/lane.js",
      "web/view/new-page.js",
      "web/view/plain-text.js",
      "web/view/providers.js",
      "web/view/composer.js",
      "web/view/shown-forest.js",
      "web/view/side-bar.js",
      "web/view/state-mark.js",
      "web/view/steer-box.js",
      "web/view/task-page.js",
      "web/view/task-side.js",
      "web/view/time-slider.js",
      "web/view/transcript.js",
      "web/view/tone-legend.js",
      "web/view/tree-page.js",
      "web/view/tree-row.js",
    ],
  ),
  ...testedBy(
    "test/runtimes/steps.ts",
    "The servers of Bun and Deno, which run there alone: the smoke program opens sockets on all three runtimes.",
    ["src/base/listen-sockets.ts"],
  ),
  ...testedBy(
    "test/cli/command-table.test.ts",
    "Parts of the table of commands, which is asked for as a whole.",
    ["src/cli/access-commands.ts", "src/cli/watching-commands.ts", "src/cli/worktree-commands.ts"],
  ),
  ...testedBy(
    "test/security/web.test.ts",
    "Walls that only a whole fetch can be led against: each is attacked, beside a fetch without it that falls.",
    ["src/toolsets/web-body.ts", "src/toolsets/web-fetch.ts", "src/toolsets/web-guard.ts"],
  ),
  ...testedBy(
    "test/toolsets/terminal.test.ts",
    "Parts of the terminal that only a shell can be asked for: the tools ask a real one.",
    ["src/toolsets/terminal-job.ts", "src/toolsets/terminal-script.ts", "src/toolsets/terminal-session.ts"],
  ),
  ...testedBy("test/worktrees.test.ts", "What a worktree holds is looked at when it is left.", [
    "src/worktree-look.ts",
  ]),
  ...testedBy("test/sandbox/sandbox.test.ts", "The program runs inside of a sandbox and nowhere else.", [
    "src/sandbox/guard-script.ts",
  ]),
  ...testedBy("test/providers/conformance.ts", "The contract: beside types it holds figures alone.", [
    "providers/provider.ts",
  ]),
];

const covers = (allowance: Allowance, violation: Violation): boolean =>
  allowance.rule === violation.rule &&
  allowance.path === violation.path &&
  violation.message.includes(allowance.about ?? "");

/** Contract: pure; the violations that no allowance covers, and one for each allowance that covers nothing. */
export function withoutAllowed(
  violations: readonly Violation[],
  allowances: readonly Allowance[],
): readonly Violation[] {
  const stale = allowances.filter((allowance) => !violations.some((each) => covers(allowance, each)));
  return [
    ...violations.filter((violation) => !allowances.some((allowance) => covers(allowance, violation))),
    ...stale.map(({ rule, path, about }): Violation => {
      const message = `nothing needs the allowance for ${rule}${about === undefined ? "" : ` (${about})`}: remove it`;
      return { rule: "allowance", path, line: 0, message };
    }),
  ];
}
