// Inspection in the words of Stately's inspector (`@statelyai/inspect` 0.7): `@xstate.actor`, `@xstate.event` and
// `@xstate.snapshot`, with what our own frames hold and nothing more. Pure.

import type { InspectedMachine, InspectionFrame } from "../core/inspection.ts";

/** The version of the package whose words these are. */
const FORMAT_VERSION = "0.7.2";

interface Common {
  readonly sessionId: string;
  readonly rootId: string;
  readonly createdAt: string;
  readonly id: string;
  readonly _version: string;
}

interface StatelySnapshot {
  readonly status: string;
  readonly value?: unknown;
  readonly context: Readonly<Record<string, never>>;
}

export type StatelyMessage = Common &
  (
    | {
        readonly type: "@xstate.actor";
        readonly name: string;
        readonly parentId?: string;
        readonly snapshot: StatelySnapshot;
      }
    | {
        readonly type: "@xstate.event";
        readonly event: { readonly type: string };
        readonly sourceId?: string;
      }
    | {
        readonly type: "@xstate.snapshot";
        readonly event: { readonly type: string };
        readonly snapshot: StatelySnapshot;
      }
  );

/** Sent once, before everything else: an `@xstate.actor` carries no `definition` here, its `name` says whose it is. */
export interface MachineMessage {
  readonly type: "machine";
  readonly name: string;
  readonly version: number;
  /** XState's config as JSON text, as `definition` of an `@xstate.actor` has it. */
  readonly definition: string;
}

export function machineMessage({ machine, version, config }: InspectedMachine): MachineMessage {
  return { type: "machine", name: machine, version, definition: config };
}

/** `number` tells messages apart, as Stately's `id` does. */
export function statelyMessage(frame: InspectionFrame, number: number): StatelyMessage {
  const common = {
    sessionId: frame.actorId,
    rootId: frame.actorId.replace(/#.*$/, ""),
    createdAt: String(frame.time),
    id: String(number),
    _version: FORMAT_VERSION,
  };
  if (frame.kind === "event") {
    const source = frame.sourceId === null ? {} : { sourceId: frame.sourceId };
    return { type: "@xstate.event", ...common, event: { type: frame.event }, ...source };
  }
  const { status, value } = frame.state;
  const snapshot = { status, ...(value === null ? {} : { value }), context: {} };
  if (frame.kind === "snapshot") {
    return { type: "@xstate.snapshot", ...common, event: { type: frame.event }, snapshot };
  }
  const parent = frame.parentId === null ? {} : { parentId: frame.parentId };
  const name = frame.machine ?? frame.actorId.slice(frame.actorId.indexOf("#") + 1);
  return { type: "@xstate.actor", ...common, name, ...parent, snapshot };
}
