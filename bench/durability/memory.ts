// Memory that ended work leaves behind in a durable server, each figure from a process of its own.

import { median } from "../statistics.ts";
import { compare } from "../harness.ts";
import { inChild } from "./child-process.ts";
import { atMost, exact, type Part } from "./part.ts";
import type { Held } from "./settled-memory.ts";

const MIB = 1_048_576;
const SHORT = 10_000;
const LONG = 1_000_000;

interface Kept {
  readonly name: string;
  readonly held: Held[];
  readonly run: () => Promise<number>;
}

function contender(name: string, args: readonly (string | number)[], figure: (held: Held) => number): Kept {
  const held: Held[] = [];
  const run = async (): Promise<number> => {
    const each = (await inChild(...args)) as Held;
    held.push(each);
    return figure(each);
  };
  return { name, held, run };
}

/** 10,000 finished tasks beside the empty server, and long transcripts of children beside short ones. */
export async function memoryPart(quick: boolean): Promise<Part> {
  const rounds = quick ? 1 : 5;
  const sizes = [0, 1_000, 10_000];
  const rss = ({ rssBytes }: Held): number => rssBytes / MIB;
  const heap = ({ heapBytes }: Held): number => heapBytes / MIB;
  const servers = sizes.map((size) => contender(`${size} finished tasks`, ["finished", size], rss));
  const families = [SHORT, LONG].map((chars) =>
    contender(`a conversation after 20 children of ${chars / 1_000} kB`, ["family", chars], heap),
  );
  const full = await compare(servers, { rounds, warmup: 0 });
  const parents = await compare(families, { rounds, warmup: 0 });
  const held = [...servers, ...families].flatMap((each) => each.held);
  const ratioOf = (results: readonly { readonly ratio: number }[]): number =>
    results.at(-1)?.ratio ?? Number.NaN;
  return {
    claims: [
      atMost("10,000 finished tasks: RSS after GC over the empty server's", ratioOf(full), 1.3),
      atMost("heap after 20 children of 1 MB over 20 children of 10 kB", ratioOf(parents), 1.05),
    ],
    checks: [
      exact(
        "every task is done, none lives, every child's end was told",
        held.flatMap(({ problems }) => problems),
      ),
    ],
    lines: [
      ...servers.map(
        ({ name, held: own }) =>
          `${name}: RSS ${median(own.map(rss)).toFixed(1)} MiB, heap ${median(own.map(heap)).toFixed(1)} MiB`,
      ),
      ...families.map(({ name, held: own }) => `${name}: heap ${median(own.map(heap)).toFixed(2)} MiB`),
    ],
    figures: { memory: [...servers, ...families].map(({ name, held: own }) => ({ name, held: own })) },
    notMeasured: [
      "memory: what V8 pools for 8 s and more after a busy time, tens of megabytes; the collection before the reading empties that pool",
    ],
  };
}
