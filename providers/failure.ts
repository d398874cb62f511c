// What a refusal or a broken connection means: one ProviderError per cause, decided by tables of this file alone.
// Servers' own words are quoted, cut, and freed of the secret that was sent to them. Nothing here does any I/O.

import type { ProviderErrorKind } from "../src/base/errors.ts";
import { messageOf, ProviderError } from "../src/base/errors.ts";
import { limitScope, waitHint } from "./hints.ts";
import { isObject, objectOf, parseJson, textOf } from "./json.ts";

/** Who was asked, for the message. */
export interface Place {
  /** The base URL, which holds no credential. */
  readonly where: string;
  /** What a person can do when nobody answers there. */
  readonly hint: string;
  /** Takes the secret that was sent there out of a text; a function, so that printing this shows none. */
  readonly redact: (text: string) => string;
}

/** What a server said when it refused: an HTTP answer, or an error inside a stream (then without a status). */
export interface Refusal {
  readonly status?: number;
  readonly headers?: Headers;
  readonly body: string;
}

const MAX_QUOTE_CHARS = 500;

interface Rule {
  readonly kind: ProviderErrorKind;
  readonly code: string;
  /** Statuses it holds for; `stream` stands for an error inside a stream that was accepted. */
  readonly statuses: readonly (number | "stream")[];
  readonly words?: RegExp;
  readonly advice: string;
}

const ASKED_WRONGLY = [400, 404, 413, 422, 500, "stream"] as const;
const MONEY = [400, 402, 403, 429, "stream"] as const;

/** The first rule that fits decides; words go before bare statuses. */
const RULES: readonly Rule[] = [
  {
    kind: "context_length",
    code: "context_length",
    statuses: ASKED_WRONGLY,
    words:
      /context[_ ](length|window|size)|maximum context|prompt is too long|input (length|is too long)|too many tokens/,
    advice: "Shorten the conversation, or give the model a longer context.",
  },
  {
    kind: "refused",
    code: "tools_unsupported",
    statuses: ASKED_WRONGLY,
    words: /does not support tools/,
    advice: "Choose a model with tools, or give the agent none.",
  },
  {
    kind: "refused",
    code: "thinking_unsupported",
    statuses: ASKED_WRONGLY,
    words: /does not support thinking/,
    advice: "Do not ask this model to think.",
  },
  {
    kind: "refused",
    code: "model_not_found",
    statuses: [400, 403, 404, 422, "stream"],
    words:
      /model_not_found|model\b.{0,300}?\b(not found|does not exist|do(es)? not have access)|no such model/s,
    advice:
      "Name a model that the server has (an Ollama lists them with `ollama ls` and gets one with `ollama pull`).",
  },
  {
    kind: "quota",
    code: "quota",
    statuses: MONEY,
    words:
      /insufficient_(quota|balance|credits|funds)|billing|credit balance|more credits|usage limit|(spend(ing)?|key|credit) limit|exceeded your current quota/,
    advice: "Raise the account's limit or use another key.",
  },
  { kind: "quota", code: "quota", statuses: [402], advice: "Raise the account's limit or use another key." },
  {
    kind: "refused",
    code: "content_filter",
    statuses: [400, 403, "stream"],
    words: /content[_ ](filter|policy|management)|moderation|flagged|safety/,
    advice: "The server will not answer this; change what is asked.",
  },
  {
    kind: "auth",
    code: "key_revoked",
    statuses: [400, 401, 403, "stream"],
    words:
      /invalid_grant|(api_?key|key|token|account|credential)s?\b.{0,60}?\b(revoked|deactivated|deleted|expired|disabled|suspended)|account_deactivated/s,
    advice: "This key will not work again: put another one in its place.",
  },
  {
    kind: "refused",
    code: "permission",
    statuses: [403],
    words:
      /permissions?_(error|denied)|insufficient permissions|not have permission|permission_blocked|unsupported_country|not (allowed|permitted|entitled)/,
    advice: "Give the key the right to this model, or use another model.",
  },
  {
    kind: "auth",
    code: "auth",
    statuses: ["stream"],
    words: /invalid_api_key|authentication|unauthori[sz]ed|permission_denied/,
    advice: "Check the provider's `api_key`.",
  },
  { kind: "auth", code: "auth", statuses: [401, 403], advice: "Check the provider's `api_key`." },
  {
    kind: "rate_limited",
    code: "concurrency_limit",
    statuses: [408, 429, 503, 504, "stream"],
    words: /concurren(t|cy)/,
    advice: "Lower the key's `concurrency`, or `slots`.",
  },
  {
    kind: "rate_limited",
    code: "rate_limited",
    statuses: ["stream"],
    words: /rate[_ ]limit|too many requests/,
    advice: "Try again later, or lower `slots`.",
  },
  {
    kind: "rate_limited",
    code: "rate_limited",
    statuses: [429],
    advice: "Try again later, or lower `slots`.",
  },
  {
    kind: "overloaded",
    code: "out_of_memory",
    statuses: [500, 503, "stream"],
    words: /requires more system memory|out of memory|cudaMalloc failed/i,
    advice: "Unload another model, or ask for a smaller context or model.",
  },
  {
    kind: "overloaded",
    code: "overloaded",
    statuses: ["stream"],
    words: /overloaded|server busy|maximum pending requests|capacity/,
    advice: "Try again later, or lower `slots`.",
  },
  {
    kind: "overloaded",
    code: "overloaded",
    statuses: [498, 503, 529],
    advice: "Try again later, or lower `slots`.",
  },
  { kind: "timeout", code: "server_timeout", statuses: [408, 504], advice: "Try again later." },
  {
    kind: "context_length",
    code: "request_too_large",
    statuses: [413],
    advice: "Shorten the conversation.",
  },
  {
    kind: "refused",
    code: "not_found",
    statuses: [404, 405],
    advice: "Check that the provider's `base_url` and `type` fit this server.",
  },
];

