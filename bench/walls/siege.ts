// What a child that does its worst in its terminal does to everybody else: a whole server of its own, asked for a list
// of tasks at a steady rate, in quiet windows and in windows under attack that follow each other, so that a slow
// moment of the machine hits both.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { HttpClient } from "../../src/http/client.ts";
import type { ChatMessage, Reply } from "../../test/crash/planner.ts";
import { MODEL, startModelServer } from "../../test/crash/model-server.ts";
import { pause, ServerProcess, type Home } from "../../test/crash/server-process.ts";
import { makeGround } from "../../test/sandbox/machine.ts";

export interface Attack {
  readonly name: string;
  readonly command: string;
}

/** Each goes on until it is called off. */
export const ATTACKS: readonly Attack[] = [
  { name: "fork bomb", command: `perl -e 'fork while 1'` },
  { name: "yes", command: "yes" },
  {
    name: "64 GB allocation",
    command: `for i in {1..16}; do (while :; do perl -e 'push @x, "a" x 1e7 while @x < 400'; done) & done 2>/dev/null; wait`,
  },
  { name: "busy loops", command: "for i in {1..16}; do (while :; do :; done) & done; wait" },
  {
    name: "100 GB tmp file",
    command: "while :; do dd if=/dev/zero of=/tmp/big bs=1M count=100000 status=none; rm -f /tmp/big; done",
  },
];

export interface SiegeOptions {
  readonly rounds: number;
  readonly windowMs: number;
  /** Requests a second. */
  readonly rate: number;
}

/** Milliseconds of each request of each round: in a quiet window, and in the one under attack that followed it. */
export interface Besieged {
  readonly attack: string;
  readonly quiet: (readonly number[])[];
  readonly under: (readonly number[])[];
}

export interface Siege {
  readonly attacks: readonly Besieged[];
  /** What was not as it must be; empty for an exact run. */
  readonly problems: readonly string[];
  /** What the server says of the terminal at its start. */
  readonly terminal: string;
}

const GOAL = "attack: ";

/** The model: it runs the command that its goal names, and then has done. */
function obey(messages: readonly ChatMessage[]): Reply {
  const goal = messages.find(({ role, content }) => role === "user" && content.startsWith(GOAL));
  const isDone = goal === undefined || messages.some(({ answers }) => answers !== null);
  if (isDone) return { plan: null, text: "done", calls: [] };
  const input = { command: goal.content.slice(GOAL.length) };
  return { plan: null, text: "", calls: [{ name: "terminal", input }] };
}

export async function besiege(options: SiegeOptions): Promise<Siege> {
  const ground = makeGround();
  const model = await startModelServer({ reply: obey });
  const home = homeIn(ground.base, ground.workspace, model.url);
  const server = new ServerProcess({ home, life: 1, port: 0 });
  const attacks = ATTACKS.map(({ name }): Besieged => ({ attack: name, quiet: [], under: [] }));
  const problems: string[] = [];
  try {
    const client = await server.client(home);
    const ask = async (): Promise<void> => void (await client.list({ limit: 20 }));
    for (let at = 0; at < 200; at += 1) await ask();
    for (let round = 0; round < options.rounds; round += 1) {
      for (const [at, attack] of ATTACKS.entries()) {
        attacks[at]?.quiet.push(await window(ask, options));
        const { taskId } = await client.delegate({
          goal: `${GOAL}${attack.command}`,
          toolsets: ["terminal"],
        });
        await begun(client, taskId);
        attacks[at]?.under.push(await window(ask, options));
        const { phase } = await client.check(taskId);
        if (phase !== "calling_tools") problems.push(`${attack.name} was not under way: ${phase}`);
        await client.cancel(taskId);
        await client.collect(taskId);
        await pause(500);
      }
    }
    return { attacks, problems, terminal: /terminal: .*/.exec(server.output)?.[0] ?? server.output };
  } finally {
    await server.kill();
    await model.close();
    ground.remove();
  }
}

function homeIn(folder: string, cwd: string, modelUrl: string): Home {
  const home = join(folder, "home");
  mkdirSync(home, { mode: 0o700 });
  const config = [
    `model: rules/${MODEL}`,
    `providers: {rules: {type: ollama, base_url: "${modelUrl}", slots: 4, max_children: 4}}`,
    "toolsets: [terminal]",
    "delegation: {default_toolsets: [terminal]}",
    "tools: {terminal: {timeout_s: 600, max_memory_mb: 2048}}",
    "store: {durability: normal}",
    "",
  ];
  writeFileSync(join(home, "config.yaml"), config.join("\n"), { mode: 0o600 });
  return {
    folder,
    cwd,
    home,
    database: join(home, "troupe.db"),
    log: join(folder, "log"),
    remove: async () => {},
  };
}

async function begun(client: HttpClient, taskId: string): Promise<void> {
  while ((await client.check(taskId)).phase !== "calling_tools") await pause(20);
  // Until it is at its worst.
  await pause(1_000);
}

/** Asks at a steady rate, whether answers come or not: a server that stands still is waited for by all. */
async function window(
  ask: () => Promise<void>,
  { windowMs, rate }: SiegeOptions,
): Promise<readonly number[]> {
  const asked: Promise<number>[] = [];
  const start = performance.now();
  const count = Math.floor((windowMs / 1000) * rate);
  for (let at = 0; at < count; at += 1) {
    const due = start + (at * 1000) / rate;
    const early = due - performance.now();
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
    asked.push(ask().then(() => performance.now() - due));
  }
  return Promise.all(asked);
}
