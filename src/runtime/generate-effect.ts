// The effect `generate`: builds the prompt from the stored rows (compacted first when they no longer fit), reserves
// the tree's budget, streams one answer, and leaves it for the commit of the state that follows.

import type { GenerateOutput } from "../../machines/agent.ts";
import { ProviderError } from "../base/errors.ts";
import type { NewEvent } from "../core/event.ts";
import { addUsage } from "../core/limits.ts";
import { runnerOptionsOf } from "../core/load-profile.ts";
import { textMessage, type TranscriptRow } from "../core/message.ts";
import { costMicros } from "../core/price.ts";
import type { ModelSettings } from "../core/settings.ts";
import type { TaskSpec } from "../core/task.ts";
import type { Tool, ToolDefinition } from "../core/tool.ts";
import type { CommitWrite } from "../store/store.ts";
import { estimateTokens, planCompaction, type Compaction } from "./compaction.ts";
import { refusalText } from "./fallback.ts";
import { isTriedAgain, judged } from "./failed-run.ts";
import { answerMessage, failureOf, generateAnswer, type Generation } from "./generation.ts";
import { GenerationMeter } from "./generation-meter.ts";
import { keyCallerOf } from "./key-caller.ts";
import { withoutSecrets } from "./secret-free.ts";
import { observed, type Generating } from "./observed-generation.ts";
import { checkServer, explainFailure } from "./outage-hold.ts";
import { callLine } from "./output-lines.ts";
import { beginTurn, type TurnInput } from "./open-turn.ts";
import { Purse, warned } from "./purse.ts";
import { checkCloudCost, checkPermission, elsewhere, escalation } from "./rerouting.ts";
import { watchOver, type Stall, type StallWatch } from "./stall-watch.ts";
import type { TaskHost } from "./task-host.ts";

export interface GenerateInput extends TurnInput {
  readonly tries: number;
  readonly signal: AbortSignal;
  /** A generation of the same task that was interrupted and has not let go yet. */
  readonly before: Promise<unknown> | null;
}

/** One generation on the lease that the task holds. Never rejects, except when it was aborted. */
export async function generate(host: TaskHost, input: GenerateInput): Promise<GenerateOutput> {
  const { services, turn } = host;
  let wasAway = false;
  try {
    if (input.before) await input.before;
    await turn.memory?.();
    checkServer(host);
    wasAway = services.residency.outages.isAway(turn.model.backend);
    await services.residency.seek(turn.model);
    await beginTurn(host, input, null);
    turn.partial = "";
    turn.outcome = null;
    const generation = await answerOnLease(host, input);
    // An abort between the last byte and this step: the turn belongs to somebody else now (M5).
    input.signal.throwIfAborted();
    const answer = withoutSecrets(generation, (text) => services.redact(text));
    services.health.served(turn.model);
    turn.lastFailure = null;
    turn.outcome = () => answered(host, answer);
    return { outcome: generation.calls.length > 0 ? "called_tools" : "answered" };
  } catch (error) {
    if (input.signal.aborted) throw error;
    const thrown = await explainFailure(host, error, { ...input, wasAway });
    input.signal.throwIfAborted();
    const failed = failureOf(thrown, input.tries, services.random.next());
    const isLastTry = !isTriedAgain(failed, input.tries);
    const other = isLastTry ? elsewhere(host, thrown) : null;
    if (other && "change" in other) {
      turn.outcome = () => ({ events: other.change() });
      return { outcome: "rerouted" };
    }
    const message = `${failed.failure.message}${refusalText(other?.refused ?? [])}`;
    const failure = { ...failed.failure, message: services.redact(message) };
    turn.lastFailure = failure;
    const stronger = isLastTry ? escalation(host, failure) : null;
    if (stronger) {
      turn.outcome = () => ({ events: stronger() });
      return { outcome: "failed", ...failed, failure, stepsUp: true };
    }
    return judged(host, { outcome: "failed", ...failed, failure }, input);
  }
}

/**
 * One answer. When the server counts more tokens than we estimated (code, figures and other scripts have more of them
 * in the same length), the transcript is compacted by its word and asked once more.
 */
async function answerOnLease(host: TaskHost, input: GenerateInput): Promise<Generation> {
  try {
    return await answerWithin(host, input, null);
  } catch (thrown) {
    const isTooLong = thrown instanceof ProviderError && thrown.providerKind === "context_length";
    if (!isTooLong || input.signal.aborted) throw thrown;
    return answerWithin(host, input, thrown);
  }
}

