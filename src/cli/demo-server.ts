// `troupe serve` as a process of its own, for a demo that kills it: started on a home, known by the line that it writes
// when it serves, and started again on the same port.
//
// P1. The process never outlives this one: it is killed at `close`, and at the exit of this process too.
// P2. Whoever waits for the server waits for the next one while there is none, and no longer than it may take to start.
// P3. A server that ends by itself, or does not come, is told with its last lines.

import { spawn, type ChildProcess } from "node:child_process";
import system from "node:process";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { withSignal } from "../base/abort.ts";
import type { Clock } from "../base/clock.ts";
import { ConfigError, messageOf } from "../base/errors.ts";
import { fromWire } from "../core/wire.ts";
import { duration } from "./demo-words.ts";
import type { Terminal } from "./terminal.ts";

/** A server that serves. */
export interface Life {
  readonly pid: number;
  readonly url: string;
  readonly tokenFile: string;
  /** From the start of the process until it served. */
  readonly startMs: number;
}

export interface DemoServerOptions {
  /** The server's home and working directory; its store and its token lie there. */
  readonly home: string;
  readonly configFile: string;
  readonly terminal: Pick<Terminal, "env" | "runtime">;
  readonly clock: Clock;
  /** How long a server may take until it serves. */
  readonly readyMs?: number;
}

const MAIN = fileURLToPath(new URL("./main.ts", import.meta.url));
const READY_MS = 30_000;
const KEPT_LINES = 20;
/** Lines that an error repeats. */
const TOLD_LINES = 3;

/** What `serve --json` writes once it serves. */
const announcement = z.object({ url: z.url(), tokenFile: z.string().min(1) });

/** What each runtime wants before the script. */
const BEFORE_SCRIPT: Readonly<Record<string, readonly string[]>> = { Deno: ["run", "-A"] };

export class DemoServer {
  readonly #options: DemoServerOptions;
  readonly #lines: string[] = [];
  readonly #atExit = (): void => void this.#child?.kill("SIGKILL");
  #child: ChildProcess | null = null;
  #next = Promise.withResolvers<Life>();
  #port = 0;
  #awaySince: number | null;
  #isClosed = false;

  constructor(options: DemoServerOptions) {
    this.#options = options;
    this.#awaySince = options.clock.monotonic();
    this.#next.promise.catch(() => {});
    system.once("exit", this.#atExit);
  }

  /** Since when nothing serves, on the monotonic clock; `null` while it does. */
  get awaySince(): number | null {
    return this.#awaySince;
  }

  /** What its processes wrote on stderr, last. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** The server that serves, or the next one. Contract: rejects with ConfigError `demo_server_lost` (keeps P2, P3). */
  life(): Promise<Life> {
    return this.#next.promise;
  }

  /** Contract: rejects as `life` does, and with the signal's reason; nothing runs then. */
  async start(signal: AbortSignal): Promise<Life> {
    const { clock } = this.#options;
    signal.throwIfAborted();
    const since = clock.monotonic();
    const child = this.#spawn();
    const failed = Promise.withResolvers<never>();
    const late = clock.after(this.#options.readyMs ?? READY_MS, () =>
      failed.reject(this.#lost(`nothing within ${duration(clock.monotonic() - since)}`)),
    );
    child.once("error", (error) => failed.reject(this.#lost(messageOf(error))));
    child.once("close", (code, by) => {
      const lost = this.#lost(`its end with ${code ?? by}`);
      failed.reject(lost);
      if (this.#child === child) this.#fail(lost);
    });
    failed.promise.catch(() => {});
    try {
      const said = await withSignal(Promise.race([announced(child), failed.promise]), signal);
      const life = { ...said, pid: child.pid ?? 0, startMs: clock.monotonic() - since };
      this.#port = Number(new URL(said.url).port);
      this.#awaySince = null;
      this.#next.resolve(life);
      return life;
    } catch (error) {
      this.#fail(error);
      await this.kill();
      throw error;
    } finally {
      late.cancel();
    }
  }

  /** SIGKILL: the process has no say in it. Contract: resolves when it is no more; `life` is the next one from now on. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    if (this.#awaySince === null) {
      this.#awaySince = this.#options.clock.monotonic();
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => {});
    }
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("close", resolve));
    // One that never began has no end.
    if (child.kill("SIGKILL")) await ended;
  }

  /** Contract: may be called twice; never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.kill();
    this.#fail(this.#lost("the end of the demo"));
    system.off("exit", this.#atExit);
  }

  #spawn(): ChildProcess {
    if (this.#isClosed) throw this.#lost("the end of the demo");
    const { home, configFile, terminal } = this.#options;
    const flags = ["serve", "--json", "--config", configFile, "--port", String(this.#port)];
    const args = [...(BEFORE_SCRIPT[terminal.runtime.name] ?? []), MAIN, ...flags];
    const child = spawn(system.execPath, args, {
      cwd: home,
      env: { ...terminal.env, TROUPE_HOME: home },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    child.stderr.on("data", (chunk: Buffer) => {
      this.#lines.push(...chunk.toString().split("\n").filter(Boolean));
      this.#lines.splice(0, this.#lines.length - KEPT_LINES);
    });
    return child;
  }

  #fail(reason: unknown): void {
    if (this.#awaySince === null) {
      this.#awaySince = this.#options.clock.monotonic();
      this.#next = Promise.withResolvers();
      this.#next.promise.catch(() => {});
    }
    this.#next.reject(reason);
  }

  #lost(got: string): ConfigError {
    const last = this.#lines.slice(-TOLD_LINES).join(" | ");
    const said = last === "" ? "It wrote nothing." : `Its last lines: ${last}`;
    return new ConfigError("demo_server_lost", `Expected the demo's server to serve, got ${got}. ${said}`);
  }
}

/** Contract: rejects when its first line is not what `serve --json` writes; pending when none comes. */
function announced(child: ChildProcess): Promise<Pick<Life, "url" | "tokenFile">> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end < 0) return;
      try {
        resolve(announcement.parse(fromWire(JSON.parse(text.slice(0, end)) as object)));
      } catch (cause) {
        const code = "demo_server_lost";
        reject(
          new ConfigError(code, `Expected the server's url and token file, got ${text.slice(0, 200)}`, {
            cause,
          }),
        );
      }
    });
  });
}
