// Components without hooks, rendered to text without a browser: a line for each element with its class and its own texts.

import type { ComponentChild, VNode } from "preact";

type Props = Readonly<Record<string, unknown>>;

/** An element of the page: its name, its attributes, and what lies in it. */
export interface Drawn {
  readonly name: string;
  readonly props: Props;
  readonly inside: readonly (Drawn | string)[];
}

function isVNode(value: unknown): value is VNode<object> {
  return typeof value === "object" && value !== null && "type" in value && "props" in value;
}

/** Contract: pure; calls every component until only elements and texts are left. */
export function drawn(child: ComponentChild): readonly (Drawn | string)[] {
  if (Array.isArray(child)) return child.flatMap((each: ComponentChild) => drawn(each));
  if (typeof child === "string" || typeof child === "number") return [String(child)];
  if (!isVNode(child)) return [];
  const { type, props } = child;
  if (typeof type === "function") {
    return drawn((type as (given: object) => ComponentChild)({ ...props }));
  }
  const { children, ...rest } = props as Props & { children?: ComponentChild };
  return [{ name: String(type), props: rest, inside: drawn(children) }];
}

/** Every element, from the outside in. */
export function elements(child: ComponentChild): readonly Drawn[] {
  const all = (each: Drawn | string): readonly Drawn[] =>
    typeof each === "string" ? [] : [each, ...each.inside.flatMap(all)];
  return drawn(child).flatMap(all);
}

/** Whether an element has a word among those of its class. */
export function hasClass({ props }: Drawn, word: string): boolean {
  const words = props["class"];
  return typeof words === "string" && words.split(" ").includes(word);
}

/** All of its text, with single spaces. */
export function textOf(each: Drawn | string): string {
  const all = (part: Drawn | string): string =>
    typeof part === "string" ? part : part.inside.map(all).join(" ");
  return all(each).replaceAll(/\s+/g, " ").trim();
}

/** Calls what an element does on an event. Throws where there is no such element, or it does nothing. */
export function act(each: Drawn | undefined, name: "onClick" | "onKeyDown", event: object = {}): void {
  const handler = each?.props[name];
  if (typeof handler !== "function") throw new TypeError(`Expected an element that has ${name}.`);
  (handler as (given: object) => void)(event);
}
