// A machine's definition as a document: every value in it with its path, and the names that it uses, so that a test can
// say that nothing of it is lost when it becomes JSON.

import type { AnyStateMachine, AnyStateNode } from "xstate";
import { getStateNodes } from "xstate/graph";

/** The only places for functions: they carry data to what a name stands for, and decide nothing. */
const DATA = new Set(["params", "input", "output", "context"]);

interface Found {
  readonly path: readonly string[];
  readonly value: unknown;
}

function everything(value: unknown, path: readonly string[] = []): readonly Found[] {
  const parts = typeof value === "object" && value !== null ? Object.entries(value) : [];
  return [{ path, value }, ...parts.flatMap(([key, part]) => everything(part, [...path, key]))];
}

export class Definition {
  readonly machine: AnyStateMachine;
  readonly #config: readonly Found[];

  constructor(machine: AnyStateMachine) {
    this.machine = machine;
    // `setup` adds a key of its own, which is not part of the literal.
    this.#config = everything({ ...machine.config, schemas: null });
  }

  /** Paths of functions that decide, and of values that JSON would lose. */
  lost(): readonly string[] {
    return this.#config
      .filter(
        ({ path, value }) =>
          (typeof value === "function" && !DATA.has(path.at(-1) ?? "")) ||
          ["undefined", "symbol", "bigint"].includes(typeof value),
      )
      .map(({ path }) => path.join("."));
  }

  /** The names that stand under a key: `"x"`, `{ type: "x" }`, or a list of either. */
  namesUnder(...keys: readonly string[]): readonly string[] {
    const values = this.#config
      .filter(({ path }) => keys.includes(path.at(-1) ?? ""))
      .map(({ value }) => value);
    const names = values
      .flat()
      .map((each) => (typeof each === "string" ? each : (each as { type: string }).type));
    return [...new Set(names)].toSorted();
  }

  /** Every state but the root, in the order in which they are written. */
  states(): readonly AnyStateNode[] {
    return getStateNodes(this.machine).filter((node) => node.parent !== undefined);
  }
}
