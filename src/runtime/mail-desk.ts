// What new mail means to a living task: which entry is told to the machine, which ends a wait, and which waits for
// the next turn without a word.
// K1. A cancel is carried out when it is read, so that one survives a restart.
// K2. A completion, a question or an answer that begins no turn (a person stopped the child, or a result has told it
//     already) is still taken by the next turn.
// K3. A child's question ends the wait of a call for children, once: its parent must not wait for whom it keeps waiting.

import type { AgentEvent } from "../../machines/agent.ts";
import type { InboxEntry } from "../store/store.ts";
import type { Journal } from "./journal.ts";
import type { LeaseHolder } from "./lease-holder.ts";
import { newsOf, toldAs } from "./mail.ts";
import type { Mailbox } from "./mailbox.ts";
import type { Pauses } from "./pauses.ts";
import type { Spoken } from "./wait-keeper.ts";
import { hurryHeld, type HeldHost } from "./outage-hold.ts";

/** What the desk needs of the task whose mail it opens. */
export interface AddressedHost extends HeldHost {
  readonly journal: Pick<Journal, "event" | "flush">;
  readonly mailbox: Pick<Mailbox, "knows" | "isQuiet" | "isRecorded">;
  readonly leases: Pick<LeaseHolder, "hurry">;
  readonly pauses: Pick<Pauses, "hurry" | "check">;
  readonly ending: boolean;
  /** Idempotent: whoever sent the order may carry it out as well. */
  cancel(reason: string, force: boolean): void;
  /** Ends the oldest wait for a person; false when there is none, or the text is mail as well. */
  answerWait(message: Spoken): boolean;
  send(event: AgentEvent): void;
}

export class MailDesk {
  readonly #host: AddressedHost;

  constructor(host: AddressedHost) {
    this.#host = host;
  }

  /** Opens one entry, in the order of the inbox. */
  announce({ message, position }: InboxEntry): void {
    const { journal, mailbox, leases } = this.#host;
    if (message.kind === "cancel") return this.#host.cancel(message.reason, message.force);
    const told = toldAs(message);
    if (told !== null && message.kind !== "answer" && mailbox.isQuiet(told)) return;
    if (told !== null && mailbox.knows(told)) return;
    const isSpoken = message.kind === "answer" || message.kind === "message";
    if (isSpoken && this.#host.answerWait(message)) return;
    const { event, interrupt, person } = newsOf(message);
    if (event && !mailbox.isRecorded(message.id)) journal.event(event);
    if (person) leases.hurry();
    this.#host.send({ type: "mail.arrived", position, interrupt, person });
    if (message.kind === "question") this.#host.pauses.check();
    if (person || interrupt) hurryHeld(this.#host);
    if (!this.#host.ending) journal.flush().catch(() => {});
  }
}
