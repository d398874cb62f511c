// The parent's side of `viewers.ts`, and servers to point it at.

import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/clock.ts";
import { serve, type Listening } from "../../src/base/listen.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { TroupeApi } from "../../src/core/api.ts";
import type { InspectionSource } from "../../src/core/inspection.ts";
import { createHttpApp } from "../../src/http/server.ts";
import type { Shell } from "../../src/http/shell.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import type { FromViewers, ToViewers, ViewersOptions } from "./viewers.ts";

const PROGRAM = fileURLToPath(new URL("viewers.ts", import.meta.url));
export const TOKEN = "5c".repeat(32);
export const HELLO = { type: "hello", token: TOKEN };

/** A server over an API, as `troupe serve` has it. */
export async function serveApi(
  api: TroupeApi,
  { inspection, shell }: { readonly inspection?: InspectionSource; readonly shell?: Shell } = {},
): Promise<Listening> {
  let port = 0;
  const app = createHttpApp({
    api: () => api,
    gate: { tokens: [{ token: TOKEN, caller: OPERATOR }], port: () => port },
    clock: systemClock,
    logger: silentLogger,
    version: "bench",
    ...(inspection && { inspection }),
    ...(shell && { shell }),
  });
  const server = await serve((request) => app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  ({ port } = server);
  return server;
}

export class Viewers {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** A process with its clients, all of them open. */
  static async open(options: ViewersOptions): Promise<Viewers> {
    const child = fork(PROGRAM, [JSON.stringify(options)]);
    const viewers = new Viewers(child);
    await viewers.#next("open");
    return viewers;
  }

  /** Resolves when every client has had a message with this text in it. Call it before that is sent. */
  until(marker: string): Promise<unknown> {
    const all = this.#next("all");
    this.#say({ type: "until", marker });
    return all;
  }

  async stall(): Promise<void> {
    const open = this.#next("open");
    this.#say({ type: "stall" });
    await open;
  }

  /** How late events came since it was asked last, in milliseconds. */
  async lateness(): Promise<{ readonly p99: number; readonly messages: number; readonly ended: number }> {
    const told = this.#next("lateness");
    this.#say({ type: "lateness" });
    return (await told) as FromViewers & { readonly type: "lateness" };
  }

  close(): void {
    this.#child.kill();
  }

  #say(message: ToViewers): void {
    this.#child.send(message);
  }

  #next(type: FromViewers["type"]): Promise<FromViewers> {
    return new Promise((resolve, reject) => {
      const hear = (message: FromViewers): void => {
        if (message.type !== type) return;
        this.#child.off("message", hear);
        this.#child.off("exit", gone);
        resolve(message);
      };
      const gone = (): void => reject(new Error("The process of the clients ended."));
      this.#child.on("message", hear);
      this.#child.once("exit", gone);
    });
  }
}
