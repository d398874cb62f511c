// `troupe demo`: opens a session on a box of its own, plays the story, shows it, and judges what happened. Everything
// that it starts, it closes, also after Ctrl-C.

import { deadline, linkedAbort } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { InternalError, messageOf } from "../base/errors.ts";
import type { World } from "../compose.ts";
import { toWire } from "../core/wire.ts";
import { startDemoBox, type DemoBox } from "./demo-box.ts";
import { startCrashBox } from "./demo-crash-box.ts";
import { DemoCrash } from "./demo-crash.ts";
import { DEMO_HELP, demoOptions } from "./demo-options.ts";
import { DemoRecord } from "./demo-record.ts";
import { reportOf, type DemoReport, type ReportInput } from "./demo-report.ts";
import { LiveShow, PlainShow, type Show } from "./demo-show.ts";
import { DemoStage } from "./demo-stage.ts";
import { summaryOf } from "./demo-summary.ts";
import { DemoWatch } from "./demo-watch.ts";
import { duration } from "./demo-words.ts";
import { commandHelp } from "./help.ts";
import { jsonLine } from "./printable.ts";
import { Printer } from "./printer.ts";
import type { CliWorld } from "./world.ts";

export interface Pace {
  /** How many times faster than life the simulated box runs and the person types. */
  readonly speed: number;
}

/** A story that hangs is a failed one. A slow machine with a large model may take its time. */
const LONGEST_MS = { simulated: 180_000, ollama: 1_800_000 } as const;
const TYPING_MS = 14;
const KEPT_LOG_LINES = 20;
const INTERRUPTED = 130;

/** Contract: throws TroupeErrors for wrong flags, and for a model or server that is not there; else the exit code. */
export async function runDemo(
  args: readonly string[],
  world: CliWorld,
  pace: Pace = { speed: 1 },
): Promise<number> {
  const options = demoOptions(args);
  const { terminal } = world;
  if (options.help) {
    terminal.writeOut(`${commandHelp(DEMO_HELP, [])}\n`);
    return 0;
  }
  const log: string[] = [];
  // Warnings would tear the screen; they matter only where something went wrong.
  const quiet: World = { ...world, writeLog: (line) => void log.push(line) };
  const { backend } = options;
  const withCrash = backend.kind === "simulated" && backend.crash;
  const box = withCrash
    ? await startCrashBox({ ...world, writeLog: quiet.writeLog }, pace.speed)
    : await startDemoBox({ backend, world: quiet, speed: pace.speed });
  const report = await play({ box, world, json: options.json, typingMs: TYPING_MS / pace.speed }).finally(
    () => box.close(),
  );
  tell(report, world, options.json);
  if (world.signal.aborted) return INTERRUPTED;
  const lines = box.ownServer?.lastLines ?? log.slice(-KEPT_LOG_LINES);
  if (!report.passed) for (const line of lines) world.writeLog(line);
  return report.passed ? 0 : 1;
}

function tell(report: DemoReport, { terminal, signal }: CliWorld, json: boolean): void {
  if (json) return terminal.writeOut(`${jsonLine(toWire(report))}\n`);
  const printer = new Printer(terminal, false);
  if (signal.aborted) return printer.note("Interrupted. Everything that the demo started is closed.");
  for (const line of summaryOf(report, terminal.columns())) printer.data(line);
}

interface PlayOptions {
  readonly box: DemoBox;
  readonly world: CliWorld;
  readonly json: boolean;
  readonly typingMs: number;
}

/** The story on a session of its own, from the first line to the report. */
async function play({ box, world, json, typingMs }: PlayOptions): Promise<DemoReport> {
  const { clock } = world;
  const { api, models, patienceMs } = box;
  const scripted = box.parent === "scripted";
  // A scripted parent delegates from outside; its session only talks, and has what the children may inherit.
  const session = await api.createSession(scripted ? { toolsets: ["file"] } : {});
  const record = new DemoRecord(session.taskId, () => clock.now());
  const abort = linkedAbort(world.signal);
  const longestMs = LONGEST_MS[box.backend];
  const limit = deadline(clock, longestMs, () =>
    abort.abort(new InternalError("demo_timeout", `The demo did not end within ${duration(longestMs)}.`)),
  );
  const watch = new DemoWatch(record, abort.signal);
  const following = watch.follow(api);
  const show = showOf({ box, world, record, watch, json });
  const showing = show.run(abort.signal);
  const since = clock.monotonic();
  const signal = abort.signal;
  const stage = new DemoStage({
    api,
    record,
    watch,
    world,
    signal,
    typingMs: show instanceof LiveShow ? typingMs : 0,
  });
  const crash =
    box.ownServer === null
      ? null
      : new DemoCrash({ api, server: box.ownServer, record, watch, clock, signal });
  let broken: string | null = null;
  try {
    if (crash) await stage.playThroughCrash(crash);
    else if (scripted) await stage.playScripted(box.asParent(session.taskId));
    else await stage.playWithModel();
  } catch (error) {
    broken = messageOf(error);
  }
  const elapsedMs = clock.monotonic() - since;
  limit.cancel();
  abort.abort(new InternalError("demo_over", "The demo is over."));
  abort.release();
  await Promise.all([following, showing]);
  await show.end();
  // Nobody is asked on behalf of a person who has left.
  const isOver = world.signal.aborted;
  const judged = isOver || crash === null ? null : await crash.judge();
  const tasks = isOver ? [] : await tasksOf(box, record);
  return reportOf({ record, box, models, patienceMs, elapsedMs, broken, tasks, crash: judged });
}

/** The children at the end; none where nobody can be asked any more, which the report says. */
async function tasksOf({ api }: DemoBox, record: DemoRecord): Promise<ReportInput["tasks"]> {
  try {
    return await Promise.all(
      record.children.map(async ({ taskId }) => ({
        view: await api.check(taskId),
        result: await api.collect(taskId, { timeoutMs: 0 }),
      })),
    );
  } catch {
    return [];
  }
}

function outageOf({ ownServer }: DemoBox, clock: Clock): string | null {
  const since = ownServer?.awaySince ?? null;
  if (since === null) return null;
  return `Troupe is dead for ${duration(clock.monotonic() - since)}; above is what was seen last`;
}

interface ShowParts {
  readonly box: DemoBox;
  readonly world: CliWorld;
  readonly record: DemoRecord;
  readonly watch: DemoWatch;
  readonly json: boolean;
}

/** With `--json` people read stderr, where they read at all. */
function showOf({ box, world, record, watch, json }: ShowParts): Show {
  const { terminal, clock } = world;
  const isTerminal = json ? terminal.errIsTerminal : terminal.outIsTerminal;
  const printer = new Printer(terminal, false);
  const options = {
    box,
    api: box.api,
    record,
    watch,
    clock,
    outage: () => outageOf(box, clock),
    terminal,
    render: (line: Parameters<Printer["render"]>[0]) => printer.render(line, isTerminal),
  };
  if (!json) {
    const Kind = isTerminal && terminal.env["TERM"] !== "dumb" ? LiveShow : PlainShow;
    return new Kind({ ...options, write: (text) => terminal.writeOut(text) });
  }
  return new PlainShow({ ...options, write: (text) => isTerminal && terminal.writeErr(text) });
}
