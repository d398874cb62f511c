// Asks an API whatever its own document allows, and nearly that, and looks at every answer: no defect (5xx), nothing that
// the document does not say, the headers of every answer, and at the end a box that is in order. The same seed asks the
// same things in the same order.

import fc from "fast-check";
import { idMark, oddText, type Schema, type Schemas, valuesOf, wrongWith } from "./json-schema.ts";

export interface Operation {
  readonly operationId: string;
  readonly path: string;
  readonly method: string;
  readonly parameters: readonly { readonly in: string; readonly name: string; readonly schema?: Schema }[];
  readonly body: Schema | null;
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> }>
  >;
}

/** One request, with marks for ids that only the run knows. */
export interface Plan {
  readonly operation: Operation;
  readonly path: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface OpenApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly components: { readonly schemas: Schemas };
}

export function operationsOf({ paths }: OpenApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, one]): Operation => {
      const content = (one["requestBody"] as { content?: Record<string, { schema: Schema }> } | undefined)
        ?.content;
      return {
        operationId: String(one["operationId"]),
        path,
        method: method.toUpperCase(),
        parameters: (one["parameters"] ?? []) as Operation["parameters"],
        body: content?.["application/json"]?.schema ?? null,
        responses: one["responses"] as Operation["responses"],
      };
    }),
  );
}

const RAW_BODIES = [
  "",
  "{",
  "[]",
  "null",
  "7",
  '{"__proto__":{"x":1}}',
  '{"goal":1e400}',
  `${"[".repeat(200)}${"]".repeat(200)}`,
  "\ufeff{}",
];
const TYPES = ["text/plain", "application/json; charset=utf-16", "multipart/form-data; boundary=x", ""];

/** Not `String`: an object of JSON may have a key that is called toString. */
const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** Requests to one operation. */
function plansFor(operation: Operation, all: Schemas): fc.Arbitrary<Plan> {
  const of = (where: string) => operation.parameters.filter((each) => each.in === where);
  const named = (where: string) =>
    Object.fromEntries(of(where).map(({ name, schema = {} }) => [name, valuesOf(schema, all, name)]));
  const path = fc.record(
    Object.fromEntries(
      of("path").map(({ name, schema = {} }) => [
        name,
        name === "id"
          ? fc.oneof({ weight: 9, arbitrary: idMark }, { weight: 1, arbitrary: oddText })
          : valuesOf(schema, all, name).map(textOf),
      ]),
    ),
  );
  const key = fc.oneof(fc.constantFrom("a", "b", "c"), fc.string({ maxLength: 8 }));
  const body = operation.body
    ? fc.oneof(
        { weight: 30, arbitrary: valuesOf(operation.body, all).map((value) => JSON.stringify(value)) },
        { weight: 1, arbitrary: fc.constantFrom(...RAW_BODIES) },
      )
    : fc.constant(null);
  const type = fc.oneof(
    { weight: 40, arbitrary: fc.constant("application/json") },
    { weight: 1, arbitrary: fc.constantFrom(...TYPES) },
  );
  return fc.record({
    operation: fc.constant(operation),
    path: path as fc.Arbitrary<Record<string, string>>,
    query: fc.record(named("query"), { requiredKeys: [] }) as fc.Arbitrary<Record<string, unknown>>,
    headers: fc.tuple(type, fc.option(key, { freq: 6 })).map(([media, idempotency]) => ({
      ...(operation.body && { "content-type": media }),
      ...(idempotency !== null && /^[\x20-\x7e]*$/.test(idempotency) && { "idempotency-key": idempotency }),
    })) as fc.Arbitrary<Record<string, string>>,
    body,
  });
}

export function plans(document: OpenApiDocument): fc.Arbitrary<Plan> {
  return fc.oneof(...operationsOf(document).map((each) => plansFor(each, document.components.schemas)));
}

export interface FuzzOptions {
  readonly ask: (path: string, init: RequestInit) => Promise<Response>;
  readonly document: OpenApiDocument;
  readonly requests: number;
  readonly seed: number;
}

export interface FuzzReport {
  readonly requests: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations that answered with success at least once. */
  readonly served: readonly string[];
  readonly violations: readonly string[];
}

