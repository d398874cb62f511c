// A model server as the config describes it: its address, the headers that every request carries, its deadlines.
// It refuses addresses and keys that can never work, before anything is sent, and never quotes a secret.

import type { Clock } from "../src/base/clock.ts";
import { ConfigError } from "../src/base/errors.ts";
import type { RuntimeFetch } from "../src/base/fetch.ts";
import type { Place } from "./failure.ts";
import type { ProviderDeadlines, ProviderOptions } from "./provider.ts";
import { DEFAULT_DEADLINES } from "./provider.ts";

/** One model server: its address, what is sent to it every time, and how its failures are worded. */
export class Endpoint {
  readonly baseUrl: string;
  readonly place: Place;
  readonly clock: Clock;
  readonly fetch: RuntimeFetch;
  readonly deadlines: ProviderDeadlines;
  readonly #headers: Headers;

  /** Throws ConfigError for an address or a key that can never work. `hint` says how to get a server going. */
  constructor(options: ProviderOptions, hint: string) {
    this.baseUrl = checkedBaseUrl(options.baseUrl);
    this.clock = options.clock;
    this.fetch = options.fetch as RuntimeFetch;
    this.deadlines = { ...DEFAULT_DEADLINES, ...options.deadlines };
    this.place = { where: this.baseUrl, hint, redact: redactor(options) };
    this.#headers = checkedHeaders(options);
  }

  headers(streams: boolean): Headers {
    const headers = new Headers(this.#headers);
    headers.set(
      "accept",
      streams ? "application/x-ndjson, text/event-stream, application/json" : "application/json",
    );
    return headers;
  }
}

/** The owner of the credentials knows their other forms too; without one, the key as it was sent is taken out. */
function redactor({ apiKey, redact }: ProviderOptions): (text: string) => string {
  return (text) => {
    const known = redact === undefined ? text : redact(text);
    return apiKey ? known.replaceAll(apiKey, "[secret]") : known;
  };
}

function checkedBaseUrl(text: string): string {
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol)) {
    const message = `Expected \`base_url\` to be an http or https address, got ${JSON.stringify(text)}.`;
    throw new ConfigError("base_url", message);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    const message = `Expected \`base_url\` without credentials, query and fragment, got some at ${url.origin}. Put a key into \`api_key\`.`;
    throw new ConfigError("base_url", message);
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

function checkedHeaders(options: ProviderOptions): Headers {
  const headers = new Headers({ "user-agent": "troupe" });
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (!setHeader(headers, name, value)) {
      throw new ConfigError(
        "headers",
        `Expected a header that HTTP can carry, got one it cannot under the name ${JSON.stringify(name)}.`,
      );
    }
  }
  headers.set("content-type", "application/json");
  // The runtime's own message would quote the value.
  if (options.apiKey && !setHeader(headers, "authorization", `Bearer ${options.apiKey}`)) {
    const message =
      "Expected an `api_key` of printable ASCII characters, got one with others (a line break, perhaps).";
    throw new ConfigError("api_key", message);
  }
  return headers;
}

function setHeader(headers: Headers, name: string, value: string): boolean {
  if (/[^\t\x20-\x7e]/.test(value)) return false;
  try {
    headers.set(name, value);
    return true;
  } catch {
    return false;
  }
}
