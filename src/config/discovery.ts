// What the caller found out about the model servers, as plain data: config/ asks no server itself.
// providers/ gives these shapes; config/ may not import it (design.md §2).

export interface DiscoveredModel {
  readonly name: string;
  readonly sizeBytes: number | null;
  /** As the server words it: `8.2B`. */
  readonly parameters: string | null;
  /** The longest context that the model was trained for. */
  readonly contextTokens: number | null;
  readonly tools: boolean;
  readonly thinking: boolean;
  /** Takes images; absent where the server does not tell. */
  readonly vision?: boolean;
  readonly embeddingOnly: boolean;
}

/** A key that a server did not take, by what tells it apart. */
export interface RefusedKey {
  readonly fingerprint: string;
  /** Where it came from: `env:NAME`, or `literal`. */
  readonly source: string;
  readonly reason: string;
}

export interface DiscoveredProvider {
  /** What answered: an Ollama behind `/v1` says `ollama`. */
  readonly type: "ollama" | "openai";
  readonly reachable: boolean;
  /** Why it is not reachable, or what is wrong with it, in words. */
  readonly problem: string | null;
  readonly version: string | null;
  readonly simulated: boolean;
  readonly models: readonly DiscoveredModel[];
  /** Present where it does not answer and its models are those of then; wall-clock milliseconds. */
  readonly seenAt?: number;
  /** Present where one or more were; another may have been taken. */
  readonly refusedKeys?: readonly RefusedKey[];
}

export interface Discovery {
  /** By the names of the plans (`planProviders`). A plan that is absent here counts as not reachable. */
  readonly providers: Readonly<Record<string, DiscoveredProvider>>;
  /** Of one GPU, or of all that one server may use together; `null` when unknown. */
  readonly vramBytes: number | null;
}