function lastResort(status: number | undefined): Rule {
  if (status === undefined || status >= 500) {
    return {
      kind: "network",
      code: "server_error",
      statuses: [],
      advice: "Try again; the server's own log says more.",
    };
  }
  if (status < 400) {
    const advice =
      "Set the provider's `base_url` to the address that answers itself; redirects are not followed.";
    return { kind: "refused", code: "redirected", statuses: [], advice };
  }
  const advice = "The server does not take this request as it stands.";
  return { kind: "refused", code: "invalid_request", statuses: [], advice };
}

/** The error that a refusal stands for. Never throws; `now` is wall-clock milliseconds, for dates in Retry-After. */
export function explainRefusal(refusal: Refusal, place: Place, now: number): ProviderError {
  const said = readBody(refusal.body);
  const status = refusal.status ?? said.status;
  const words = said.words.toLowerCase();
  const rule =
    RULES.find(
      (each) =>
        each.statuses.includes(status ?? "stream") && (each.words === undefined || each.words.test(words)),
    ) ?? lastResort(status);
  const { headers } = refusal;
  const retryAfterMs = waitHint({ text: refusal.body, now, ...(headers && { headers }) });
  const what = status === undefined ? "an error inside the stream" : `status ${status}`;
  const quote = said.text === "" ? "" : ` (${quoted(said.text, place)})`;
  const message = `Expected an answer from the model server at ${place.where}, got ${what}${quote}. ${rule.advice}`;
  return new ProviderError({ kind: rule.kind, code: rule.code }, message, {
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(rule.kind === "rate_limited" && { limitScope: limitScope(headers, refusal.body) }),
  });
}

interface Said {
  readonly text: string;
  /** The message with the machine-readable words before it. */
  readonly words: string;
  readonly status?: number;
}

/** Reads `{error: "…"}`, `{error: {message, code, type}}`, `{message}`, `{detail}` or plain text. */
function readBody(body: string): Said {
  const json = parseJson(body);
  if (!json || !isObject(json.value)) return { text: body, words: body };
  const error = json.value["error"];
  const about = isObject(error) ? error : json.value;
  const text =
    textOf(error) ||
    textOf(about["message"]) ||
    textOf(about["detail"]) ||
    JSON.stringify(error ?? json.value);
  const code = about["code"];
  const words = `${textOf(code)} ${textOf(about["type"])} ${text}`;
  return typeof code === "number" && code >= 400 && code < 600
    ? { text, words, status: code }
    : { text, words };
}

/** At most 500 characters on one line, without the secret. */
export function quoted(text: string, place: Place): string {
  const flat = place.redact(text).replace(/\s+/g, " ").trim();
  return flat.length > MAX_QUOTE_CHARS ? `${flat.slice(0, MAX_QUOTE_CHARS)}…` : flat;
}

/** The error behind a fetch that failed; `answered` says whether response headers had come. Never throws. */
export function explainConnection(thrown: unknown, place: Place, answered: boolean): ProviderError {
  const code = systemCode(thrown);
  const said = code === "" ? quoted(messageOf(innermost(thrown)), place) : code;
  if (answered) {
    const message = `Expected the answer of ${place.where} to go on, but the connection broke (${said}). Try again; the server's own log says why it closed.`;
    return new ProviderError({ kind: "network", code: "connection_lost" }, message);
  }
  if (/^(HPE_|UND_ERR_HEADERS_OVERFLOW)/.test(code)) {
    const message = `Expected HTTP from ${place.where}, got something else (${said}). Check the provider's \`base_url\`.`;
    return new ProviderError({ kind: "malformed", code: "not_http" }, message);
  }
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) {
    const message = `Expected a TLS connection to ${place.where} that can be trusted, got ${said}. Check the certificate, or the scheme in the provider's \`base_url\`.`;
    return new ProviderError({ kind: "network", code: "tls" }, message);
  }
  if (code === "ETIMEDOUT" || code === "UND_ERR_CONNECT_TIMEOUT") {
    const message = `Expected a connection to ${place.where}, but nothing answered in time (${said}). ${place.hint}`;
    return new ProviderError({ kind: "timeout", code: "connect_timeout" }, message);
  }
  if (/^(ECONNRESET|EPIPE|UND_ERR_SOCKET|ECONNABORTED)$/.test(code)) {
    const message = `Expected an answer from ${place.where}, but it closed the connection without one (${said}). Try again; the server's own log says why.`;
    return new ProviderError({ kind: "network", code: "connection_lost" }, message);
  }
  const message = `Expected a model server at ${place.where}, but it cannot be reached (${said}). ${place.hint}`;
  return new ProviderError({ kind: "network", code: "unreachable" }, message);
}

function innermost(thrown: unknown): unknown {
  let at = thrown;
  for (let depth = 0; depth < 5 && objectOf(at)["cause"] !== undefined; depth++) at = objectOf(at)["cause"];
  return at;
}

/** The first system code in an error, its causes and its parts (Node nests them, and bundles one per address). */
function systemCode(thrown: unknown): string {
  let at: unknown = thrown;
  for (let depth = 0; depth < 5 && at !== undefined; depth++) {
    const code = textOf(objectOf(at)["code"]);
    if (code !== "") return code;
    const parts = objectOf(at)["errors"];
    at = objectOf(at)["cause"] ?? (Array.isArray(parts) ? parts[0] : undefined);
  }
  return "";
}
