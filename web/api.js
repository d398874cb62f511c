// The calls of the dashboard: the server's own HTTP API with the tab's token, in the wire's words. It retries nothing:
// who asked decides that.

/**
 * @typedef {object} Problem
 * @property {number} status 0 when nothing answered.
 * @property {string} code
 * @property {string} detail
 */

/** A call that was refused, or that nothing answered. */
export class ApiError extends Error {
  /** @param {Problem} problem */
  constructor({ status, code, detail }) {
    super(detail);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
  }
}

/**
 * @typedef {object} ApiOptions
 * @property {(path: string, init: RequestInit) => Promise<Response>} request
 * @property {() => string | null} token
 * @property {(why: string) => void} onRefused Called when the token is not (or no longer) the server's.
 */

/** Contract: every call throws ApiErrors only. */
export class Api {
  #options;

  /** @param {ApiOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /**
   * @template T
   * @param {string} path
   * @param {Readonly<Record<string, string | number | null | undefined>>} [query]
   * @returns {Promise<T>}
   */
  get(path, query = {}) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== null) search.set(name, String(value));
    }
    return this.#call(search.size === 0 ? path : `${path}?${search}`, { method: "GET" });
  }

  /**
   * @template T
   * @param {string} path
   * @param {unknown} body
   * @param {string} [key] Makes the call repeatable.
   * @returns {Promise<T>}
   */
  post(path, body, key) {
    return this.#call(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { "idempotency-key": key }),
      },
    });
  }

  /**
   * @param {string} path
   * @param {Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> }} init
   */
  async #call(path, init) {
    const response = await this.#send(path, init);
    const text = await response.text().catch(() => "");
    const body = parsed(text);
    if (response.ok) return body;
    const detail = body?.detail ?? `The server answered ${response.status} without saying why.`;
    if (response.status === 401) this.#options.onRefused("The server does not know this token (any more).");
    throw new ApiError({ status: response.status, code: body?.code ?? "unknown", detail });
  }

  /**
   * @param {string} path
   * @param {Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> }} init
   */
  async #send(path, init) {
    const headers = { ...init.headers, authorization: `Bearer ${this.#options.token() ?? ""}` };
    try {
      return await this.#options.request(path, { ...init, headers });
    } catch {
      throw new ApiError({ status: 0, code: "unreachable", detail: "The server does not answer." });
    }
  }
}

/** @param {string} text */
function parsed(text) {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
