// Holds a whole session together by groups of the kernel: one group for each session and each thing that is bounded. It
// is nothing without the kernel's leave: where a trial fails, there are no groups, and why is said.
//
// C1. A session is in its groups before any word of a model runs, or it does not run at all.
// C2. A group goes when its session has; what a dead server of this machine left goes when the next one begins.
// C3. Only groups that a Troupe made are removed, and never one of a server that lives.

import { mkdir, mkdtemp, readdir, readFile, readlink, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../base/clock.ts";
import { messageOf } from "../base/errors.ts";
import type { ProcessHost, ProcessSpec, RunningProcess } from "../base/process.ts";
import {
  chooseGroups,
  DELEGATE,
  groupLines,
  groupPrefix,
  joiningArgv,
  ownerByName,
  ownerOf,
  ownGroups,
  type GroupOwner,
  type GroupPlan,
  type GroupsFound,
  type SessionCaps,
} from "./cgroup-plan.ts";

/** How often a group is tried to be removed whose last processes are still being buried. */
const REMOVALS = 24;
const FIRST_WAIT_MS = 2;
const LONGEST_WAIT_MS = 256;

export interface CgroupsOptions {
  readonly processes: ProcessHost;
  readonly clock: Clock;
  readonly caps: SessionCaps;
}

export class Cgroups {
  readonly #options: CgroupsOptions;
  readonly #owner: GroupOwner;
  readonly #plan: GroupPlan;
  readonly #removals = new Set<Promise<void>>();
  readonly #stuck = new Set<string>();

  private constructor(options: CgroupsOptions, owner: GroupOwner, plan: GroupPlan) {
    this.#options = options;
    this.#owner = owner;
    this.#plan = plan;
  }

  /**
   * The groups of this machine, tried out, and cleared of what dead servers left; why there are none, in a sentence.
   * Contract: never throws.
   */
  static async open(options: CgroupsOptions): Promise<Cgroups | { readonly reason: string }> {
    try {
      const [stat, namespace] = await Promise.all([text("/proc/self/stat"), readlink("/proc/self/ns/pid")]);
      const owner = ownerOf(stat, namespace);
      if (owner === null) return { reason: "/proc tells nothing of this process." };
      const found = await look(owner);
      if ("reason" in found) return found;
      const groups = new Cgroups(options, owner, found.plan);
      await groups.#begin();
      return groups;
    } catch (error) {
      return { reason: `the kernel allows this user no groups (${messageOf(error)}). ${DELEGATE}` };
    }
  }

  get version(): 1 | 2 {
    return this.#plan.version;
  }

  /** Starts a program in groups of its own. Keeps C1 and C2. Rejects with the system's error. */
  async start(spec: ProcessSpec): Promise<RunningProcess> {
    const groups = await this.#make();
    try {
      const program = await this.#options.processes.start({ ...spec, argv: joiningArgv(groups, spec.argv) });
      void program.exited.then(() => this.#leave(groups));
      return program;
    } catch (error) {
      await this.#leave(groups);
      throw error;
    }
  }

  /** Resolves when no group is being removed any more. */
  async settle(): Promise<void> {
    await Promise.all(this.#removals);
  }

  async #begin(): Promise<void> {
    await this.#handOn();
    await this.#reap();
    const trial = await this.#make();
    try {
      const argv = joiningArgv(trial, ["/bin/sh", "-c", "exit 0"]);
      const { code, stderr } = await this.#options.processes.run(argv, { env: {}, maxBytes: 1_000 });
      if (code !== 0) throw new Error(stderr.trim().slice(0, 200));
    } finally {
      await this.#leave(trial);
    }
  }

  /** Version 2: makes room for groups below that are bounded. */
  async #handOn(): Promise<void> {
    const { moveInto, places } = this.#plan;
    const [place] = places;
    if (moveInto === null || place === undefined) return;
    await mkdir(moveInto, { recursive: true });
    await writeFile(join(moveInto, "cgroup.procs"), `${this.#owner.pid}`);
    const bounds = place.bounds.map((bound) => `+${bound}`).join(" ");
    await writeFile(join(place.folder, "cgroup.subtree_control"), bounds);
  }

  async #make(): Promise<readonly string[]> {
    const made: string[] = [];
    try {
      for (const { folder, bounds } of this.#plan.places) {
        const group = await mkdtemp(join(folder, groupPrefix(this.#owner)));
        made.push(group);
        for (const { file, text: line, optional } of groupLines(this.version, bounds, this.#options.caps)) {
          await writeFile(join(group, file), line, { flag: "r+" }).catch((error: unknown) => {
            if (!optional) throw error;
          });
        }
      }
      return made;
    } catch (error) {
      await this.#leave(made);
      throw error;
    }
  }

  /** Keeps C2 and C3. */
  async #reap(): Promise<void> {
    for (const { folder } of this.#plan.places) {
      for (const name of await readdir(folder)) {
        const owner = ownerByName(name);
        if (owner !== null && (await this.#isDead(owner))) void this.#leave([join(folder, name)]);
      }
    }
  }

  async #isDead(owner: GroupOwner): Promise<boolean> {
    // Of processes that are counted elsewhere nothing is known.
    if (owner.namespace !== this.#owner.namespace) return false;
    const stat = await text(`/proc/${owner.pid}/stat`).catch(() => "");
    return ownerOf(stat, owner.namespace)?.began !== owner.began;
  }

  /** Contract: never rejects; a group that is still in use after all tries is tried again with the next one. */
  #leave(groups: readonly string[]): Promise<void> {
    const all = [...groups, ...this.#stuck];
    this.#stuck.clear();
    const removal = Promise.all(all.map((group) => this.#remove(group))).then(() => {
      this.#removals.delete(removal);
    });
    this.#removals.add(removal);
    return removal;
  }

  async #remove(group: string): Promise<void> {
    for (let tried = 0; tried < REMOVALS; tried += 1) {
      try {
        await rmdir(group);
        return;
      } catch (error) {
        // EBUSY: what was killed is still being buried.
        if ((error as { readonly code?: string }).code !== "EBUSY") return;
      }
      const waitMs = Math.min(FIRST_WAIT_MS * 2 ** tried, LONGEST_WAIT_MS);
      await new Promise<void>((resolve) => this.#options.clock.after(waitMs, resolve));
    }
    this.#stuck.add(group);
  }
}

async function look({ pid }: GroupOwner): Promise<GroupsFound> {
  const [mountinfo, cgroup] = await Promise.all([text("/proc/self/mountinfo"), text("/proc/self/cgroup")]);
  const own = ownGroups(mountinfo, cgroup);
  if (own.unified === undefined) return chooseGroups(own, null);
  const of = (name: string): Promise<string> => text(join(own.unified ?? "", name)).catch(() => "");
  const [controllers, handedOn, processes] = await Promise.all([
    of("cgroup.controllers"),
    of("cgroup.subtree_control"),
    of("cgroup.procs"),
  ]);
  return chooseGroups(own, { controllers, handedOn, processes, pid });
}

function text(path: string): Promise<string> {
  return readFile(path, "utf8");
}
