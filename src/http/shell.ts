// The dashboard's static shell: one page, the modules and styles of `web/`, and the npm modules that these import.
// It answers from a list that is read once; it knows no task, no token and no state of the server.
//
// W1. Only what is on the list exists: a request's path is looked up, and never becomes a path on the disk.
// W2. The shell is the same for everybody and holds no data, so that it needs no token.
// W3. Nothing runs but these files and the import map, whose hash stands in the policy: no inline script, no eval.

import type { Context, MiddlewareHandler, Next } from "hono";
import type { HttpEnv } from "./gate.ts";
import { readShellFiles, type ShellFile } from "./shell-files.ts";

export interface ShellOptions {
  /** The folder of the dashboard, absolute. */
  readonly folder: string;
}

interface Answer {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

const PREFIX = "/app/";
/** A changed file changes the folder that all of them are served from, so none is ever asked for again. */
const FOREVER = "private, max-age=31536000, immutable";

export class Shell {
  readonly #folder: string;
  #answers: Promise<ReadonlyMap<string, Answer>> | undefined;

  constructor({ folder }: ShellOptions) {
    this.#folder = folder;
  }

  /** Whether a request may be answered without a token (keeps W2). What is not on the list is none of them. */
  async has(method: string, path: string): Promise<boolean> {
    return this.#isFor({ method, path }) && (await this.#all()).has(path);
  }

  /** Answers what is on the list and passes on the rest (keeps W1). */
  handler(): MiddlewareHandler<HttpEnv> {
    return (c, next) => (this.#isFor(c.req) ? this.#answer(c, next) : next());
  }

  #isFor({ method, path }: { readonly method: string; readonly path: string }): boolean {
    return (method === "GET" || method === "HEAD") && (path === "/" || path.startsWith(PREFIX));
  }

  async #answer(c: Context<HttpEnv>, next: Next): Promise<Response | void> {
    const { method, path } = c.req;
    if (!(await this.has(method, path))) return next();
    const { body, headers } = (await this.#all()).get(path) as Answer;
    if (c.req.header("if-none-match") === headers["etag"]) return c.body(null, 304, headers);
    return method === "HEAD" ? c.body(null, 200, headers) : c.body(body, 200, headers);
  }

  /** Read at the first request; a failure is not kept. */
  #all(): Promise<ReadonlyMap<string, Answer>> {
    this.#answers ??= answersOf(this.#folder).catch((error: unknown) => {
      this.#answers = undefined;
      throw error;
    });
    return this.#answers;
  }
}

async function answersOf(folder: string): Promise<ReadonlyMap<string, Answer>> {
  const { page, files, imports } = await readShellFiles(folder);
  const etags = await Promise.all(files.map(({ body }) => etagOf(body)));
  const version = await etagOf(new TextEncoder().encode(etags.join()));
  const base = `${PREFIX}${version.slice(1, 13)}`;
  const answers = new Map<string, Answer>();
  for (const [at, { path, type, body }] of files.entries()) {
    const etag = etags[at] ?? "";
    answers.set(`${base}/${path}`, {
      body,
      headers: { "content-type": type, "cache-control": FOREVER, etag },
    });
  }
  const map = JSON.stringify({
    imports: Object.fromEntries(imports.map(([name, path]) => [name, `${base}/${path}`])),
  });
  const body = new TextEncoder().encode(pageOf(page, { base, map, files }));
  answers.set("/", {
    body,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-cache",
      "content-security-policy": policyOf(`sha256-${base64(await sha256(new TextEncoder().encode(map)))}`),
      etag: await etagOf(body),
    },
  });
  return answers;
}

/** The page with its places filled in; all modules are named, so that the browser asks for them at once. */
function pageOf(
  page: string,
  parts: { readonly base: string; readonly map: string; readonly files: readonly ShellFile[] },
): string {
  const { base, map, files } = parts;
  const preloads = files
    .filter(({ early }) => early)
    .map(({ path }) => `<link rel="modulepreload" href="${base}/${path}">`);
  return page
    .replace("<!--import-map-->", () => `<script type="importmap">${map}</script>`)
    .replace("<!--preloads-->", () => preloads.join("\n    "))
    .replaceAll("%APP%", base);
}

/** Trusted Types without a policy: no text can become markup, whatever the page's code does with it (keeps W3). */
function policyOf(hash: string): string {
  return [
    "default-src 'none'",
    `script-src 'self' '${hash}'`,
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

async function etagOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = await sha256(bytes);
  return `"${[...hash.subarray(0, 12)].map((byte) => byte.toString(16).padStart(2, "0")).join("")}"`;
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
