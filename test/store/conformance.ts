// The store contract as tests, run over every implementation: the clauses D1-D8 of src/store/store.ts and what
// the methods promise. A store that lacks a capability says why, and the reason stands in the skipped test's name.

import { describe, expect, it } from "vitest";
import type { SimulatedClock } from "../../src/base/clock.ts";
import type { Store } from "../../src/store/store.ts";
import { claimClauses } from "./conformance-claims.ts";
import { commitClauses } from "./conformance-commit.ts";
import { endingClauses } from "./conformance-end.ts";
import { eventClauses } from "./conformance-events.ts";
import { inboxClauses } from "./conformance-inbox.ts";
import { outboxClauses } from "./conformance-outbox.ts";
import { pruneClauses } from "./conformance-prune.ts";
import { boxStateClauses } from "./conformance-box-state.ts";
import { readerClauses } from "./conformance-readers.ts";
import { readClauses } from "./conformance-reads.ts";
import { resumeClauses } from "./conformance-resume.ts";
import { roundClauses } from "./conformance-rounds.ts";
import { unreadClauses } from "./conformance-unread.ts";

/** What a store may lack: a bound on events kept, hints of its own writes, claims that expire by the given clock. */
export type Capability = "retention" | "wake" | "claim_expiry";

export interface Made {
  readonly store: Store;
  readonly clock: SimulatedClock;
}

/** Makes an empty store; `maxEvents` comes only to stores with the capability `retention`. */
export type MakeStore = (options?: { readonly maxEvents?: number }) => Promise<Made>;

export interface ConformanceOptions {
  /** The capabilities that this store lacks, each with the reason. */
  readonly unsupported?: Readonly<Partial<Record<Capability, string>>>;
}

export interface ClauseOptions {
  readonly needs?: Capability;
  readonly maxEvents?: number;
}

/** How a group of clauses states one: a title, what to do with a fresh store, and what the store must be able to do. */
export type Clause = (title: string, body: (made: Made) => Promise<void>, options?: ClauseOptions) => void;

/** Declares the whole suite for one implementation. */
export function storeConformance(name: string, makeStore: MakeStore, options: ConformanceOptions = {}): void {
  const clause: Clause = (title, body, { needs, maxEvents } = {}) => {
    const reason = needs === undefined ? undefined : options.unsupported?.[needs];
    const why = reason === undefined ? "" : ` (skipped: ${reason})`;
    it.skipIf(reason !== undefined)(`${title}${why}`, async () => {
      expect.hasAssertions();
      const made = await makeStore(maxEvents === undefined ? undefined : { maxEvents });
      try {
        await body(made);
      } finally {
        await made.store.close();
      }
    });
  };
  describe(`${name} keeps the store contract`, () => {
    describe("submit and claims", () => {
      claimClauses(clause);
    });
    describe("commit", () => {
      commitClauses(clause);
    });
    describe("rounds", () => {
      roundClauses(clause);
    });
    describe("end", () => {
      endingClauses(clause);
    });
    describe("inbox", () => {
      inboxClauses(clause);
    });
    describe("outbox", () => {
      outboxClauses(clause);
    });
    describe("lists and rows", () => {
      readClauses(clause);
    });
    describe("events", () => {
      eventClauses(clause);
    });
    describe("going on", () => {
      resumeClauses(clause);
    });
    describe("readers and usage", () => {
      readerClauses(clause);
    });
    describe("the box's own state", () => {
      boxStateClauses(clause);
    });
    describe("retention", () => {
      pruneClauses(clause);
      unreadClauses(clause);
    });
  });
}