/** `refused` is the server's word that the prompt was too long; thrown again when nothing more can go. */
async function answerWithin(
  host: TaskHost,
  input: GenerateInput,
  refused: ProviderError | null,
): Promise<Generation> {
  const { services, spec, turn } = host;
  checkPermission(host);
  const model = services.modelOf(turn.model);
  const { definitions: tools, tokens } = offerOf(services.toolsOf(spec));
  const system = textMessage("system", "goal", services.systemPrompt(spec));
  const stored = await transcriptOf(host);
  input.signal.throwIfAborted();
  const fixedTokens = estimateTokens([system]) + tokens;
  const plan = compactionOf(stored, { model, spec, fixedTokens, wasTooLong: refused !== null });
  if (refused && !plan) throw refused;
  const rows = plan ? await compacted(host, stored, plan) : stored;
  const messages = [system, ...rows.map((row) => row.message)];
  const promptTokens = estimateTokens(messages) + tokens;
  const meter = new GenerationMeter(promptTokens, () => services.clock.monotonic());
  const purse = new Purse({ ledger: services.ledgerOf(spec), model, gpu: services.gpu, meter });
  const reserve = (outputTokens: number): void => {
    // What the first of two tries cost is in no usage yet.
    const added = costMicros({ promptTokens, outputTokens }, model) + costMicros(meter.usage, model);
    checkCloudCost(host, added);
    purse.reserve(promptTokens, outputTokens);
  };
  const maxOutputTokens = purse.answerTokens(promptTokens, spec.limits.maxOutputTokens);
  reserve(maxOutputTokens);
  try {
    const generation = await generateAnswer({
      provider: observed(services.providerOf(turn.model, keyCallerOf(host)), generatingOf(host), services),
      clock: services.clock,
      signal: input.signal,
      watch: (signal) => watchModel(host, signal),
      turn: input.turn,
      meter,
      beforeSecondTry: () => {
        // What the first try used is no reservation any more, and stands in nobody's way.
        purse.settle();
        reserve(2 * maxOutputTokens);
      },
      request: {
        model: turn.model.model,
        messages,
        tools,
        maxOutputTokens,
        ...runnerOptionsOf(model),
        ...(model.thinking && spec.kind === "task" && { think: false }),
        ...(spec.outputSchema !== null && tools.length === 0 && { outputSchema: spec.outputSchema }),
      },
      redactStream: () => services.redactStream(),
      onDelta: (channel, text) => {
        if (channel === "text") turn.partial += text;
        host.send({ type: "delta", channel, text });
      },
    });
    return { ...generation, isCutShort: purse.isShort && generation.reason === "length" };
  } finally {
    const { used, warnings } = purse.close();
    if (used.generations > 0) {
      turn.usage = addUsage(turn.usage, used);
      host.journal.stage({ usage: turn.usage, events: warnings.map(warned) });
    }
  }
}

/** Whose generation it is, with which model, and beside how many others. */
function generatingOf({ spec, turn, leases }: TaskHost): Generating {
  const { id, parentId } = spec;
  return { id, parentId, model: turn.model, inFlight: leases.held?.inFlight ?? 1 };
}

/** A model that falls silent fails like a server that times out: it is tried again. */
function watchModel(host: TaskHost, signal: AbortSignal): StallWatch {
  const { backend, model } = host.turn.model;
  const errorOf = ({ what }: Stall): ProviderError =>
    new ProviderError(
      { kind: "timeout", code: "stalled" },
      `Expected a sign of life from the model, but there was ${what}, so it was stopped. ` +
        "Raise stall_timeout_s for a model that needs longer.",
    );
  return watchOver(host, { what: `no token from ${backend}/${model}`, signal, errorOf });
}

/** What a model is told of its tools; counted once for all tasks with the same ones. */
interface Offer {
  readonly definitions: readonly ToolDefinition[];
  readonly tokens: number;
}

const OFFERS = new WeakMap<ReadonlyMap<string, Tool>, Offer>();

function offerOf(tools: ReadonlyMap<string, Tool>): Offer {
  const known = OFFERS.get(tools);
  if (known) return known;
  const definitions = Array.from(tools.values(), (tool) => tool.definition);
  const offer = { definitions, tokens: Math.ceil(JSON.stringify(definitions).length / 4) };
  OFFERS.set(tools, offer);
  return offer;
}

/** How the rows must shrink before the model can read them; `null` while they fit. */
function compactionOf(
  rows: readonly TranscriptRow[],
  room: {
    readonly model: ModelSettings;
    readonly spec: TaskSpec;
    readonly fixedTokens: number;
    readonly wasTooLong: boolean;
  },
): Compaction | null {
  const { model, fixedTokens, wasTooLong } = room;
  if (model.contextTokens === null && !wasTooLong) return null;
  const known = model.contextTokens ?? Number.POSITIVE_INFINITY;
  // What was refused must become half of what we took it for; that is the only measure that is left.
  const estimated = fixedTokens + estimateTokens(rows.map((row) => row.message));
  const contextTokens = wasTooLong ? Math.floor(Math.min(known, estimated) / 2) : known;
  const { maxOutputTokens } = room.spec.limits;
  return planCompaction({ rows, contextTokens, maxOutputTokens, fixedTokens });
}

/** Commits the compaction; resolves with the rows that the model reads instead. */
async function compacted(
  host: TaskHost,
  rows: readonly TranscriptRow[],
  plan: Compaction,
): Promise<readonly TranscriptRow[]> {
  const { journal } = host;
  const { droppedRows, beforeTokens, afterTokens, kept } = plan;
  // The digest must stand before the rows that stay, so those are written again after it.
  journal.stage({
    compactedTo: rows.at(-1)?.index ?? 0,
    messages: [...plan.replacement, ...kept],
    events: [{ type: "transcript.compacted", data: { droppedRows, beforeTokens, afterTokens } }],
  });
  await journal.flush();
  return transcriptOf(host);
}

function transcriptOf({ id, services }: TaskHost): Promise<readonly TranscriptRow[]> {
  return services.patience.call("transcript", () => services.store.transcript(id, { live: true }));
}

function answered(host: TaskHost, generation: Generation): CommitWrite {
  const { turn, spec } = host;
  const { promptTokens, outputTokens } = generation.usage;
  const events: NewEvent[] = [
    {
      type: "turn.finished",
      data: { reason: generation.reason, toolCalls: generation.calls.length, promptTokens, outputTokens },
    },
  ];
  turn.openCalls = [...generation.calls];
  turn.partial = "";
  host.ring.end();
  for (const call of generation.calls) host.ring.line(callLine(call));
  if (generation.calls.length === 0) {
    turn.answer = generation.text;
    turn.isCutShort = generation.isCutShort === true;
    turn.forgetRepetition();
    if (spec.kind === "session") events.push({ type: "answer.finished", data: { text: generation.text } });
  }
  return { messages: [answerMessage(generation)], events };
}
