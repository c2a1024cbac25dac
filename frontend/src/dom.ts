// Creates elements: text from files reaches the page only as text nodes. Knows no search and no server.
import type { Mark } from "./types";

export type Child = Node | string | number | null | undefined | false | 0 | Child[];
type Handler = (event: never) => unknown;

export interface Properties {
  class?: string;
  text?: string;
  on?: Record<string, Handler>;
  style?: Record<string, string>;
  [attribute: string]: unknown;
}

/** An element. `props`: class, text, on {event: handler}, style {property: value}, anything else an attribute; null and false are left out. */
export function h<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  props: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value !== null && value !== undefined && value !== false) give(element, name, value);
  }
  element.append(...nodes(children));
  return element;
}

/** Replaces all children of an element. */
export function fill<E extends Element>(element: E, ...children: Child[]): E {
  element.replaceChildren(...nodes(children));
  return element;
}

function give(element: HTMLElement, name: string, value: unknown): void {
  if (name === "class") element.className = String(value);
  else if (name === "text") element.textContent = String(value);
  else if (name === "on") {
    for (const [event, handler] of Object.entries(value as Record<string, EventListener>)) {
      element.addEventListener(event, handler);
    }
  } else if (name === "style") {
    for (const [property, set] of Object.entries(value as Record<string, string>))
      element.style.setProperty(property, set);
  } else if (name === "src" || name === "href") element.setAttribute(name, own(String(value)));
  else element.setAttribute(name, value === true ? "" : String(value));
}

function nodes(children: Child[]): (Node | string)[] {
  const made: (Node | string)[] = [];
  for (const child of children) {
    if (Array.isArray(child)) made.push(...nodes(child));
    else if (child !== null && child !== undefined && child !== false && child !== 0) {
      made.push(typeof child === "number" ? String(child) : child);
    }
  }
  return made;
}

/** The address if it is on our own server or a picture made in the browser; else "#", which does nothing. */
function own(address: string): string {
  return /^(\/(?!\/)|\?|#|blob:|data:image\/(png|jpeg|webp);)/.test(address) ? address : "#";
}

/** Text with highlighted ranges; `marks` are [start, end) in code points, as the server counts. */
export function marked(text: string, marks: Mark[] = []): (string | HTMLElement)[] {
  const points = Array.from(text);
  const pieces: (string | HTMLElement)[] = [];
  let at = 0;
  for (const [start, end] of joined(marks)) {
    if (start < at || end > points.length || end <= start) continue;
    if (start > at) pieces.push(points.slice(at, start).join(""));
    pieces.push(h("mark", { text: points.slice(start, end).join("") }));
    at = end;
  }
  if (at < points.length) pieces.push(points.slice(at).join(""));
  return pieces;
}

/** Ranges in order, adjacent ones joined: every Chinese character is a match of its own. */
function joined(marks: Mark[]): Mark[] {
  const made: Mark[] = [];
  for (const [start, end] of [...marks].sort((a, b) => a[0] - b[0])) {
    const last = made.at(-1);
    if (last && last[1] === start) last[1] = end;
    else made.push([start, end]);
  }
  return made;
}