const PIECE = 500;
const MOST_TOLD = 20;

export async function fuzz({ ask, document, requests, seed }: FuzzOptions): Promise<FuzzReport> {
  const run = new Run(document);
  const arbitrary = plans(document);
  for (let done = 0; done < requests && run.violations.length < MOST_TOLD; done += PIECE) {
    const numRuns = Math.min(PIECE, requests - done);
    for (const plan of fc.sample(arbitrary, { seed: seed + done, numRuns })) await run.ask(plan, ask);
  }
  return run.report();
}

class Run {
  readonly violations: string[] = [];
  readonly #schemas: Schemas;
  readonly #ids: string[] = ["task_none"];
  readonly #statuses = new Map<string, number>();
  readonly #served = new Set<string>();
  #requests = 0;

  constructor(document: OpenApiDocument) {
    this.#schemas = document.components.schemas;
  }

  async ask(plan: Plan, ask: FuzzOptions["ask"]): Promise<void> {
    this.#requests += 1;
    const { operation } = plan;
    const text = (value: unknown): string => this.#withIds(textOf(value));
    const path = operation.path.replaceAll(
      /\{(\w+)\}/g,
      (_, name: string) => encodeURIComponent(text(plan.path[name] ?? "").toWellFormed()) || "none",
    );
    const query = new URLSearchParams(
      Object.entries(plan.query).map(([key, value]): [string, string] => [key, text(value)]),
    );
    const body = plan.body === null ? null : text(plan.body);
    const init = { method: operation.method, headers: plan.headers, ...(body !== null && { body }) };
    const target = `${path}?${query}`;
    const said = `${operation.method} ${target} ${body?.slice(0, 300) ?? ""}`;
    const response = await ask(target, init);
    for (const wrong of await this.#wrong(operation, response)) this.violations.push(`${wrong}\n    ${said}`);
  }

  async #wrong(operation: Operation, response: Response): Promise<readonly string[]> {
    const { status } = response;
    this.#statuses.set(`${status}`, (this.#statuses.get(`${status}`) ?? 0) + 1);
    const wrong: string[] = [];
    for (const name of ["x-content-type-options", "content-security-policy", "cache-control"]) {
      if (!response.headers.has(name)) wrong.push(`${status} without ${name}`);
    }
    const media = (response.headers.get("content-type") ?? "").split(";")[0] ?? "";
    if (media === "text/event-stream") {
      await response.body?.cancel();
      this.#served.add(operation.operationId);
      return wrong;
    }
    const text = await response.text();
    if (status >= 500) return [...wrong, `${status}: ${text.slice(0, 300)}`];
    const documented =
      operation.responses[`${status}`] ?? (status >= 400 ? operation.responses["default"] : undefined);
    if (!documented) return [...wrong, `${status} is not in the document`];
    if (status < 400) this.#served.add(operation.operationId);
    const schema = documented.content?.[media]?.schema;
    if (!schema)
      return text === "" && !documented.content
        ? wrong
        : [...wrong, `${status} as ${media || "nothing"} is not in the document`];
    const value: unknown = JSON.parse(text);
    this.#meet(value);
    const isAs =
      typeof value === "object" &&
      value !== null &&
      (status < 400 || (value as { status?: unknown }).status === status);
    return [
      ...wrong,
      ...(isAs ? [] : [`${status}: the body says another`]),
      ...wrongWith(value, schema, { all: this.#schemas }),
    ];
  }

  #meet(value: unknown): void {
    const id = (value as { task_id?: unknown } | null)?.task_id;
    if (typeof id === "string" && this.#ids.length < 400 && !this.#ids.includes(id)) this.#ids.push(id);
  }

  #withIds(text: string): string {
    return text.replaceAll(
      /@id:(\d+)/g,
      (_, nth: string) => this.#ids[Number(nth) % this.#ids.length] as string,
    );
  }

  report(): FuzzReport {
    const statuses = Object.fromEntries([...this.#statuses].toSorted(([a], [b]) => Number(a) - Number(b)));
    return {
      requests: this.#requests,
      statuses,
      served: [...this.#served].toSorted(),
      violations: this.violations,
    };
  }
}
