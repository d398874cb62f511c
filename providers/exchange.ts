// One HTTP request and its answer, on behalf of a client library that knows neither deadlines nor cancellation.
// The library is handed `fetch`; headers, body checks, deadlines and the reading of refusals are ours.
//
// X1. One exchange, one request: a second one (a library's own retry) is refused.
// X2. The first reason to stop wins: the caller's abort, a deadline, a refusal or a bad body; it closes the socket.
// X3. The library never sees a bad status or a bad line, and never sees the secret.
// X4. Idle time counts only while we wait for the server, never while the reader is busy.

import type { Deadline, LinkedAbort } from "../src/base/abort.ts";
import { deadline, linkedAbort, withSignal } from "../src/base/abort.ts";
import { CancelledError, InternalError, messageOf, ProviderError, TroupeError } from "../src/base/errors.ts";
import type { ConnectNotice } from "../src/base/fetch.ts";
import { lines } from "../src/base/stream.ts";
import type { Endpoint } from "./endpoint.ts";
import { explainConnection, explainRefusal, quoted } from "./failure.ts";
import { rateWindows } from "./hints.ts";
import { parseJson } from "./json.ts";
import type { Limit } from "./limits.ts";
import { connection, firstByte, limitReached, nextChunk } from "./limits.ts";
import type { ProviderDeadlines, ProviderEvent } from "./provider.ts";
import { MAX_LINE_CHARS } from "./provider.ts";

/** Refusals are quoted, not kept: more than this of a body is not read. */
const MAX_REFUSAL_CHARS = 64 * 1024;
/** How long a finished answer may take to close its body, so that the connection can be used again. */
const TAIL_MS = 1000;
const TAIL_READS = 8;

/** What is expected of the answer's body. */
export interface ExchangeRules {
  /**
   * Checks one line of a stream: false leaves it out, and a bad one throws ProviderError. `last` tells that the
   * body ended with it, without a line break.
   * Absent: the body is one JSON document.
   */
  readonly checkLine?: (line: string, last: boolean) => boolean;
  readonly deadlines?: Partial<ProviderDeadlines>;
}

/** One request and its answer; its owner calls `close` in every case. */
export class Exchange {
  readonly #endpoint: Endpoint;
  readonly #rules: ExchangeRules;
  readonly #deadlines: ProviderDeadlines;
  readonly #link: LinkedAbort;
  readonly #caller: AbortSignal;
  #deadline: Deadline | undefined;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #answer: Headers | undefined;
  #limits: readonly [Limit, Limit] = [firstByte(0), nextChunk(0)];
  #sent = false;
  #bodyEnded = false;
  #over = false;

  constructor(endpoint: Endpoint, caller: AbortSignal, rules: ExchangeRules) {
    this.#endpoint = endpoint;
    this.#rules = rules;
    this.#deadlines = { ...endpoint.deadlines, ...rules.deadlines };
    this.#caller = caller;
    this.#link = linkedAbort(caller);
  }

  /** What the client library is given in place of the runtime's fetch; its own signal and headers are not used. */
  readonly fetch = (input: unknown, init?: RequestInit): Promise<Response> =>
    this.#send(String(input), init ?? {});

  /** The headers of the answer, once it came. */
  get answer(): Headers | undefined {
    return this.#answer;
  }

  /** The event that says that the answer came, with what its headers tell of limits. */
  started(): Extract<ProviderEvent, { readonly type: "started" }> {
    const limits = this.#answer === undefined ? [] : rateWindows(this.#answer, this.#endpoint.clock.now());
    return limits.length === 0 ? { type: "started" } : { type: "started", limits };
  }

