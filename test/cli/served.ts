// A real server on a free port, over a runtime whose model follows a script, for commands that talk to one.

import { systemClock } from "../../src/base/clock.ts";
import { serve } from "../../src/base/listen.ts";
import { silentLogger } from "../../src/base/log.ts";
import type { Settings } from "../../src/core/settings.ts";
import { createHttpApp } from "../../src/http/server.ts";
import { OPERATOR } from "../../src/runtime/runtime.ts";
import { call, say, wait } from "../../providers/script.ts";
import type { Reply } from "../../providers/scripted.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import { textOf } from "../../src/core/message.ts";
import { realRig, type Rig, type RigOptions } from "../runtime/rig.ts";
import { ScriptedTerminal, type ScriptedTerminalOptions } from "./scripted-terminal.ts";
import type { Clock } from "../../src/base/clock.ts";

const TOKEN = "c".repeat(64);
/** Longer than any test: a child that only a cancel ends. */
const FOR_EVER_MS = 3_600_000;

/** Enough at once that a hanging child keeps nobody waiting. */
const BACKENDS = [{ name: "gpu", provider: "gpu", gpu: "gpu0", slots: 8, maxChildren: 8, local: true }];

/** The last message of a request. */
export function asked(request: GenerateRequest): string {
  const last = request.messages.at(-1);
  return last === undefined ? "" : textOf(last);
}

/**
 * A model by script. Children: a goal that begins with `hang` writes a line and never ends, `fail…` answers nothing,
 * any other is repeated. A session: `delegate X` starts a child with goal X; anything else is repeated.
 */
export function reply(request: GenerateRequest): Reply {
  const text = asked(request);
  if (request.model === "child") {
    if (text.startsWith("hang")) return [say("working\n"), wait(FOR_EVER_MS), say("never")];
    if (text.startsWith("fail")) return [say("")];
    return [say(`result of ${text}`)];
  }
  if (text.startsWith("[task finished]")) return [say(`heard ${text.split("\n")[1] ?? ""}`)];
  if (request.messages.at(-1)?.role === "tool") return [say("started")];
  const goal = /^delegate (.+)$/.exec(text)?.[1];
  if (goal !== undefined) return [call("delegate_task_async", { goal })];
  return [say(`you said ${text}`)];
}

export interface ServedRig extends Rig<Clock> {
  readonly url: string;
  /** A terminal whose environment leads to this server. */
  terminal(options?: ScriptedTerminalOptions): ScriptedTerminal;
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

export async function serveScripted(
  settings: Partial<Settings> = {},
  model: (request: GenerateRequest) => Reply = reply,
  rest: Pick<RigOptions, "keys" | "toolsets"> = {},
): Promise<ServedRig> {
  const rig = realRig({ reply: model, settings: { backends: BACKENDS, ...settings }, ...rest });
  let port = 0;
  const app = createHttpApp({
    api: (caller) => rig.runtime.as(caller),
    gate: { tokens: [{ token: TOKEN, caller: OPERATOR }], port: () => port },
    clock: systemClock,
    logger: silentLogger,
    version: "0.0.0-test",
    inspection: rig.runtime.inspection,
  });
  const listening = await serve((request) => app.fetch(request), { hostname: "127.0.0.1", port: 0 });
  port = listening.port;
  const env = { TROUPE_URL: listening.url, TROUPE_TOKEN: TOKEN, NO_COLOR: "1" };
  return {
    ...rig,
    url: listening.url,
    env,
    terminal: (options = {}) => new ScriptedTerminal({ ...options, env: { ...env, ...options.env } }),
    close: async () => {
      await listening.close();
      await rig.runtime.close();
    },
  };
}
