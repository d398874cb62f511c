import { html } from "htm/preact";
import { expect, test } from "vitest";
import { StayStrip } from "../../../web/chart/stay-strip.js";
import { act, elements, hasClass, textOf } from "../vnode.ts";

const stays = [
  { path: "spawned.queued", from: 0, to: 1_000 },
  { path: "running.waiting_slot", from: 1_000, to: 4_000 },
  { path: "done", from: 4_000, to: null },
];
const nothing = () => {};

function strip(
  more: { stays?: typeof stays; now?: number; selected?: string; onSelect?: (path: string) => void } = {},
) {
  const { stays: given = stays, now = 9_000, selected = null, onSelect = nothing } = more;
  return elements(html`<${StayStrip} stays=${given} now=${now} selected=${selected} onSelect=${onSelect} />`);
}

test("a row ends with the task, and its legend says what each colour comes to", () => {
  const all = strip();
  const bars = all.filter((each) => hasClass(each, "stay-bar"));
  expect(bars.map(({ props }) => [props["title"], props["style"]])).toEqual([
    ["queued, 1.0s", { left: "0%", width: "25%" }],
    ["waiting slot, 3.0s", { left: "25%", width: "75%" }],
  ]);
  expect(all.filter(({ name }) => name === "li").map(textOf)).toEqual([
    "waiting slot 3.0s 75 %",
    "queued 1.0s 25 %",
  ]);
  expect(bars.map((bar) => hasClass(bar, "st-waiting-slot"))).toEqual([false, true]);
});

test("while the task goes on, so does its last stay", () => {
  const bars = strip({ stays: stays.slice(0, 1).map((stay) => ({ ...stay, to: null })), now: 2_500 });
  expect(bars.find((each) => hasClass(each, "stay-bar"))?.props["title"]).toBe("queued, 2.5s");
});

test("a colour is chosen in the legend and in the row", () => {
  const chosen: string[] = [];
  const all = strip({ onSelect: (path) => chosen.push(path), selected: "spawned.queued" });
  expect(all.filter(({ props }) => props["aria-pressed"] === true).map(textOf)).toEqual(["queued 1.0s 25 %"]);
  act(
    all.find(({ name }) => name === "button"),
    "onClick",
  );
  act(
    all.find((each) => hasClass(each, "stay-bar")),
    "onClick",
  );
  expect(chosen).toEqual(["running.waiting_slot", "spawned.queued"]);
});

test("without a stay there is no row", () => {
  expect(strip({ stays: [] })).toEqual([]);
});
