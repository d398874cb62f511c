// What goes into the record of who did what: every command of a caller from outside, and every call of a tool. Looking is
// not noted. A command is noted when it has ended, before its caller is told; a tool's call before it begins, when it waits
// for a person to allow it, and when it was refused, by a person or by nobody's answer. Nothing is done while it cannot be
// noted, except what stops something: a full disk must keep nobody from calling an agent off.

import { toTroupeError } from "./base/errors.ts";
import type { Clock } from "./base/clock.ts";
import type { Caller, TaskHandle, TaskView, TroupeApi } from "./core/api.ts";
import { actorOf, type Audit, digestOf, NO_AUDIT } from "./core/audit.ts";
import type { StoreSettings } from "./core/settings.ts";
import type { Tool, ToolContext, ToolOutcome } from "./core/tool.ts";
import { AuditFile } from "./store/audit-file.ts";

/** What stands behind the name of the store's file. */
export const AUDIT_SUFFIX = ".audit";

interface Command {
  readonly action: string;
  /** It calls something off: that is done in any case, and noted when it can be. */
  readonly stops?: (input: readonly unknown[]) => boolean;
  /** What it was done to; asked once it has ended. `answer` is absent when it was refused. */
  readonly targets: (input: readonly unknown[], answer?: unknown) => readonly (string | null)[];
}

const first = ([target]: readonly unknown[]): readonly (string | null)[] => [String(target)];
const NOBODY: readonly null[] = [null];
const ALWAYS = (): boolean => true;

/** The commands, by their names in the API; whatever is not here only looks. */
const COMMANDS: Partial<Readonly<Record<keyof TroupeApi, Command>>> = {
  delegate: {
    action: "task.create",
    targets: (_, answer) => [(answer as TaskHandle | undefined)?.taskId ?? null],
  },
  delegateBatch: {
    action: "task.create",
    targets: (_, answer) =>
      (answer as readonly TaskHandle[] | undefined)?.map(({ taskId }) => taskId) ?? NOBODY,
  },
  steer: { action: "task.steer", targets: first },
  cancel: { action: "task.cancel", stops: ALWAYS, targets: first },
  answer: { action: "task.answer", targets: first },
  reportProgress: { action: "task.progress", targets: first },
  createSession: {
    action: "session.create",
    targets: (_, answer) => [(answer as TaskView | undefined)?.taskId ?? null],
  },
  sendMessage: { action: "session.message", targets: first },
  stopSession: { action: "session.stop", stops: ALWAYS, targets: first },
  closeSession: { action: "session.close", stops: ALWAYS, targets: first },
  pause: { action: "box.pause", stops: ([paused]) => paused === true, targets: first },
  switchKey: { action: "key.switch", targets: first },
};

/** The same API, every command of which is noted. Contract: throws what the API throws, and StoreError `audit_failed`. */
export function auditedApi(api: TroupeApi, caller: Caller, audit: Audit): TroupeApi {
  const actor = actorOf(caller);
  return new Proxy(api, {
    get: (target, key) => {
      const method: unknown = Reflect.get(target, key);
      if (typeof method !== "function") return method;
      const call = (...input: readonly unknown[]): unknown => Reflect.apply(method, target, input);
      const command = COMMANDS[key as keyof TroupeApi];
      if (!command) return call;
      return async (...input: readonly unknown[]): Promise<unknown> => {
        if (command.stops?.(input) !== true) audit.ready();
        const digest = digestOf(input);
        const noted = (outcome: string, answer?: unknown): void => {
          for (const to of command.targets(input, answer)) {
            audit.note({ ...actor, action: command.action, target: to, digest, outcome });
          }
        };
        try {
          const answer = await call(...input);
          noted("ok", answer);
          return answer;
        } catch (thrown) {
          noted(toTroupeError(thrown).code);
          throw thrown;
        }
      };
    },
  });
}

const asksPerson = (outcome: ToolOutcome): boolean =>
  outcome.type === "suspended" && outcome.wait.for === "input" && outcome.wait.approval === true;

/** The same tool, every call of which is noted before it begins, and again where it has to be allowed or fails. */
export function auditedTool(tool: Tool, audit: Audit): Tool {
  const { name } = tool.definition;
  const noted = async (
    input: unknown,
    context: ToolContext,
    work: () => Promise<ToolOutcome>,
  ): Promise<ToolOutcome> => {
    audit.ready();
    const note = {
      actor: `agent:${context.taskId}`,
      action: "tool.call",
      target: name,
      digest: digestOf(input),
    };
    audit.note({ ...note, outcome: "begun", detail: context.callId });
    try {
      const outcome = await work();
      if (asksPerson(outcome)) audit.note({ ...note, outcome: "asked", detail: context.callId });
      return outcome;
    } catch (thrown) {
      audit.note({ ...note, outcome: toTroupeError(thrown).code, detail: context.callId });
      throw thrown;
    }
  };
  const own: Partial<Tool> = {
    run: (input, context) => noted(input, context, () => tool.run(input, context)),
    ...(tool.resume && {
      resume: (input, ended, context) =>
        noted(input, context, async () => (await tool.resume?.(input, ended, context)) as ToolOutcome),
    }),
  };
  return new Proxy(tool, {
    get: (target, key) => {
      const value: unknown = Reflect.get(own, key) ?? Reflect.get(target, key);
      return typeof value === "function" && !(key in own) ? value.bind(target) : value;
    },
  });
}

/** The record beside a store in a file; none where nothing is kept. Contract: throws ConfigErrors as `AuditFile` does. */
export function openAudit({ path }: StoreSettings, clock: Clock): Audit & { close(): void } {
  if (path === null) return { ...NO_AUDIT, close: () => {} };
  return new AuditFile({ path: `${path}${AUDIT_SUFFIX}`, clock });
}
