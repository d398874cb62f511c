// One house: a home on disk, the lives of its server one after the other, its people, and what they remember. After each
// restart it asks whether something was lost; at the end it leaves the server alone until everything has ended.

import { rename } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../../src/base/errors.ts";
import type { HttpClient } from "../../src/http/client.ts";
import { Dice, streamOf } from "../sim/dice.ts";
import { drawEnding, type Ending } from "./endings.ts";
import { Follower } from "./follower.ts";
import { Ledger } from "./ledger.ts";
import { readAll, readViews } from "./look.ts";
import type { ModelServer } from "./model-server.ts";
import { People } from "./people.ts";
import { untilAllEnded, untilTrue, wrongFile } from "./rest.ts";
import { makeHome, pause, ServerProcess, START_MS, type Home, type StoredAs } from "./server-process.ts";
import { wrongAtTheEnd } from "./verify-end.ts";
import { lostAfterRestart } from "./verify.ts";

/** Results that are asked for again after each restart. */
const RESULTS_AGAIN = 5;

/** Findings of one life that are told: more of them have one cause. */
const MOST_FINDINGS = 8;

const SALTS = { house: 0x1b873593, people: 0x5bd1e995 } as const;

export interface HouseOptions {
  readonly seed: number;
  readonly lives: number;
  readonly durability: StoredAs;
  readonly models: ModelServer;
  readonly compileCache: string;
  /** Where the folder of a house with findings goes. */
  readonly keepIn: string;
}

export interface HouseReport {
  readonly seed: number;
  /** Findings by life; the last entry is that of the end. */
  readonly findings: readonly (readonly string[])[];
  readonly acknowledged: number;
  readonly words: number;
  readonly cancels: number;
  readonly tasks: number;
  readonly kills: number;
  readonly restarts: number;
  /** Ends by state and code. */
  readonly ends: Readonly<Record<string, number>>;
  /** Where its folder was kept; `null` where nothing was found. */
  readonly kept: string | null;
}

export class House {
  readonly ledger = new Ledger();
  readonly name: string;
  readonly #options: HouseOptions;
  readonly #dice: Dice;
  readonly #findings: string[][] = [];
  readonly #ends = new Map<string, number>();
  #home!: Home;
  #follower!: Follower;
  #url = "";
  #life = 0;
  #serial = 0;
  #kills = 0;
  #restarts = 0;
  #tasks = 0;

  constructor(options: HouseOptions) {
    this.#options = options;
    this.name = `h${options.seed}`;
    this.#dice = new Dice(streamOf(options.seed, SALTS.house));
  }

  get life(): number {
    return this.#life;
  }

  /** Contract: never throws; leaves no process behind. */
  async run(): Promise<HouseReport> {
    const { models, durability, lives, seed } = this.#options;
    this.#home = await makeHome({ modelUrl: models.url, durability });
    this.#follower = new Follower(this.ledger, (what) => this.#complain(what));
    for (let at = 0; at < lives; at++) {
      await this.#live(drawEnding(this.#dice));
    }
    await this.#rest();
    const { ledger } = this;
    return {
      seed,
      findings: this.#findings,
      acknowledged: ledger.tasks.size,
      words: ledger.words.size,
      cancels: ledger.calledOff.length,
      tasks: this.#tasks,
      kills: this.#kills,
      restarts: this.#restarts,
      ends: Object.fromEntries(this.#ends),
      kept: await this.#leave(),
    };
  }

  #complain(what: string): void {
    const found = this.#findings.at(-1);
    if (found && found.length < MOST_FINDINGS) found.push(`life ${this.#life}: ${what}`);
  }

  #begin(): ServerProcess {
    this.#life++;
    if (this.#life > 1) this.#restarts++;
    this.#findings.push([]);
    const port = this.#url === "" ? 0 : Number(new URL(this.#url).port);
    const { compileCache } = this.#options;
    return new ServerProcess({ home: this.#home, life: this.#life, port, compileCache });
  }

  /** One life. Whatever goes wrong in the harness itself is a finding too, since it may hide one. */
  async #live(ending: Ending): Promise<void> {
    const server = this.#begin();
    try {
      if (ending.kind === "starting") {
        await Promise.race([pause(ending.ms), server.ended]);
        if (server.isOver) this.#complain(`the server ended while starting: ${server.output.slice(-400)}`);
      } else {
        const client = await this.#meet(server);
        if (ending.ms > 0) await this.#work(client, ending.ms);
        await this.#end(server, ending);
      }
    } catch (thrown) {
      this.#complain(messageOf(thrown));
    } finally {
      await this.#kill(server);
    }
  }

  /** Waits until it answers, and asks whether it has everything. */
  async #meet(server: ServerProcess): Promise<HttpClient> {
    const client = await server.client(this.#home);
    const url = await server.ready;
    // Sometimes the stream finds its server again by itself, sometimes it is asked for from where it was.
    if (url !== this.#url || !this.#follower.isReading || this.#dice.chance(0.6)) {
      await this.#follower.leave();
      this.#follower.follow(client);
    }
    this.#url = url;
    await this.#compare(client);
    return client;
  }

  async #compare(client: HttpClient): Promise<void> {
    const remembered = this.ledger.remember();
    for (const wrong of lostAfterRestart(await readViews(client), remembered)) this.#complain(wrong);
    const known = [...this.ledger.results];
    for (let count = 0; count < Math.min(RESULTS_AGAIN, known.length); count++) {
      const [taskId, before] = this.#dice.pick(known);
      const now = JSON.stringify(await client.collect(taskId, { timeoutMs: 0 }));
      if (now !== before) this.#complain(`the result of ${taskId} was ${before}, and is ${now}`);
    }
  }

