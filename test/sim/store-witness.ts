// Turns calls of the store into facts and lines of the trace: what was applied to the medium, refused by it, hindered
// by a fault, or answered.

import { TroupeError } from "../../src/base/errors.ts";
import type { NewEvent } from "../../src/core/event.ts";
import type { TaskSpec } from "../../src/core/task.ts";
import type {
  Claim,
  CommitReceipt,
  CommitWrite,
  InboxMessage,
  SendReceipt,
  SubmitReceipt,
} from "../../src/store/store.ts";
import type { Fact } from "./facts.ts";
import type { Trace } from "./trace.ts";

/** Which call it was. */
export interface Outcome {
  readonly life: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Applied {
  readonly args: readonly unknown[];
  readonly value: unknown;
}

/** A call that the medium has made, and whose outcome is not booked yet. */
interface Made {
  book: (() => void) | null;
}

export class StoreWitness {
  readonly #tell: (fact: Fact) => void;
  readonly #trace: Trace;
  readonly #now: () => number;
  /** In the order in which the medium made them; their promises need not settle in it. */
  readonly #made: Made[] = [];

  constructor(options: {
    readonly tell: (fact: Fact) => void;
    readonly trace: Trace;
    readonly now: () => number;
  }) {
    this.#tell = options.tell;
    this.#trace = options.trace;
    this.#now = options.now;
  }

  /** Waits for the outcome of a call that is made now, and books it after those of earlier calls. */
  watch(answer: Promise<unknown>, outcome: Outcome): Promise<unknown> {
    const made: Made = { book: null };
    this.#made.push(made);
    return new Promise((resolve, reject) => {
      answer.then(
        (value) => {
          made.book = () => {
            this.#applied(outcome.life, outcome.name, { args: outcome.args, value });
            resolve(value);
          };
          this.#bookAll();
        },
        (thrown: Error) => {
          made.book = () => {
            this.#refused(outcome, thrown instanceof TroupeError ? thrown.code : "unexpected");
            reject(thrown);
          };
          this.#bookAll();
        },
      );
    });
  }

  #bookAll(): void {
    for (let next = this.#made[0]; next?.book; next = this.#made[0]) {
      this.#made.shift();
      next.book();
    }
  }

  #applied(life: number, name: string, { args, value }: Applied): void {
    if (name === "submit") this.#submitted(life, args[0] as TaskSpec, value as SubmitReceipt);
    else if (name === "submitAll") {
      const tasks = args[0] as readonly { readonly spec: TaskSpec; readonly event: NewEvent }[];
      for (const [at, receipt] of (value as readonly SubmitReceipt[]).entries()) {
        this.#submitted(life, (tasks[at] as { spec: TaskSpec }).spec, receipt);
      }
    } else if (name === "claim") for (const claim of value as readonly Claim[]) this.#claimed(life, claim);
    else if (name === "commit") this.#committed(life, args, value as CommitReceipt);
    else if (name === "send") this.#sent(life, args, value as SendReceipt);
    else if (name === "markReleased") {
      this.#line(`life ${life} marks ${this.#trace.label(args[0] as string)} released`);
      this.#tell({ kind: "marked", life, taskId: args[0] as string });
    } else if (name === "release") this.#line(`life ${life} releases ${(value as readonly string[]).length}`);
  }

  #refused({ life, name, args }: Outcome, code: string): void {
    const [first] = args;
    const taskId =
      name === "commit" ? (first as { taskId: string }).taskId : typeof first === "string" ? first : null;
    this.#line(`life ${life} is refused ${name} ${taskId === null ? "" : this.#trace.label(taskId)} ${code}`);
    this.#tell({ kind: "refused", life, call: name, taskId, code });
  }

  /** A fault of ours stood in the way. */
  hindered(name: string, how: string): void {
    this.#line(`store fault at ${name}: ${how}`);
  }

  /** The caller heard of it. */
  answered(life: number, name: string, args: readonly unknown[]): void {
    if (name !== "commit" || (args[2] as CommitWrite).terminal === undefined) return;
    this.#tell({ kind: "end.heard", life, taskId: (args[0] as { taskId: string }).taskId });
  }

  #submitted(life: number, spec: TaskSpec, { created }: SubmitReceipt): void {
    this.#line(`life ${life} submits ${this.#trace.label(spec.id)} "${spec.goal}"${created ? "" : " again"}`);
    this.#tell({ kind: "submitted", life, spec, created });
  }

  #claimed(life: number, claim: Claim): void {
    this.#line(`life ${life} claims ${this.#trace.label(claim.taskId)} epoch ${claim.epoch}`);
    this.#tell({ kind: "claimed", life, claim });
  }

  #committed(life: number, args: readonly unknown[], receipt: CommitReceipt): void {
    const [{ taskId, epoch }, expectedSeq, write] = args as [
      { readonly taskId: string; readonly epoch: number },
      number,
      CommitWrite,
    ];
    const types = (write.events ?? []).map((event) => event.type).join(" ");
    const words = write.terminal
      ? `END ${write.terminal.state} ${write.terminal.failure?.code ?? ""}`
      : `${write.state ?? ""}/${write.phase ?? ""}`;
    this.#line(`life ${life} commits ${this.#trace.label(taskId)} ${receipt.seq} ${words} [${types}]`);
    this.#tell({ kind: "committed", life, taskId, epoch, expectedSeq, write, receipt });
  }

  #sent(life: number, args: readonly unknown[], receipt: SendReceipt): void {
    const [taskId, message] = args as [string, InboxMessage];
    const how = receipt.accepted ? (receipt.duplicate ? "again" : "queued") : "refused";
    this.#line(`life ${life} sends ${message.kind} to ${this.#trace.label(taskId)} ${how}`);
    this.#tell({ kind: "sent", life, taskId, message, receipt });
  }

  #line(text: string): void {
    this.#trace.line(this.#now(), text);
  }
}