  /** Throws the reason once there is one to stop; called before every event that goes out. */
  guard(): void {
    if (!this.#over) this.#link.signal.throwIfAborted();
    this.#caller.throwIfAborted();
  }

  /** What to throw for something thrown on the way: the first reason to stop, else what the library stumbled over. */
  explain(thrown: unknown): unknown {
    if (!this.#over && this.#link.signal.aborted) return this.#link.signal.reason;
    if (this.#caller.aborted) return this.#caller.reason;
    if (thrown instanceof TroupeError) return thrown;
    if (this.#bodyEnded) return this.truncated();
    const said = quoted(messageOf(thrown), this.#endpoint.place);
    return this.malformed("unreadable", `got something its client could not read (${said})`);
  }

  malformed(code: string, got: string): ProviderError {
    const { where } = this.#endpoint.place;
    const advice = "Try again; if it stays, the server does not speak the protocol of the provider's `type`.";
    return new ProviderError(
      { kind: "malformed", code },
      `Expected a well-formed answer from ${where}, ${got}. ${advice}`,
    );
  }

  truncated(): ProviderError {
    return this.malformed("truncated", "but it ended before it said that it was complete");
  }

  /** Says that the answer is whole: the caller's signal no longer counts, and the connection may be used again. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#link.release();
    if (!this.#bodyEnded && this.#reader) void this.#drainTail(this.#reader);
  }

  /** Breaks off whatever is still open. Idempotent; does nothing after `end`. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#link.release();
    this.#link.abort(new CancelledError("The reader of the answer went away."));
  }

  async #send(url: string, init: RequestInit): Promise<Response> {
    if (this.#sent) throw new InternalError("second_request", "A client library sent a second request.");
    this.#sent = true;
    this.guard();
    const response = await this.#ask(url, init);
    this.#answer = response.headers;
    if (response.status < 200 || response.status > 299) throw this.#fail(await this.#refusal(response));
    const type = response.headers.get("content-type") ?? "";
    const headers = { "content-type": type };
    if (this.#rules.checkLine)
      return new Response(this.#checkedBody(response, this.#rules.checkLine), { headers });
    return new Response(await this.#document(response), { headers });
  }

  async #ask(url: string, init: RequestInit): Promise<Response> {
    const { clock, fetch } = this.#endpoint;
    const { connectMs, firstByteMs, idleMs } = this.#deadlines;
    let since = clock.monotonic();
    const connected = (): void => {
      if (this.#link.signal.aborted || this.#answer !== undefined) return;
      since = clock.monotonic();
      this.#arm(firstByte(firstByteMs));
    };
    if (fetch.reportsConnect === true) this.#arm(connection(connectMs));
    else connected();
    const request: RequestInit & ConnectNotice = {
      method: init.method ?? "GET",
      headers: this.#endpoint.headers(this.#rules.checkLine !== undefined),
      ...(init.body === undefined ? {} : { body: init.body }),
      redirect: "manual",
      signal: this.#link.signal,
      onConnect: connected,
    };
    try {
      const response = await withSignal(fetch(url, request), this.#link.signal);
      this.#limits = [firstByte(firstByteMs, clock.monotonic() - since), nextChunk(idleMs)];
      return response;
    } catch (thrown) {
      throw this.#fail(explainConnection(thrown, this.#endpoint.place, false));
    } finally {
      this.#deadline?.cancel();
    }
  }

  /** Stops for this reason unless there was one before (X2); answers with the one that counts. */
  #fail(reason: unknown): Error {
    this.#deadline?.cancel();
    this.#link.abort(reason);
    return this.#link.signal.reason as Error;
  }

  #arm(limit: Limit): void {
    this.#deadline?.cancel();
    const { place, clock } = this.#endpoint;
    this.#deadline = deadline(clock, limit.ms, () => this.#fail(limitReached(limit, place)));
  }

  async #refusal(response: Response): Promise<ProviderError> {
    let body = "";
    try {
      const decoder = new TextDecoder();
      for await (const chunk of this.#chunks(response)) {
        body += decoder.decode(chunk, { stream: true });
        if (body.length > MAX_REFUSAL_CHARS) break;
      }
    } catch {
      // The status alone says enough; an abort or a deadline has been noted already.
    }
    const { status, headers } = response;
    return explainRefusal({ status, headers, body }, this.#endpoint.place, this.#endpoint.clock.now());
  }

  async #document(response: Response): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    try {
      for await (const chunk of this.#chunks(response)) {
        text += decoder.decode(chunk, { stream: true });
        if (text.length > MAX_LINE_CHARS) throw this.#tooLong();
      }
      text += decoder.decode();
      if (parseJson(text)) return text;
      const said = quoted(text, this.#endpoint.place).slice(0, 100);
      throw this.malformed("bad_json", `got no JSON (${said})`);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  #tooLong(): ProviderError {
    return this.malformed("line_too_long", `got a line of more than ${MAX_LINE_CHARS} characters`);
  }

  /** The body again, line by line, as far as it is sound (X3). */
  #checkedBody(
    response: Response,
    check: (line: string, last: boolean) => boolean,
  ): ReadableStream<Uint8Array> {
    const source = this.#checkedLines(response, check);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const next = await source.next();
          if (next.done) controller.close();
          else controller.enqueue(next.value);
        },
      },
      { highWaterMark: 0 },
    );
  }

  async *#checkedLines(
    response: Response,
    check: (line: string, last: boolean) => boolean,
  ): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    const options = { maxChars: MAX_LINE_CHARS, onTooLong: () => this.#tooLong() };
    try {
      for await (const line of lines(this.#chunks(response), options)) {
        if (check(line, this.#bodyEnded)) yield encoder.encode(`${line}\n`);
      }
    } catch (thrown) {
      throw this.#fail(thrown);
    }
  }

  async *#chunks(response: Response): AsyncGenerator<Uint8Array> {
    if (!response.body) {
      this.#bodyEnded = true;
      return;
    }
    this.#reader = response.body.getReader();
    for (let nth = 0; ; nth++) {
      const chunk = await this.#read(this.#reader, this.#limits[nth === 0 ? 0 : 1]);
      if (chunk === undefined) return;
      yield chunk;
    }
  }

  /** One chunk, or nothing at the end. The deadline runs only while this waits (X4). */
  async #read(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    limit: Limit,
  ): Promise<Uint8Array | undefined> {
    this.#arm(limit);
    try {
      const { done, value } = await withSignal(reader.read(), this.#link.signal);
      if (done) this.#bodyEnded = true;
      return value;
    } catch (thrown) {
      if (this.#link.signal.aborted) throw this.#link.signal.reason;
      throw explainConnection(thrown, this.#endpoint.place, true);
    } finally {
      this.#deadline?.cancel();
    }
  }

  async #drainTail(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const stop = (): void => this.#link.abort(new CancelledError("The answer was whole."));
    const limit = deadline(this.#endpoint.clock, TAIL_MS, stop);
    try {
      for (let reads = 0; reads < TAIL_READS; reads++) if ((await reader.read()).done) return;
      stop();
    } catch {
      // The answer is whole; how its connection ends is of no interest.
    } finally {
      limit.cancel();
    }
  }
}
