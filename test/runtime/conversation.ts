// A session whose model makes exactly the calls that a test asks for, one message of a person each, and says "ok" to
// everything else; its children are scripted by their goals.

import { call, say, type Step } from "../../providers/script.ts";
import type { GenerateRequest } from "../../providers/provider.ts";
import type { BackendSettings, DelegationSettings } from "../../src/core/settings.ts";
import { textOf, type Message } from "../../src/core/message.ts";
import type { Reply } from "../../providers/scripted.ts";
import { rig, type Rig, type RigOptions } from "./rig.ts";

/** Room for everybody, so that only the bound under test can hold anybody back. */
export const ROOMY: readonly BackendSettings[] = [
  { name: "gpu", provider: "gpu", gpu: "gpu0", slots: 16, maxChildren: 16, local: true },
];

export const DELEGATION: DelegationSettings = {
  maxConcurrentChildren: 3,
  maxSpawnDepth: 1,
  onInterrupt: "continue",
  defaultToolsets: [],
};

/** What a result of a delegation tool looks like, whichever tool it was. */
export interface Told {
  readonly task_id: string;
  readonly state: string;
  readonly note: string;
  readonly [key: string]: unknown;
}

export type ChildScript = (goal: string, request: GenerateRequest) => Reply;

/** The first words of a task: its goal, without what came as context. */
export function goalIn(request: GenerateRequest): string {
  const first = request.messages.find(({ role, origin }) => role === "user" && origin === "goal");
  return first ? (textOf(first).split("\n\nContext:\n")[0] as string) : "";
}

export function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The results of tools in these messages, decoded. */
export function resultsIn(messages: readonly Message[]): unknown[] {
  return messages.flatMap((message) =>
    message.parts.flatMap((part) => (part.type === "tool_result" ? [decode(part.text)] : [])),
  );
}

export class Conversation {
  readonly rig: Rig;
  readonly sessionId: string;
  readonly #calls: { next: readonly Step[] | null };

  constructor(made: Rig, sessionId: string, calls: { next: readonly Step[] | null }) {
    this.rig = made;
    this.sessionId = sessionId;
    this.#calls = calls;
  }

  get api(): Rig["api"] {
    return this.rig.api;
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.rig.clock.advance(ms);
  }

  /** Lets the model make these calls in one turn, as a person asks for it, and a moment pass. */
  async ask(...calls: readonly Step[]): Promise<void> {
    this.#calls.next = calls;
    await this.api.sendMessage(this.sessionId, { text: "do it" });
    await this.pass(5);
  }

  /** Makes one call and gives what the model was answered: for calls that do not wait. */
  async use(tool: string, args: unknown): Promise<Told> {
    const before = (await this.results()).length;
    await this.ask(call(tool, args));
    return (await this.results())[before] as Told;
  }

  /** Like `use`, for calls that are refused: what the model read. */
  async refusal(tool: string, args: unknown): Promise<string> {
    const told: unknown = await this.use(tool, args);
    return typeof told === "string" ? told : JSON.stringify(told);
  }

  /** Delegates in the background; gives the child's id. */
  async start(goal: string, rest: object = {}): Promise<string> {
    return (await this.use("delegate_task_async", { goal, ...rest })).task_id;
  }

  async messages(taskId = this.sessionId): Promise<readonly Message[]> {
    return (await this.api.transcript(taskId)).items.map(({ message }) => message);
  }

  /** All results of tools so far, decoded. */
  async results(taskId = this.sessionId): Promise<unknown[]> {
    return resultsIn(await this.messages(taskId));
  }

  /** What the runtime has announced to the session: the ends of its children. */
  async announced(): Promise<string[]> {
    return (await this.messages()).filter(({ origin }) => origin === "completion").map(textOf);
  }

  async children(): Promise<readonly string[]> {
    return (await this.api.check(this.sessionId)).children;
  }

  async state(taskId: string): Promise<string> {
    return (await this.api.check(taskId)).state;
  }

  /** Another session in the same box, with no calls of its own. */
  async stranger(): Promise<string> {
    return (await this.api.createSession()).taskId;
  }
}

export async function converse(
  child: ChildScript,
  options: Omit<RigOptions, "reply"> = {},
): Promise<Conversation> {
  const calls: { next: readonly Step[] | null } = { next: null };
  const made = rig({
    ...options,
    settings: { backends: ROOMY, ...options.settings },
    reply: (request) => {
      const goal = goalIn(request);
      if (goal !== "") return child(goal, request);
      const asked = request.messages.at(-1)?.origin === "person" ? calls.next : null;
      if (asked) calls.next = null;
      return asked ?? [say("ok")];
    },
  });
  const { taskId } = await made.api.createSession();
  return new Conversation(made, taskId, calls);
}
