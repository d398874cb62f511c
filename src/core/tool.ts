// Tools: what a model may call. A tool finishes, fails, or suspends; a suspension is a durable wait (design.md §10.2).

import type { Clock } from "../base/clock.ts";
import type { TaskApi } from "./api.ts";
import type { JsonSchema } from "./json-schema.ts";
import type { Respondent } from "./question.ts";
import type { TaskRole } from "./task.ts";

/** What a model sees of a tool. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  readonly parameters: JsonSchema;
}

/** What a suspended call waits for. Plain data: it is stored in the snapshot and survives a restart. */
export type ToolWait =
  | {
      readonly for: "children";
      /** The call goes on when all of these have ended. */
      readonly taskIds: readonly string[];
      /** Milliseconds of wall clock after which the call goes on anyway; absent means no end. */
      readonly timeoutMs?: number;
    }
  | {
      readonly for: "input";
      readonly prompt: string;
      readonly timeoutMs?: number;
      /** A call that acts only if a person allows it: no agent's answer counts, and one answers all of a turn. */
      readonly approval?: true;
      /** The task's parent is asked, by mail in the commit that begins the wait; a person may answer all the same. */
      readonly asks?: "parent";
    }
  | { readonly for: "timer"; readonly timeoutMs: number };

/** Why a suspended call goes on. */
export type WaitEnd =
  | { readonly cause: "satisfied"; readonly answer?: string; readonly by?: "person" | "agent" }
  | { readonly cause: "timeout" }
  /** A child asks this task something, and might wait for nobody else: the children go on. */
  | { readonly cause: "asked" }
  /** The parent that was asked has ended. */
  | { readonly cause: "parent_ended" }
  /** A person spoke to the session while it waited: the children go on. */
  | { readonly cause: "interrupted" };

export type ToolOutcome =
  /**
   * `value` is text for the model, or a JSON value that becomes text. `delivers` names children whose end this
   * result tells the model, so that their completions are not announced a second time.
   */
  | {
      readonly type: "result";
      readonly value: unknown;
      readonly truncated?: boolean;
      readonly delivers?: readonly string[];
    }
  | { readonly type: "suspended"; readonly wait: ToolWait };

/** What a tool may touch while it runs for one task. */
export interface ToolContext {
  readonly taskId: string;
  readonly rootId: string;
  readonly role: TaskRole;
  /** The call's id, unique in the task; the idempotency key of whatever the call creates. */
  readonly callId: string;
  /** Absolute path of the task's workspace on this box. */
  readonly workspace: string;
  /** Absolute path of the folder that every workspace of this box must be in, links resolved. */
  readonly workspaceRoot?: string;
  /** The API bound to this task: it reaches its own subtree and nothing else. */
  readonly tasks: TaskApi;
  readonly clock: Clock;
  /** Characters of one result that the model can take; more is cut in the middle, with a mark. */
  readonly maxResultChars: number;
  /** Who would answer a question of this task now; nobody when absent. Rejects with what the store throws. */
  respondent?(): Promise<Respondent>;
  /** Aborts when the task is cancelled, times out or is interrupted. */
  readonly signal: AbortSignal;
  /** Records progress of the task: `percent` 0-100, or absent when unknown. */
  reportProgress(progress: {
    readonly percent?: number;
    readonly note?: string;
    readonly partial?: unknown;
  }): Promise<void>;
}

/**
 * One tool.
 * Contract: `run` gets arguments that its schema accepted. It throws ToolError for what the model can mend;
 * anything else thrown becomes a tool result too, and never ends the run. It stops when `context.signal` aborts.
 */
export interface Tool {
  readonly definition: ToolDefinition;
  /** Whether a call whose outcome is unknown after a crash may simply be run again. */
  readonly repeatable: boolean;
  run(input: Readonly<Record<string, unknown>>, context: ToolContext): Promise<ToolOutcome>;
  /** Goes on after a wait that `run` (or an earlier `resume`) asked for. Required of tools that suspend. */
  resume?(
    input: Readonly<Record<string, unknown>>,
    ended: { readonly wait: ToolWait; readonly end: WaitEnd },
    context: ToolContext,
  ): Promise<ToolOutcome>;
}

/** A named group of tools that an agent is given or denied as one. */
export interface Toolset {
  readonly name: string;
  readonly description: string;
  /** The tools for a task of this role; some are for orchestrators only. */
  tools(role: TaskRole): readonly Tool[];
  /**
   * Lets go of what its tools hold for a task: called when the task ends, however it ends, and when it goes over to
   * another owner. Contract: never rejects; may be called again; resolves when nothing of it runs any more.
   */
  release?(taskId: string): Promise<void>;
}
