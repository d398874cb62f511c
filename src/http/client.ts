// The TroupeApi over HTTP: the same calls, the same views, the same errors as in process. Runs wherever fetch does.
// It keeps no state between calls but what its transport needs.

import { linkedAbort } from "../base/abort.ts";
import type {
  CancelReceipt,
  CancelRequest,
  CollectRequest,
  DelegateRequest,
  EventsQuery,
  HistoryQuery,
  ListQuery,
  Page,
  SessionMessage,
  SessionRequest,
  SteerReceipt,
  SteerRequest,
  TaskHandle,
  TaskResult,
  TaskView,
  TranscriptQuery,
  TreeNode,
  TroupeApi,
} from "../core/api.ts";
import type { Answer } from "../core/question.ts";
import type { BoxStatus, GpuView, KeyView, MachineView, ProviderView } from "../core/box-api.ts";
import type { EventFrame, StoredEvent } from "../core/event.ts";
import type { TranscriptRow } from "../core/message.ts";
import { toWire } from "../core/wire.ts";
import { resumingFrames } from "./event-client.ts";
import { type ClientRequest, keyHeader, Transport, type TransportOptions } from "./transport.ts";

/** Seconds that one request waits for a result; longer waits are several requests. */
const LONG_POLL_S = 30;
/** The least time between two requests of one wait. */
const POLL_PAUSE_MS = 1_000;

export type HttpClientOptions = TransportOptions;

/** Contract: every method throws TroupeErrors only; ConfigError `server_unreachable` when nothing answers. */
export class HttpClient implements TroupeApi {
  readonly #transport: Transport;

  constructor(options: HttpClientOptions) {
    this.#transport = new Transport(options);
  }

  async delegate(request: DelegateRequest): Promise<TaskHandle> {
    const { idempotencyKey, ...body } = request;
    return this.#post<TaskHandle>("/v1/tasks", body, keyHeader(idempotencyKey));
  }

