// A scheduler between whose commands somebody listens: just before each and just after it. What only looks is passed on.

import type { Scheduler } from "../../src/scheduler/scheduler.ts";

const VIEWS: ReadonlySet<string> = new Set(["lanes", "holders", "counts", "placeOf", "checkRoom"]);

export interface Listener {
  before(command: string, argument: unknown): void;
  after(command: string, argument: unknown, scheduler: Scheduler): void;
}

/** Does what the scheduler does; the listener hears of each command until `close`. */
export function overheard(scheduler: Scheduler, listener: Listener): Scheduler {
  let closed = false;
  return new Proxy(scheduler, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      const method = member.bind(target) as (...args: unknown[]) => unknown;
      if (VIEWS.has(String(name))) return method;
      return (...args: unknown[]) => {
        // A scheduler that was closed does nothing more, and gives nothing back.
        if (name === "close") closed = true;
        if (closed) return method(...args);
        listener.before(String(name), args[0]);
        const answer = method(...args);
        listener.after(String(name), args[0], target);
        return answer;
      };
    },
  });
}
