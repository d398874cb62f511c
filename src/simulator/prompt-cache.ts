// What a loaded model remembers of the prompts that it has read: one conversation in each slot, and, beside them, a
// cache in the host's memory into which a slot's conversation is put when another one takes its slot. A prompt is
// computed only from where it first differs from what its slot remembers. All of it is gone with the model.
//
// P1. Of a prompt at least one token is computed.
// P2. The host's cache never takes more than its bytes; the oldest goes first, before anything is looked up in it.

/** A stretch of a prompt: equal keys at the same place are equal text, as far as both reach. */
export interface PromptPart {
  readonly key: string;
  readonly tokens: number;
}

export type Prompt = readonly PromptPart[];

/** How large the host's cache is, and what a conversation takes in it: so much, and so much for each token. */
export interface PromptCacheConfig {
  readonly hostBytes: number;
  readonly entryBytes: number;
  readonly bytesPerToken: number;
}

/** Where a prompt is read, and how much of it need not be. */
export interface CacheSeat {
  readonly slot: number;
  readonly cachedTokens: number;
}

/** A slot is taken for its likeness to a prompt only above this share of it. */
const LIKE_ENOUGH = 0.1;
/** Of what a slot remembers, so much must serve the new prompt, else it is put away and another one looked for. */
const KEPT_ENOUGH = 0.5;
/** A conversation is fetched back only if so much of it serves. */
const FETCHED_ENOUGH = 0.25;

export function tokensOf(prompt: Prompt): number {
  return prompt.reduce((sum, part) => sum + part.tokens, 0);
}

/** Tokens that two prompts share from their beginning. */
export function sharedTokens(a: Prompt, b: Prompt): number {
  let shared = 0;
  for (const [at, part] of a.entries()) {
    const other = b[at];
    if (other === undefined || other.key !== part.key) break;
    shared += Math.min(part.tokens, other.tokens);
    if (part.tokens !== other.tokens) break;
  }
  return shared;
}

/** The beginning of a prompt, so many tokens long. */
export function headOf(prompt: Prompt, tokens: number): Prompt {
  const head: PromptPart[] = [];
  let left = tokens;
  for (const part of prompt) {
    if (left <= 0) break;
    head.push({ key: part.key, tokens: Math.min(part.tokens, left) });
    left -= part.tokens;
  }
  return head;
}

interface Slot {
  held: Prompt;
  busy: boolean;
  usedAt: number;
}

/** The memory of one loaded model. Contract: no more prompts at once than there are slots. */
export class PromptCache {
  readonly #config: PromptCacheConfig;
  readonly #slots: readonly Slot[];
  #host: Prompt[] = [];
  #turn = 0;

  constructor(slots: number, config: PromptCacheConfig) {
    this.#config = config;
    this.#slots = Array.from({ length: slots }, () => ({ held: [], busy: false, usedAt: 0 }));
  }

  /** Conversations in the host's memory. */
  get hostEntries(): number {
    return this.#host.length;
  }

  /** Takes a slot for a prompt. Contract: `end` follows once. */
  begin(prompt: Prompt): CacheSeat {
    const total = Math.max(1, tokensOf(prompt));
    const number = this.#slotFor(prompt, total);
    const slot = this.#slots[number] as Slot;
    const serves = sharedTokens(slot.held, prompt);
    if (serves < tokensOf(slot.held) * KEPT_ENOUGH || slot.held.length === 0) this.#exchange(slot, prompt);
    slot.busy = true;
    slot.usedAt = ++this.#turn;
    return { slot: number, cachedTokens: Math.min(sharedTokens(slot.held, prompt), total - 1) }; // keeps P1
  }

  /** Gives the slot back with what it remembers now. */
  end({ slot: number }: CacheSeat, held: Prompt): void {
    const slot = this.#slots[number] as Slot;
    slot.held = held;
    slot.busy = false;
    slot.usedAt = ++this.#turn;
  }

  /** The idle slot most like the prompt, else the one used longest ago. */
  #slotFor(prompt: Prompt, total: number): number {
    let [best, likeness] = [-1, LIKE_ENOUGH];
    let [oldest, usedAt] = [-1, Number.POSITIVE_INFINITY];
    for (const [number, slot] of this.#slots.entries()) {
      if (slot.busy) continue;
      const like = sharedTokens(slot.held, prompt) / total;
      if (like > likeness) [best, likeness] = [number, like];
      if (slot.usedAt < usedAt) [oldest, usedAt] = [number, slot.usedAt];
    }
    return best >= 0 ? best : oldest;
  }

  #exchange(slot: Slot, prompt: Prompt): void {
    this.#put(slot.held);
    const total = Math.max(1, tokensOf(prompt));
    let best = -1;
    let bestLikeness = sharedTokens(slot.held, prompt) / total;
    let bestKept = sharedTokens(slot.held, prompt) / Math.max(1, tokensOf(slot.held));
    for (const [at, entry] of this.#host.entries()) {
      const shared = sharedTokens(entry, prompt);
      const [likeness, kept] = [shared / total, shared / Math.max(1, tokensOf(entry))];
      if (kept < FETCHED_ENOUGH || likeness <= bestLikeness || kept <= bestKept) continue;
      [best, bestLikeness, bestKept] = [at, likeness, kept];
    }
    if (best >= 0) slot.held = this.#host.splice(best, 1)[0] as Prompt;
  }

  /** Keeps P2. What another entry continues is not kept beside it. */
  #put(held: Prompt): void {
    const tokens = tokensOf(held);
    if (tokens === 0 || this.#host.some((entry) => sharedTokens(entry, held) === tokens)) return;
    this.#host = this.#host.filter((entry) => sharedTokens(entry, held) < tokensOf(entry));
    this.#host.push(held);
    const { hostBytes, entryBytes, bytesPerToken } = this.#config;
    const bytesOf = (prompt: Prompt): number => entryBytes + bytesPerToken * tokensOf(prompt);
    let bytes = this.#host.reduce((sum, entry) => sum + bytesOf(entry), 0);
    while (bytes > hostBytes) bytes -= bytesOf(this.#host.shift() as Prompt);
  }
}
