// What the guards of the HTTP API cost: the same answers from Hono with nothing before its handlers, and from all that
// `troupe serve` puts there (Host, Origin, token, scope, rate, path, query and body by schema, headers), each in a process of
// its own, in interleaved rounds.

import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { compare, type ContenderResult } from "../harness.ts";
import { load } from "../gate/load.ts";
import { type Kind, type Started, TOKEN } from "../gate/work.ts";
import type { Bench, Claim } from "../report.ts";
import { median, percentile } from "../statistics.ts";

const PROGRAM = fileURLToPath(new URL("../gate/server.ts", import.meta.url));
const CONNECTIONS = 16;
const KINDS: readonly Kind[] = ["bare", "guarded"];
/** What is asked, by its name: a look and a command with a body. */
const ASKED = ["check", "steer"] as const;
type Asked = (typeof ASKED)[number];

class GateServer {
  readonly kind: Kind;
  readonly #child: ChildProcess;
  readonly #started: Started;
  /** Requests that it was asked, and those that it answered well. */
  readonly counts = { asked: 0, answered: 0 };

  private constructor(kind: Kind, child: ChildProcess, started: Started) {
    this.kind = kind;
    this.#child = child;
    this.#started = started;
  }

  static async start(kind: Kind): Promise<GateServer> {
    const child = fork(PROGRAM, [kind]);
    const [started] = (await once(child, "message")) as [Started];
    return new GateServer(kind, child, started);
  }

  /** The processor's time that it has taken, in milliseconds. */
  async cpuMs(): Promise<number> {
    const told = once(this.#child, "message") as Promise<[{ readonly cpuMs: number }]>;
    this.#child.send("cpu");
    return (await told)[0].cpuMs;
  }

  async answer(asked: Asked, requests: number): Promise<void> {
    const { port, taskId } = this.#started;
    this.counts.asked += requests;
    this.counts.answered += await load({
      port,
      connections: CONNECTIONS,
      requests,
      request: requestText(asked, port, taskId),
    });
  }

  stop(): void {
    this.#child.disconnect();
  }
}

function requestText(asked: Asked, port: number, taskId: string): string {
  const body = asked === "steer" ? JSON.stringify({ message: "and the folders, please" }) : "";
  const [method, path] =
    asked === "steer" ? ["POST", `/v1/tasks/${taskId}/steer`] : ["GET", `/v1/tasks/${taskId}`];
  const typed = body === "" ? [] : ["Content-Type: application/json", `Content-Length: ${body.length}`];
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Authorization: Bearer ${TOKEN}`,
    ...typed,
  ];
  return `${lines.join("\r\n")}\r\n\r\n${body}`;
}

interface Measured {
  readonly asked: Asked;
  readonly results: readonly ContenderResult[];
  /** The processor's time of the servers for a thousand requests, in milliseconds, round by round. */
  readonly cpu: Readonly<Record<Kind, readonly number[]>>;
}

async function measure(
  asked: Asked,
  servers: readonly GateServer[],
  { count, requests }: { readonly count: number; readonly requests: number },
): Promise<Measured> {
  const cpu: Record<Kind, number[]> = { bare: [], guarded: [] };
  const contenders = servers.map((server) => ({
    name: server.kind,
    run: async () => {
      const before = await server.cpuMs();
      const start = performance.now();
      await server.answer(asked, requests);
      const took = performance.now() - start;
      cpu[server.kind].push(((await server.cpuMs()) - before) * (1_000 / requests));
      return took * (1_000 / requests);
    },
  }));
  return { asked, results: await compare(contenders, { rounds: count, warmup: 3 }), cpu };
}

/** The guarded server's throughput over the bare one's, round by round. */
function sharesOf({ results }: Measured): readonly number[] {
  const [bare, guarded] = results;
  return (bare?.samples ?? []).map((ms, at) => ms / (guarded?.samples[at] ?? Number.NaN));
}

const claimOf = (measured: Measured): Claim => ({
  name: `${measured.asked}: requests a second, share of bare Hono`,
  value: median(sharesOf(measured)),
  limit: 0.7,
  bound: "at_least",
});

function lineOf(measured: Measured): string {
  const { asked, results, cpu } = measured;
  const perS = results.map(({ name, median: ms }) => `${name} ${Math.round(1e6 / ms)} a second`).join(", ");
  const shares = sharesOf(measured);
  const spread = [0.1, 0.9].map((share) => percentile(shares, share).toFixed(2)).join(" to ");
  const times = KINDS.map((kind) => `${kind} ${median(cpu[kind]).toFixed(0)} µs`).join(", ");
  return `${asked}: ${perS}; share of four rounds in five ${spread}; processor's time of a request ${times}`;
}

export const bench: Bench = {
  summary: "what the guards of the HTTP API cost, beside Hono with the same handlers and no guard",
  async run({ quick }) {
    const [count, requests] = quick ? [8, 1_000] : [40, 1_500];
    const servers = await Promise.all(KINDS.map((kind) => GateServer.start(kind)));
    const all: Measured[] = [];
    try {
      for (const asked of ASKED) all.push(await measure(asked, servers, { count, requests }));
    } finally {
      for (const server of servers) server.stop();
    }
    return {
      name: "gate",
      measured: `${count} rounds of ${requests} requests over ${CONNECTIONS} connections to each server, alternating`,
      notMeasured: [
        "what stands behind the guards: the API answers at once, and the record of commands is off",
        "TLS and a network: the client is a process of this machine that shares its cores with the servers",
      ],
      checks: servers.map(({ kind, counts }) => ({
        name: `${kind}: every request was answered with 2xx`,
        holds: counts.asked > 0 && counts.answered === counts.asked,
        detail: `${counts.answered} of ${counts.asked}`,
      })),
      claims: all.map(claimOf),
      lines: all.map(lineOf),
      figures: { measured: all },
    };
  },
};
