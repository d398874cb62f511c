// Rivals that the benchmarks run beside Troupe. They live in a package of their own (bench/package.json), so that a
// checkout without them still type-checks: only the few members that are used are declared here.

/** What is used of p-queue. */
export interface PQueue {
  add<T>(job: () => Promise<T>): Promise<T>;
  onIdle(): Promise<void>;
}

/** A p-queue with a cap. Contract: rejects with what to type when the rivals are not installed. */
export async function newPQueue(concurrency: number): Promise<PQueue> {
  const loaded = (await installed("p-queue")) as {
    readonly default: new (options: { readonly concurrency: number }) => PQueue;
  };
  return new loaded.default({ concurrency });
}

/** The state of a graph of one agent: what it was asked, and what it answered. */
export interface AgentState {
  readonly goal: string;
  readonly answer: string;
}

/** What is used of a compiled LangGraph. */
export interface OneNodeGraph {
  invoke(input: { readonly goal: string }, thread: string): Promise<AgentState>;
  /** Threads of which its memory saver keeps a checkpoint. */
  threads(): number;
}

interface LangGraph {
  readonly Annotation: (() => unknown) & { Root(channels: Readonly<Record<string, unknown>>): unknown };
  readonly StateGraph: new (state: unknown) => GraphBuilder;
  readonly MemorySaver: new () => { readonly storage: Readonly<Record<string, unknown>> };
  readonly START: string;
  readonly END: string;
}

interface GraphBuilder {
  addNode(name: string, node: (state: AgentState) => Promise<Partial<AgentState>>): GraphBuilder;
  addEdge(from: string, to: string): GraphBuilder;
  compile(options: { readonly checkpointer: unknown }): {
    invoke(
      input: { readonly goal: string },
      options: { readonly configurable: { readonly thread_id: string } },
    ): Promise<AgentState>;
  };
}

/** A LangGraph of one node with its memory saver. Contract: rejects with what to type when the rivals are missing. */
export async function newOneNodeGraph(answer: (goal: string) => Promise<string>): Promise<OneNodeGraph> {
  const { Annotation, StateGraph, MemorySaver, START, END } = (await installed(
    "@langchain/langgraph",
  )) as LangGraph;
  const checkpointer = new MemorySaver();
  const graph = new StateGraph(Annotation.Root({ goal: Annotation(), answer: Annotation() }))
    .addNode("agent", async ({ goal }) => ({ answer: await answer(goal) }))
    .addEdge(START, "agent")
    .addEdge("agent", END)
    .compile({ checkpointer });
  return {
    invoke: (input, thread) => graph.invoke(input, { configurable: { thread_id: thread } }),
    threads: () => Object.keys(checkpointer.storage).length,
  };
}

async function installed(specifier: string): Promise<unknown> {
  try {
    return await import(specifier);
  } catch (cause) {
    throw new Error("Expected the rivals to be installed: run `npm run bench -- NAME`.", { cause });
  }
}
