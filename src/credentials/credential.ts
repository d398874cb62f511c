// One secret, wrapped so that it cannot be written down by accident: every way of turning it into text shows its
// fingerprint. The secret itself leaves by `reveal` only.

import { createHash } from "node:crypto";

/** What Node, Bun and Deno call when a value is logged or inspected. */
const INSPECT = Symbol.for("nodejs.util.inspect.custom");
const FINGERPRINT_CHARS = 12;

export class Credential {
  /** The provider that it is for, and no other. */
  readonly provider: string;
  /** First 12 hex characters of the SHA-256: tells two keys apart in logs without telling either. */
  readonly fingerprint: string;
  /** Where it came from: `env:NAME`, or `literal`. */
  readonly source: string;
  readonly #secret: string;

  constructor(provider: string, source: string, secret: string) {
    this.provider = provider;
    this.source = source;
    this.fingerprint = createHash("sha256").update(secret).digest("hex").slice(0, FINGERPRINT_CHARS);
    this.#secret = secret;
  }

  /** The secret. Contract: call it where the request's header is made, and keep the answer nowhere. */
  reveal(): string {
    return this.#secret;
  }

  toJSON(): { readonly provider: string; readonly fingerprint: string; readonly source: string } {
    return { provider: this.provider, fingerprint: this.fingerprint, source: this.source };
  }

  toString(): string {
    return `Credential(${this.provider} ${this.fingerprint})`;
  }

  [INSPECT](): string {
    return this.toString();
  }
}
