// `troupe gpus`: for every GPU, its lanes, what is loaded there, which servers are away, who holds a slot, and who waits,
// for how long and why. Says what the server says; judges nothing and changes nothing.

import type { GpuView, LaneView, ResidencyView } from "../core/box-api.ts";
import type { Command } from "./command.ts";
import { connect, shortId } from "./connection.ts";
import { oneLine } from "./printable.ts";
import type { Line, Style } from "./printer.ts";
import { table } from "./table.ts";
import { age, counted } from "./task-lines.ts";

const NAME_CHARS = 40;
const WHY_CHARS = 160;
const GIB = 1024 ** 3;

const RESIDENCY_STYLES: Readonly<Record<ResidencyView["state"], Style>> = {
  absent: "dim",
  loading: "yellow",
  resident: "green",
  draining: "yellow",
  unloading: "yellow",
};

const gib = (bytes: number): string => `${(bytes / GIB).toFixed(1)} GiB`;

function laneTable(lanes: readonly LaneView[]): readonly Line[] {
  const heading = ["LANE", "PROFILE", "SLOTS", "HELD", "CHILDREN", "WAITING", "SET BY"];
  const rows = lanes.map((lane) => [
    oneLine(lane.backend, NAME_CHARS),
    oneLine(lane.profile, NAME_CHARS) || "-",
    `${lane.slots}`,
    `${lane.leases.length}`,
    `${lane.places.length} of ${lane.maxChildren}`,
    `${lane.waiting.length}`,
    lane.slotsAuto ? oneLine(`auto: ${lane.slotsReason ?? "not measured yet"}`, WHY_CHARS) : "the config",
  ]);
  return table(heading, rows);
}

function whyOf({ phase, problem }: ResidencyView): string {
  const reason = problem === null ? "" : `${problem.code}: ${problem.message}`;
  return oneLine([phase ?? "", reason].filter(Boolean).join(", "), WHY_CHARS);
}

function modelTable({ residency, loaded }: GpuView, now: number): readonly Line[] {
  const heading = ["MODEL", "STATE", "SINCE", "VRAM", "IN FLIGHT", "LOAD", "WHY"];
  const ours = residency.map((model) => [
    oneLine(`${model.backend} ${model.profile}`, NAME_CHARS + NAME_CHARS),
    model.state,
    age(now - model.since),
    model.vramBytes === 0 ? "-" : gib(model.vramBytes),
    `${model.inFlight}`,
    model.loadMs === null ? "-" : `${(model.loadMs / 1_000).toFixed(1)} s`,
    whyOf(model),
  ]);
  // Where nothing is loaded at our command, all that is known is what the servers tell.
  const others = loaded
    .filter(({ foreign }) => foreign || residency.length === 0)
    .map(({ model, vramBytes, foreign }) => [
      oneLine(model, NAME_CHARS),
      "loaded",
      "",
      gib(vramBytes),
      "",
      "",
      foreign ? "somebody else loaded it" : "",
    ]);
  return table(heading, [...ours, ...others], (text, { row, column }) => {
    const model = residency[row];
    return column === 1 && model !== undefined ? [RESIDENCY_STYLES[model.state], text] : text;
  });
}

function queueTable(lanes: readonly LaneView[]): readonly Line[] {
  const held = lanes.flatMap(({ leases, profile, backend }) =>
    leases.map((lease) => [
      shortId(lease.taskId),
      "slot",
      lease.class,
      "-",
      age(lease.heldMs),
      oneLine(`generates on ${profile || backend}`, WHY_CHARS),
    ]),
  );
  const waiting = lanes.flatMap((lane) =>
    lane.waiting.map((task) => [
      shortId(task.taskId),
      `waits: ${task.wants === "place" ? "child" : "slot"}`,
      task.class,
      `${task.position}`,
      age(task.waitedMs),
      oneLine(task.reason, WHY_CHARS),
    ]),
  );
  const heading = ["TASK", "HAS", "CLASS", "POSITION", "FOR", "WHY"];
  return table(heading, [...held, ...waiting], (text, { row, column }) =>
    column !== 1 ? text : [row < held.length ? "green" : "yellow", text],
  );
}

/** Contract: pure; an empty table is not shown. */
export function gpuLines(view: GpuView, now: number): readonly Line[] {
  const { gpu, backends, outages, loaded, residency } = view;
  const waiting = backends.reduce((sum, lane) => sum + lane.waiting.length, 0);
  const held = backends.reduce((sum, lane) => sum + lane.leases.length, 0);
  const slots = `${counted(held, "generation")} under way, ${counted(waiting, "task")} waiting`;
  const away = outages.map(({ message, since, held: kept }): Line => [
    ["red", "away "],
    `${oneLine(message, WHY_CHARS)} For ${age(now - since)}; ${counted(kept, "task")} held.`,
  ]);
  return [
    [["bold", oneLine(gpu, NAME_CHARS)], `  ${slots}`],
    ...away,
    ...laneTable(backends),
    ...(residency.length + loaded.length === 0 ? [] : ["", ...modelTable(view, now)]),
    ...(held + waiting === 0 ? [] : ["", ...queueTable(backends)]),
  ];
}

export const listGpus: Command = async (invocation) => {
  const { printer, world } = invocation;
  const api = await connect(invocation);
  const items = await api.gpus();
  printer.document({ items });
  const now = world.clock.now();
  items.forEach((gpu, at) => {
    if (at > 0) printer.row("");
    for (const line of gpuLines(gpu, now)) printer.row(line);
  });
  if (items.length === 0) printer.note("No model server is configured. `troupe init` looks for them.");
  return "ok";
};
