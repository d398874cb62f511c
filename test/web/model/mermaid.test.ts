import { describe, expect, it } from "vitest";
import { MACHINE_NAMES, shownMachine } from "../../../machines/catalogue.ts";
import { machineGraph } from "../../../web/model/machine-graph.js";
import { mermaidOf } from "../../../web/model/mermaid.js";

/** The lines of a state diagram that this drawing uses, as mermaid's own grammar reads them. */
const LINES = [
  /^stateDiagram-v2$/,
  /^ +state "[^"\n]+" as \w+( \{)?$/,
  /^ +\}$/,
  /^ +(\[\*\]|\w+) --> (\[\*\]|\w+)(: [^:;#{}"\n]+)?$/,
  /^ +note right of \w+$/,
  /^ {4}from any of its states, [^:;#{}"\n]+$/,
  /^ +end note$/,
  /^ +classDef passing stroke-dasharray: 4 3$/,
  /^ +class \w+(, \w+)* passing$/,
];

describe.each(MACHINE_NAMES)("the diagram of %s", (name) => {
  const graph = machineGraph(shownMachine(name)?.definition);
  const text = mermaidOf(graph);
  const lines = text.trimEnd().split("\n");

  it("holds only lines that mermaid reads", () => {
    expect(lines.filter((line) => !LINES.some((form) => form.test(line)))).toEqual([]);
    expect(text.split(" {\n").length).toBe(text.split(/^ +\}$/m).length);
  });

  it("names each state once, and draws arrows between those alone", () => {
    const named = lines.flatMap((line) => / as (\w+)/.exec(line)?.[1] ?? []);
    expect(named).toHaveLength(graph.states.length - 1);
    expect(new Set(named).size).toBe(named.length);
    const ends = lines.flatMap((line) => /^ +(\S+) --> ([^\s:]+)/.exec(line)?.slice(1) ?? []);
    expect(ends.filter((end) => end !== "[*]" && !named.includes(end))).toEqual([]);
  });

  it("shows every move that goes anywhere, as an arrow or in a note", () => {
    for (const { source, target, reach } of graph.moves) {
      if (target === null) continue;
      const word = (id: string) => graph.byId.get(id)?.path.replaceAll(".", "__") ?? "";
      const isDrawn =
        reach === "inner" && word(source) !== ""
          ? text.includes(`leads to ${graph.byId.get(target)?.key}`)
          : new RegExp(` ${word(source) || "\\w+"} --> ${word(target)}(:|$)`, "m").test(text);
      expect([source, target, isDrawn]).toEqual([source, target, true]);
    }
  });
});

describe("the diagram of the agent", () => {
  const text = mermaidOf(machineGraph(shownMachine("agent")?.definition));

  it("shares an arrow between moves, and cancels from wherever a task may be", () => {
    expect(text).toContain(
      "running__generating --> running__waiting_slot: preempted<br/>generate done [rerouted]\n",
    );
    for (const from of ["spawned", "running", "steering"])
      expect(text).toContain(`${from} --> cancelled: cancel`);
    expect(text).not.toContain("done --> cancelled");
  });

  it("marks what never rests", () => {
    expect(text).toContain("class running__beginning, running__next_turn, running__answering passing");
  });
});

it("counts what does not fit on an arrow, and keeps what a label may not hold out of it", () => {
  const transitions = ["a:b", "c;d", 'e"f', "g#h", "i", "j"].map((eventType) => ({
    eventType,
    target: ["#m.y"],
  }));
  const states = { x: { id: "m.x", key: "x", transitions }, y: { id: "m.y", key: "y" } };
  expect(mermaidOf(machineGraph({ id: "m", initial: { target: ["#m.x"] }, states }))).toBe(
    [
      "stateDiagram-v2",
      "  [*] --> x",
      '  state "x" as x',
      '  state "y" as y',
      "  x --> y: a b<br/>c d<br/>e f<br/>g h<br/>and 2 more",
      "",
    ].join("\n"),
  );
});
