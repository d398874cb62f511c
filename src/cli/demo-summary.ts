// The last words of the demo: who waited for what, how long the conversation was ever held up, and what did not hold.
// Pure.

import type { DemoReport, TaskRow, WaitRow } from "./demo-report.ts";
import { GOALS } from "./demo-story.ts";
import type { CrashReport, Fact } from "./demo-crash-facts.ts";
import { cut, cutLine, duration, pad, plural, shortId, wrap } from "./demo-words.ts";
import { oneLine } from "./printable.ts";
import { stateSpan, type Line, type Span } from "./printer.ts";

const RESULT_CHARS = 300;

function waitLine(row: WaitRow): Line {
  const who = row.who === "person" ? "you" : row.who === "parent" ? "the parent" : shortId(row.taskId);
  const times = pad(`${row.times} ×`, 6);
  const longest = pad(duration(row.longestMs), 9);
  return `  ${pad(who, 13)}${pad(row.for, 19)}${times}longest ${longest}in all ${duration(row.totalMs)}`;
}

function taskLines(task: TaskRow, columns: number): readonly Line[] {
  const steers = task.steers.map(
    ({ state, turn }) => `, steer ${state}${turn === null ? "" : ` at turn ${turn}`}`,
  );
  const ran = task.ranMs === null ? "" : ` after ${duration(task.ranMs)}`;
  const end =
    task.failure === null
      ? oneLine((task.result ?? "").replace(REPORT_HEAD, ""), RESULT_CHARS)
      : oneLine(task.failure.message);
  return [
    [
      `  ${pad(shortId(task.taskId), 13)}`,
      stateSpan(task.state),
      `${ran}, ${plural(task.turns, "turn")}${steers.join("")}`,
    ],
    ...(end === "" ? [] : [[["dim", cut(`               ${end}`, columns)]] as Line]),
  ];
}

/** What the simulator's reports begin with: the goal, which stands elsewhere. */
const REPORT_HEAD = /^Report by rule \(simulated\):.*\n/;

function conversationLines(report: DemoReport): readonly string[] {
  const { calls, longestBlockedMs, messages, longestWaitMs, patienceMs } = report.conversation;
  const { answeredWhileRunning } = report.conversation;
  return [
    `${plural(calls.length, "delegation call")}; none held the conversation longer than ${duration(longestBlockedMs)}.`,
    `${plural(messages.length, "message")} of yours, each handed to the model within ${duration(longestWaitMs)} ` +
      `(allowed: ${duration(patienceMs)}); ${answeredWhileRunning} answered while children ran.`,
  ];
}

function adviceFor(report: DemoReport): readonly Line[] {
  if (report.parent !== "model" || report.tasks.length >= GOALS.length) return [];
  return [
    `${report.models.parent} did not delegate by itself. Name a larger model with tools, or leave --parent-model out.`,
  ];
}

/** The facts about the kill, each as it was seen. */
function crashLines({ kill, facts }: CrashReport, columns: number): readonly Line[] {
  const head =
    kill === null
      ? ""
      : ` (pid ${kill.pid}, gone for ${duration(kill.downMs)}; then pid ${kill.nextPid}, checked over HTTP)`;
  return [
    cutLine([["bold", "After the kill -9"], head], columns),
    ...facts.flatMap((fact) => factLines(fact, columns)),
    "",
  ];
}

function factLines({ name, held, got }: Fact, columns: number): readonly Line[] {
  const mark: Span = held ? ["green", "  ✓ "] : ["red", "  ✗ "];
  return wrap(`${name}: ${oneLine(got)}`, columns - 4).map((text, at): Line => [
    at === 0 ? mark : "    ",
    text,
  ]);
}

/** Contract: pure. */
export function summaryOf(report: DemoReport, columns: number): readonly Line[] {
  const simulated =
    report.backend === "simulated" ? "simulated: these figures are no measurement of a GPU" : "Ollama";
  return [
    "",
    [["bold", "What happened"], ` (${duration(report.elapsedMs)}, ${simulated})`],
    ...conversationLines(report).flatMap((line) => wrap(line, columns)),
    "",
    [["bold", "Who waited for what"]],
    ...report.waits.map(waitLine),
    "",
    [["bold", "What became of the tasks"]],
    ...report.tasks.flatMap((task) => taskLines(task, columns)),
    "",
    ...(report.crash ? crashLines(report.crash, columns) : []),
    ...(report.passed
      ? [
          [
            ["green", `All ${report.checks.length + (report.crash?.facts.length ?? 0)} promises held.`],
          ] as Line,
        ]
      : [...report.failures.map((failure): Line => [["red", failure]]), ...adviceFor(report)]),
  ];
}
