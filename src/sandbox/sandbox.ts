// The sandbox of this machine: bubblewrap where it stands, nothing where it does not, and a bare shell only where the
// config says `tools.terminal.unsafe: true`.
//
// N1. Nothing is opened before the self-test has passed; its verdict is kept for as long as the server runs.
// N2. A request of a tool names a workspace and a program, and no wall: what is mounted and granted stands in the config
//     alone, or is added where the server is composed.
// N3. The program that builds the walls gets no environment: its own /proc entry can be read from inside.

import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inTime } from "../base/abort.ts";
import { openBait } from "../base/bait.ts";
import type { Clock } from "../base/clock.ts";
import { ToolError, messageOf } from "../base/errors.ts";
import { outputOf, type ProcessHost, type RunningProcess } from "../base/process.ts";
import type { Sandbox, SandboxBounds, SandboxRequest, SandboxVerdict } from "../core/sandbox.ts";
import { Cgroups } from "./cgroups.ts";
import { bubblewrapArgv, sandboxEnv, type BubblewrapPlan } from "./bubblewrap-argv.ts";
import { guardedArgv } from "./guard-script.ts";
import { callFilter } from "./call-filter.ts";
import { findRung, type Rung } from "./ladder.ts";
import { mountPlaces } from "./mounts.ts";
import { attemptsIn, breachOf, escapeScript } from "./self-test.ts";
import { pinsOf, shownPins, workspacePlace } from "./workspace-place.ts";

export interface SandboxSettings {
  readonly unsafe: boolean;
  readonly network: boolean;
  readonly maxMemoryBytes: number;
  readonly maxProcesses: number;
  /** Processors that a session may keep busy, where it is held as a whole. */
  readonly maxCpus: number;
  /** Folders outside of /usr that commands may read, absolute. */
  readonly mounts: readonly string[];
}

export interface SandboxOptions {
  readonly settings: SandboxSettings;
  readonly processes: ProcessHost;
  readonly clock: Clock;
  /** The user that this process acts as; `null` where the system has no such numbers. */
  readonly uid: number | null;
  /** Troupe's own files and folders, links resolved: no workspace and no mount may hold them. */
  readonly own: readonly string[];
  /** Files that stay as they are where a workspace holds them: Troupe's config. */
  readonly kept: readonly string[];
  /** Where the self-test may make a folder. */
  readonly scratch: string;
}

/** The self-test takes tens of milliseconds; on a machine that is stuck it must not keep a start from going on. */
const SELF_TEST_MS = 30_000;
/** Who runs commands for a server that root started, in a workspace that is root's own: nobody. */
export const SERVICE_UID = 65_534;
const REFUSAL =
  "No command runs without walls: see `troupe doctor`. (tools.terminal.unsafe: true in the config would run them bare.)";
/** The descriptor of a program's first channel (ProcessSpec). */
const FIRST_CHANNEL = 3;
const MAX_SELF_TEST_BYTES = 16_384;

export class LocalSandbox implements Sandbox {
  readonly #options: SandboxOptions;
  #rung: Promise<Rung | { readonly reason: string }> | undefined;
  #groups: Promise<Cgroups | { readonly reason: string }> | undefined;
  #verdict: Promise<SandboxVerdict> | undefined;

  constructor(options: SandboxOptions) {
    this.#options = options;
  }

  verdict(): Promise<SandboxVerdict> {
    return (this.#verdict ??= this.#judge());
  }

  async open(request: SandboxRequest): Promise<RunningProcess> {
    const verdict = await this.verdict();
    if (!verdict.stands) {
      throw new ToolError("sandbox_unavailable", `The terminal is closed: ${verdict.reason} ${REFUSAL}`, {
        details: { config_key: "tools.terminal.unsafe" },
      });
    }
    return this.#start(request);
  }

  async #start(request: SandboxRequest): Promise<RunningProcess> {
    const { settings, processes, own, kept } = this.#options;
    const { argv, channels = 0, shown = [] } = request;
    const place = await workspacePlace({ ...request, own });
    if (settings.unsafe) {
      return processes.start({ argv, channels, cwd: place.path, env: sandboxEnv(settings.mounts) });
    }
    const rung = await this.#found();
    if ("reason" in rung)
      throw new ToolError("sandbox_unavailable", `The terminal is closed: ${rung.reason}`);
    const pins = [...(await pinsOf(place.path, kept)), ...(await shownPins(shown))];
    const mounts = await mountPlaces(settings.mounts, own);
    const guarded = guardedArgv({ ...settings, channels, workspace: place, mounts, pins, argv });
    const plan: BubblewrapPlan = {
      ...settings,
      ...rung,
      drop: this.#dropOf(rung, place),
      layout: { links: rung.links },
      workspace: place.path,
      mounts,
      pins,
      // Behind the channels that the program has.
      filter: rung.machine === null ? null : FIRST_CHANNEL + channels,
      scratchBytes: Math.floor(settings.maxMemoryBytes / 2),
      argv: guarded,
    };
    // N3
    const spec = { argv: bubblewrapArgv(plan), channels: channels + 1, cwd: "/", env: {} };
    const groups = await this.#held();
    const program = await ("reason" in groups ? processes.start(spec) : groups.start(spec));
    if (plan.filter !== null && rung.machine !== null) {
      program.write(plan.filter, callFilter(rung.machine, settings.network));
      program.endInput(plan.filter);
    }
    return program;
  }