  async #work(client: HttpClient, ms: number): Promise<void> {
    const stop = new AbortController();
    const people = new People({
      ledger: this.ledger,
      dice: new Dice(streamOf(this.#options.seed * 1_000 + this.#life, SALTS.people)),
      client,
      life: this.#life,
      house: this.name,
      serial: () => this.#serial++,
      complain: (what) => this.#complain(what),
    });
    const living = people.live(stop.signal);
    await pause(ms);
    // They go on acting until the very end, which comes next.
    void living;
    this.#stopPeople = () => stop.abort();
  }

  #stopPeople: () => void = () => {};

  async #end(server: ServerProcess, ending: Exclude<Ending, { kind: "starting" }>): Promise<void> {
    if (server.isOver) return this.#complain(`the server ended by itself: ${server.output.slice(-400)}`);
    if (ending.kind === "kill") return;
    server.signal("SIGTERM");
    if (ending.kind === "kill_in_stop")
      return void (await Promise.race([pause(ending.afterMs), server.ended]));
    if (ending.kind === "stop_twice") {
      await Promise.race([pause(ending.afterMs), server.ended]);
      server.signal("SIGTERM");
    }
    const late = pause(START_MS).then(() => "nothing");
    const how = await Promise.race([server.ended, late]);
    // The second signal may come when it has let go of everything, its handler too.
    const isTwice = ending.kind === "stop_twice" && (how === 130 || how === "SIGTERM");
    if (how !== 0 && !isTwice) this.#complain(`told to stop (${ending.kind}), the server ended with ${how}`);
  }

  async #kill(server: ServerProcess): Promise<void> {
    if (!server.isOver) this.#kills++;
    await server.kill();
    this.#stopPeople();
    this.#readLog(server);
  }

  /** A line of the level `error` tells of a defect, whatever became of it. */
  #readLog({ output }: ServerProcess): void {
    const errors = output.split("\n").filter((line) => line.startsWith("error: "));
    if (errors.length > 0) this.#complain(`${errors.length} errors in the log: ${errors[0]?.slice(0, 300)}`);
  }

  /** The last life: nobody acts but to close the sessions, and everything ends. */
  async #rest(): Promise<void> {
    const server = this.#begin();
    try {
      const client = await this.#meet(server);
      for (const { kind, taskId } of (await readViews(client)).values()) {
        if (kind !== "session") continue;
        this.ledger.askedToStop.add(taskId);
        await client.closeSession(taskId);
      }
      await untilAllEnded(client);
      const look = await readAll(client);
      await untilTrue(() => this.#follower.cursor >= (look.events.at(-1)?.cursor ?? 0));
      for (const wrong of wrongAtTheEnd(look, this.ledger)) this.#complain(wrong);
      this.#count(look.views.values());
      await this.#follower.leave();
      await this.#end(server, { kind: "stop", ms: 0 });
      for (const wrong of wrongFile(this.#home.database)) this.#complain(wrong);
    } catch (thrown) {
      this.#complain(messageOf(thrown));
    } finally {
      await server.kill();
      this.#readLog(server);
      await this.#follower.leave();
    }
  }

  #count(
    views: Iterable<{ readonly state: string; readonly failure: { readonly code: string } | null }>,
  ): void {
    for (const { state, failure } of views) {
      this.#tasks++;
      const word = failure ? `${state}:${failure.code}` : state;
      this.#ends.set(word, (this.#ends.get(word) ?? 0) + 1);
    }
  }

  async #leave(): Promise<string | null> {
    if (this.#findings.every((life) => life.length === 0)) {
      await this.#home.remove();
      return null;
    }
    const kept = join(this.#options.keepIn, `${this.name}-${Date.now()}`);
    await rename(this.#home.folder, kept).catch(() => {});
    return kept;
  }
}