  async delegateBatch(requests: readonly DelegateRequest[]): Promise<readonly TaskHandle[]> {
    return (await this.#post<{ items: TaskHandle[] }>("/v1/batches", { tasks: requests })).items;
  }

  check(taskId: string): Promise<TaskView> {
    return this.#get<TaskView>(task(taskId));
  }

  list(query: ListQuery = {}): Promise<Page<TaskView>> {
    return this.#get<Page<TaskView>>("/v1/tasks", toWire(query) as ClientRequest["query"]);
  }

  async steer(taskId: string, request: SteerRequest): Promise<SteerReceipt> {
    const { steerId, ...body } = request;
    return this.#post<SteerReceipt>(`${task(taskId)}/steer`, body, keyHeader(steerId));
  }

  /** Waits in long polls. Contract: CancelledError when the signal aborts; the task goes on. */
  async collect(taskId: string, request: CollectRequest = {}): Promise<TaskResult> {
    const { clock } = this.#transport;
    const { signal } = request;
    const end = request.timeoutMs === undefined ? Infinity : clock.monotonic() + request.timeoutMs;
    for (;;) {
      const startedAt = clock.monotonic();
      const leftMs = end - startedAt;
      if (!(leftMs > 0)) return this.#result(taskId, { signal });
      const result = await this.#longPoll(taskId, leftMs, signal);
      if (result?.finished) return result;
      // A server that does not wait would otherwise be asked without a pause.
      const restMs = Math.min(leftMs, POLL_PAUSE_MS) - (clock.monotonic() - startedAt);
      if (restMs > 0) await this.#transport.pause(restMs, signal);
    }
  }

  cancel(taskId: string, request: CancelRequest = {}): Promise<CancelReceipt> {
    return this.#post<CancelReceipt>(`${task(taskId)}/cancel`, request);
  }

  async tree(rootId?: string): Promise<readonly TreeNode[]> {
    return (await this.#get<{ items: TreeNode[] }>("/v1/tree", { root_id: rootId })).items;
  }

  events(query: EventsQuery = {}): AsyncIterable<EventFrame> {
    return resumingFrames(this.#transport, query);
  }

  history(query: HistoryQuery = {}): Promise<Page<StoredEvent>> {
    return this.#get<Page<StoredEvent>>("/v1/history", toWire(query) as ClientRequest["query"]);
  }

  transcript(taskId: string, query: TranscriptQuery = {}): Promise<Page<TranscriptRow>> {
    return this.#get<Page<TranscriptRow>>(`${task(taskId)}/transcript`, { ...query });
  }

  async createSession(request: SessionRequest = {}): Promise<TaskView> {
    const { idempotencyKey, ...body } = request;
    return this.#post<TaskView>("/v1/sessions", body, keyHeader(idempotencyKey));
  }

  async sendMessage(sessionId: string, message: SessionMessage): Promise<SteerReceipt> {
    const { messageId, ...body } = message;
    return this.#post<SteerReceipt>(`${session(sessionId)}/messages`, body, keyHeader(messageId));
  }

  stopSession(sessionId: string): Promise<CancelReceipt> {
    return this.#post<CancelReceipt>(`${session(sessionId)}/stop`, {});
  }

  async closeSession(sessionId: string): Promise<CancelReceipt> {
    return (await this.#transport.json({
      method: "DELETE",
      path: session(sessionId),
      waitMs: LONG_POLL_S * 1000,
    })) as CancelReceipt;
  }

  answer(taskId: string, answer: Answer): Promise<SteerReceipt> {
    const { answerId, ...body } = answer;
    return this.#post<SteerReceipt>(`${task(taskId)}/answer`, body, keyHeader(answerId));
  }

  async reportProgress(
    taskId: string,
    progress: { readonly percent?: number; readonly note?: string; readonly partial?: unknown },
  ): Promise<void> {
    await this.#post<void>(`${task(taskId)}/progress`, progress);
  }

  async gpus(): Promise<readonly GpuView[]> {
    return (await this.#get<{ items: GpuView[] }>("/v1/gpus")).items;
  }

  async providers(): Promise<readonly ProviderView[]> {
    return (await this.#get<{ items: ProviderView[] }>("/v1/providers")).items;
  }

  machine(name: string): Promise<MachineView> {
    return this.#get<MachineView>(`/v1/machines/${encodeURIComponent(name)}`);
  }

  pause(paused: boolean): Promise<{ readonly paused: boolean }> {
    return this.#post<{ paused: boolean }>("/v1/pause", { paused });
  }

  async switchKey(fingerprint: string, disabled: boolean): Promise<readonly KeyView[]> {
    const path = `/v1/keys/${encodeURIComponent(fingerprint)}`;
    return (await this.#post<{ items: KeyView[] }>(path, { disabled })).items;
  }

  status(): Promise<BoxStatus> {
    return this.#get<BoxStatus>("/v1/status");
  }

  // The server of the same API answers in these shapes; a foreign one is caught by its missing problem documents.
  async #get<T>(path: string, query?: ClientRequest["query"]): Promise<T> {
    return (await this.#transport.json(query === undefined ? { path } : { path, query })) as T;
  }

  async #post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
    return (await this.#transport.json({ method: "POST", path, body, headers })) as T;
  }

  #result(taskId: string, request: Omit<ClientRequest, "path">): Promise<TaskResult> {
    return this.#transport.json({ ...request, path: `${task(taskId)}/result` }) as Promise<TaskResult>;
  }

  /** One request that waits; `null` when `leftMs` passed first, since the server only knows whole seconds. */
  async #longPoll(taskId: string, leftMs: number, signal?: AbortSignal): Promise<TaskResult | null> {
    const waitS = Math.min(LONG_POLL_S, Math.ceil(leftMs / 1000));
    const link = linkedAbort(signal);
    let late = false;
    const timer = this.#transport.clock.after(leftMs, () => {
      late = true;
      link.abort("late");
    });
    try {
      return await this.#result(taskId, {
        headers: { prefer: `wait=${waitS}` },
        waitMs: waitS * 1000,
        signal: link.signal,
      });
    } catch (error) {
      if (late && !signal?.aborted) return null;
      throw error;
    } finally {
      timer.cancel();
      link.release();
    }
  }
}

function task(taskId: string): string {
  return `/v1/tasks/${encodeURIComponent(taskId)}`;
}

function session(sessionId: string): string {
  return `/v1/sessions/${encodeURIComponent(sessionId)}`;
}