  async settle(): Promise<void> {
    const groups = await this.#groups;
    if (groups !== undefined && !("reason" in groups)) await groups.settle();
  }

  /** Root becomes the one whose workspace it is, and nobody where that is root too. */
  #dropOf({ setpriv }: Rung, place: { readonly uid: number; readonly gid: number }): BubblewrapPlan["drop"] {
    if (this.#options.uid !== 0 || setpriv === null) return null;
    if (place.uid === 0) return { setpriv, uid: SERVICE_UID, gid: SERVICE_UID };
    return { setpriv, uid: place.uid, gid: place.gid === 0 ? SERVICE_UID : place.gid };
  }

  #found(): Promise<Rung | { readonly reason: string }> {
    const { processes, uid } = this.#options;
    this.#rung ??= findRung(processes, uid === 0).then((found) => ("rung" in found ? found.rung : found));
    return this.#rung;
  }

  #held(): Promise<Cgroups | { readonly reason: string }> {
    const { processes, clock, settings } = this.#options;
    return (this.#groups ??= Cgroups.open({ processes, clock, caps: settings }));
  }

  async #bounds(): Promise<SandboxBounds> {
    const { maxProcesses, maxMemoryBytes, maxCpus } = this.#options.settings;
    const groups = await this.#held();
    const memory = `${Math.floor(maxMemoryBytes / 2 ** 20)} MiB`;
    if ("reason" in groups) {
      const text = `${maxProcesses} processes for a session, ${memory} of memory for each of them`;
      return { text, gap: `no bound holds a session as a whole: ${groups.reason}` };
    }
    const cpus = `${maxCpus} processor${maxCpus === 1 ? "" : "s"}`;
    const text = `${maxProcesses} processes, ${memory} of memory and ${cpus} for a session as a whole (cgroups, version ${groups.version})`;
    return { text, gap: null };
  }

  async #judge(): Promise<SandboxVerdict> {
    const { settings, uid } = this.#options;
    if (settings.unsafe) {
      const bounds = { text: "no bounds", gap: "tools.terminal.unsafe is true" };
      return { stands: true, unsafe: true, kind: "none: tools.terminal.unsafe is true", bounds };
    }
    const rung = await this.#found();
    if ("reason" in rung) return { stands: false, reason: rung.reason };
    const breach = await this.#tryEscapes(rung.machine !== null).catch(
      (error: unknown) => `the self-test failed (${messageOf(error)}).`,
    );
    if (breach !== null)
      return { stands: false, reason: `bubblewrap ${rung.version} is here, but ${breach}` };
    const who = uid === 0 ? ", never as root" : "";
    const network = settings.network ? "with this machine's whole network" : "no network";
    const calls = rung.machine === null ? ", no filter of system calls for this architecture" : "";
    const kind = `bubblewrap ${rung.version}${who}, ${network}${calls}`;
    return { stands: true, unsafe: false, kind, bounds: await this.#bounds() };
  }

  /** Keeps N1: why the walls do not stand, or `null`. */
  async #tryEscapes(isFiltered: boolean): Promise<string | null> {
    const { scratch, settings, uid, clock } = this.#options;
    const base = await mkdtemp(join(scratch, "troupe-walls-"));
    try {
      const [workspace, secretPath] = [join(base, "workspace"), join(base, "secret")];
      await mkdir(workspace, { mode: 0o700 });
      if (uid === 0) await chown(workspace, SERVICE_UID, SERVICE_UID);
      // Anybody may enter: what keeps the sandbox out must be its walls.
      await chmod(base, 0o755);
      const secret = "outside\n";
      await writeFile(secretPath, secret, { mode: 0o666 });
      await chmod(secretPath, 0o666);
      const bait = await openBait(join(base, "socket"));
      try {
        const outside = {
          secretPath,
          secret,
          socketPath: join(base, "socket"),
          bait,
          network: settings.network,
          filtered: isFiltered,
        };
        const argv = ["bash", "--norc", "-c", escapeScript(outside)] as const;
        const tried = await this.#start({ workspace, argv });
        const late = (): Error => new Error(`it took longer than ${SELF_TEST_MS / 1_000} s`);
        const { stdout, stderr } = await inTime({ clock, ms: SELF_TEST_MS, late }, (signal) =>
          outputOf(tried, { maxBytes: MAX_SELF_TEST_BYTES, signal }),
        );
        const breach = breachOf(attemptsIn(stdout), stderr);
        if (breach !== null) return breach;
        const untouched = (await readFile(secretPath, "utf8")) === secret && bait.visitors() === 0;
        return untouched ? null : "the self-test changed or reached something outside.";
      } finally {
        await bait.close();
      }
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  }
}
