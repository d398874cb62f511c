// The registry: which tasks live, and who is whose child. Tasks know each other by id only; parent and child are
// never actors of one system, because that costs O(n²) (ADR 0001).
// F1. A task is here from its claim until its end is in the store; then only its record remains.
// F2. When a task ends, its parent hears of it after the completion lies in the parent's inbox, and once.
// F3. A child whose parent has ended or is ending starts cancelled, unless it was detached.

import type { SchedulingClass } from "../core/lifecycle.ts";
import type { TaskEnd, TaskSpec } from "../core/task.ts";
import type { Kinship } from "./services.ts";

/** What the registry needs of a living task. */
export interface Member {
  readonly id: string;
  readonly spec: TaskSpec;
  readonly ending: boolean;
  cancel(reason: string, force: boolean): void;
  announceMail(): Promise<void>;
  childEnded(): void;
  childSpawned(): void;
  inheritClass(schedulingClass: SchedulingClass | null): void;
  /** Where it comes home after a restart: whether an order to cancel it lay there. */
  readonly homecoming?: { isCalledOff(): Promise<boolean> } | null;
}

/** Trees that are remembered after their last task has ended. */
export const RECENT_TREES = 200;

const NO_CHILDREN: ReadonlySet<string> = new Set();

export class Family<M extends Member> implements Kinship {
  readonly #members = new Map<string, M>();
  /** Living children that were not detached; the detached ones are nobody's business but their own. */
  readonly #children = new Map<string, Set<string>>();
  readonly #recent = new Set<string>();
  readonly #endWaiters = new Map<string, Set<(end: TaskEnd | null) => void>>();
  readonly #childlessWaiters = new Map<string, (() => void)[]>();
  readonly #onGone: (member: M) => void;
  #closed = false;

  constructor(onGone: (member: M) => void) {
    this.#onGone = onGone;
  }

  /** Roots of the trees that were the last to change and have ended, oldest first, and then of those that live. */
  roots(): readonly string[] {
    const living = new Set<string>();
    for (const { spec } of this.#members.values()) living.add(spec.rootId);
    return [...[...this.#recent].filter((rootId) => !living.has(rootId)), ...living];
  }

  get size(): number {
    return this.#members.size;
  }

  get(taskId: string): M | undefined {
    return this.#members.get(taskId);
  }

  members(): IterableIterator<M> {
    return this.#members.values();
  }

  isLive(taskId: string): boolean {
    return this.#members.has(taskId);
  }

  listens(taskId: string): boolean {
    return this.#members.get(taskId)?.ending === false;
  }

  announce(taskId: string): void {
    void this.#members.get(taskId)?.announceMail();
  }

  /** Adds a living task and tells its parent. */
  add(member: M): void {
    this.#members.set(member.id, member);
    const { parentId, detached } = member.spec;
    if (!parentId || detached) return;
    const siblings = this.#children.get(parentId);
    if (siblings) siblings.add(member.id);
    else this.#children.set(parentId, new Set([member.id]));
    this.#members.get(parentId)?.childSpawned();
  }

  /** Whether a new child of this parent must start cancelled (F3). */
  isOrphan(spec: TaskSpec): boolean {
    if (!spec.parentId || spec.detached) return false;
    const parent = this.#members.get(spec.parentId);
    return !parent || parent.ending;
  }

  async isCalledOff({ parentId, detached }: TaskSpec): Promise<boolean> {
    const parent = parentId && !detached ? this.#members.get(parentId) : undefined;
    if (!parent) return false;
    if (parent.ending || (await parent.homecoming?.isCalledOff())) return true;
    return this.isCalledOff(parent.spec);
  }

  liveChildren(taskId: string): readonly string[] {
    return [...(this.#children.get(taskId) ?? NO_CHILDREN)];
  }

  liveCount(taskId: string): number {
    return this.#children.get(taskId)?.size ?? 0;
  }

  childless(taskId: string): Promise<void> {
    if (this.liveCount(taskId) === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#childlessWaiters.get(taskId);
      if (waiters) waiters.push(resolve);
      else this.#childlessWaiters.set(taskId, [resolve]);
    });
  }

  /** The living tasks of a subtree, parents before children; detached children are left out with their own. */
  subtree(taskId: string): M[] {
    const found: M[] = [];
    const queue = [taskId];
    for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
      const member = this.#members.get(id);
      if (member) found.push(member);
      for (const childId of this.#children.get(id) ?? NO_CHILDREN) queue.push(childId);
    }
    return found;
  }

  cancelChildren(taskId: string, reason: string): void {
    for (const childId of this.liveChildren(taskId)) {
      for (const member of this.subtree(childId)) member.cancel(reason, false);
    }
  }

  inheritClass(taskIds: readonly string[], schedulingClass: SchedulingClass | null): void {
    for (const taskId of taskIds) {
      for (const member of this.subtree(taskId)) member.inheritClass(schedulingClass);
    }
  }

  whenEnded(taskId: string, signal?: AbortSignal): Promise<TaskEnd | null> {
    if (signal?.aborted || this.#closed) return Promise.resolve(null);
    return new Promise((resolve) => {
      const waiters = this.#endWaiters.get(taskId) ?? new Set();
      this.#endWaiters.set(taskId, waiters);
      const settle = (end: TaskEnd | null): void => {
        signal?.removeEventListener("abort", onAbort);
        waiters.delete(settle);
        resolve(end);
      };
      const onAbort = (): void => settle(null);
      waiters.add(settle);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  ended(taskId: string, end: TaskEnd): void {
    const parent = this.#parentOf(this.#remove(taskId));
    this.#settle(taskId, end);
    if (!parent) return;
    void parent.announceMail().then(
      () => parent.childEnded(),
      () => parent.childEnded(),
    );
  }

  lost(taskId: string): void {
    const parent = this.#parentOf(this.#remove(taskId));
    this.#settle(taskId, null);
    // Who waits for it must go on and see that it has not finished here. Not in the step that lost it.
    if (parent) queueMicrotask(() => parent.childEnded());
  }

  /** Nobody waits for an end any more: the runtime closes. */
  close(): void {
    this.#closed = true;
    for (const taskId of this.#endWaiters.keys()) this.#settle(taskId, null);
  }

  #settle(taskId: string, end: TaskEnd | null): void {
    for (const settle of this.#endWaiters.get(taskId) ?? []) settle(end);
    this.#endWaiters.delete(taskId);
  }

  #parentOf(member: M | undefined): M | undefined {
    return member?.spec.parentId ? this.#members.get(member.spec.parentId) : undefined;
  }

  #remove(taskId: string): M | undefined {
    const member = this.#members.get(taskId);
    if (!member) return undefined;
    this.#members.delete(taskId);
    this.#remember(member.spec.rootId);
    const { parentId, detached } = member.spec;
    if (parentId && !detached) this.#leave(parentId, taskId);
    this.#onGone(member);
    return member;
  }

  #remember(rootId: string): void {
    this.#recent.delete(rootId);
    this.#recent.add(rootId);
    const [oldest] = this.#recent;
    if (this.#recent.size > RECENT_TREES && oldest !== undefined) this.#recent.delete(oldest);
  }

  #leave(parentId: string, taskId: string): void {
    const siblings = this.#children.get(parentId);
    siblings?.delete(taskId);
    if (!siblings || siblings.size > 0) return;
    this.#children.delete(parentId);
    for (const resolve of this.#childlessWaiters.get(parentId) ?? []) resolve();
    this.#childlessWaiters.delete(parentId);
  }
}
