// The real program as a process of its own, with what it wrote.

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  out: string;
  err: string;
  /** Resolves once the process has written this, with its first group. */
  until(pattern: RegExp): Promise<string>;
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

export function start(args: readonly string[], env: Readonly<Record<string, string>>, cwd = "/tmp"): Running {
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd, stdio: "pipe" });
  const ended = once(child, "close").then(([code, signal]) => (code ?? signal) as number | string);
  const running: Running = {
    child,
    out: "",
    err: "",
    ended,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(running.out + running.err);
          if (found) resolve(found[1] ?? found[0]);
        };
        child.stdout.on("data", look);
        child.stderr.on("data", look);
        void ended.then(() =>
          reject(new Error(`It ended without ${String(pattern)}: ${running.out}${running.err}`)),
        );
        look();
      }),
  };
  child.stdout.on("data", (chunk: Buffer) => (running.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (running.err += chunk.toString()));
  return running;
}

/** Presses Ctrl-C until it has ended: two signals that follow at once are one press. */
export async function pressUntilEnded(running: Running): Promise<number | string> {
  const press = setInterval(() => running.child.kill("SIGINT"), 100);
  try {
    return await running.ended;
  } finally {
    clearInterval(press);
  }
}
