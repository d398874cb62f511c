// What every contender is given: one model server that speaks Ollama's rules, simulated on a virtual clock or real.
// Its words are those of Ollama: nobody can ask it for its queue.

/** One generation. The prompt begins with everything that its conversation had before. */
export interface GenerationCall {
  readonly model: string;
  readonly conversation: string;
  readonly promptTokens: number;
  /** The part of the prompt that every conversation on this model has in common. */
  readonly sharedTokens: number;
  readonly outputTokens: number;
  /** Which of several servers; who names none is sent to one, and stays there. */
  readonly server?: number | undefined;
  /** Never called after the signal aborted. */
  readonly onFirstToken: () => void;
}

/** What the server says of a generation that ended, in milliseconds of its clock. */
export interface GenerationFigures {
  readonly totalMs: number;
  /** Waiting for the model, its load included. */
  readonly loadMs: number;
  /** Waiting for a slot of the loaded model. */
  readonly waitMs: number;
  readonly promptMs: number;
  readonly outputMs: number;
  readonly promptTokens: number;
  /** Prompt tokens that were not computed; `null` where the server does not tell. */
  readonly cachedTokens: number | null;
  readonly outputTokens: number;
}

export interface LoadedModel {
  readonly model: string;
  readonly vramBytes: number;
}

/** What somebody who set the server up knows of it. */
export interface ServerFacts {
  /** When each of several is there first, from the start of the run; all are alike, and the rest is said of each. */
  readonly serversFromMs: readonly number[];
  readonly vramBytes: number;
  readonly models: readonly ModelFacts[];
}

export interface ModelFacts {
  readonly name: string;
  /** Generations at once, as it really is. */
  readonly np: number;
  /** In memory with all its slots. */
  readonly bytes: number;
  readonly contextTokens: number;
  readonly coldPrefillTokensPerS: number;
}

export interface ServerStats {
  readonly loads: number;
  /** Requests answered 503. */
  readonly refused: number;
  /** Requests that wait or generate now; `null` where the server does not tell. */
  readonly inFlight: number | null;
  /** Milliseconds in which any generation was at work; `null` where the server does not tell. */
  readonly busyMs: number | null;
  /** Tokens written of generations that were aborted; `null` where the server does not tell. */
  readonly abortedTokens: number | null;
}

/** Contract: `close` ends every wait; nothing is emitted after it. */
export interface ModelServer {
  readonly facts: ServerFacts;
  /** Brings into memory what is there before the run; counted as no load. */
  warmUp(): Promise<void>;
  /** Rejects with the signal's reason, LimitError `busy` (503), or what else the server said. */
  generate(call: GenerationCall, signal: AbortSignal): Promise<GenerationFigures>;
  /** An empty request, as Ollama preloads: resolves when the model is in memory. */
  load(model: string, server?: number): Promise<void>;
  /** `keep_alive: 0`: resolves when the model has left the memory. */
  unload(model: string, server?: number): Promise<void>;
  /** `/api/ps`. */
  loaded(server?: number): Promise<readonly LoadedModel[]>;
  stats(): ServerStats;
  close(): void;
}

/** Contract: throws RangeError for a model that the server does not have. */
export function modelFacts(facts: ServerFacts, name: string): ModelFacts {
  const found = facts.models.find((model) => model.name === name);
  if (found === undefined) throw new RangeError(`Expected a model of the server, got "${name}".`);
  return found;
}
