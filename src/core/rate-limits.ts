// What a model server says of its rate limits beside an answer, in plain data: providers read it, the credential pool
// counts with it. It decides nothing.

/** One limit of a server, as one answer told it. */
export interface RateWindow {
  /** Requests, or tokens of one kind; each is counted by itself. */
  readonly what: "requests" | "tokens" | "input_tokens" | "output_tokens";
  /** Counted for the model that was asked, or for everything under the key. */
  readonly scope: "model" | "key";
  /** How many there are in one window; `null` where the server does not tell. */
  readonly limit: number | null;
  /** How many of them are left. */
  readonly remaining: number;
  /** Milliseconds from the answer until all are there again; `null` where the server does not tell. */
  readonly resetMs: number | null;
}
