// Questions that tasks ask: who would answer one, and what an answer is. Words only.

/**
 * Who would answer a question of a task: the agent that delegated it, unless that has `ended`; a person where no agent
 * did; and in a conversation the person who talks with it, without any tool. `spent`: it has asked its parent often enough.
 */
export type Respondent = "parent" | "ended" | "spent" | "person" | "conversation";

export interface Answer {
  readonly text: string;
  /** The id of the call that asks, for the same. With neither it answers the oldest question. */
  readonly questionId?: string;
  /** The question as it was read, word for word: it reaches no other, and is refused when that one is over. */
  readonly asked?: string;
  /** Makes the call repeatable; a new id when absent. */
  readonly answerId?: string;
}
