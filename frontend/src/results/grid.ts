// Cards in their order, which do not jump under the pointer. Knows cards and keys; knows no server.
import { h } from "../dom";
import type { Hit } from "../types";
import { card, type Pick, type Ways } from "./cards";
import { rowsOf } from "./rows";

const KEYS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"];
const still = (): boolean => matchMedia("(prefers-reduced-motion: reduce)").matches;

export interface Grid {
  element: HTMLElement;
  /** Shows exactly these hits of `total`, below `line` if there is one; cards that stay slide to their new places. */
  show(hits: Hit[], total: number, line?: HTMLElement | null): void;
  /** The same for the first answer to a query: what lies below the window follows after a frame. */
  begin(hits: Hit[], total: number, line?: HTMLElement | null): void;
  append(hits: Hit[]): void;
  /** Whether moving cards would disturb the reader. */
  held(): boolean;
  /** Focuses the card of an id, by default the first; false if there is none. */
  focus(id?: string): boolean;
  /** Takes the marks of the selection from all cards. */
  unpick(): void;
  /** Marks the card of an id as the one that is shown beside the list; "" for none. */
  mark(id: string): void;
  /** The id of the card that has the focus, or "". */
  focused(): string;
  rest(): void;
  removed(): void;
}

/** A grid of hits. `href` is the address of a hit, `leave` is called on the way up from the first row, `drawn` for every new card. */
export function grid(
  href: (hit: Hit) => string,
  ways: Ways,
  leave: () => void,
  pick: Pick,
  drawn: (card: HTMLElement, hit: Hit) => void,
): Grid {
  const element = h("div", { class: "grid", role: "list", tabindex: "-1" });
  let pointed = false;
  let total = 0; // of the whole list; -1 where it is not known
  let marked = ""; // the id of the card that is shown beside the list
  let left = ""; // the id of a card that had the focus and was removed, far out of sight
  element.addEventListener("pointermove", () => {
    pointed = true;
  });
  element.addEventListener("pointerleave", () => {
    pointed = false;
  });
  element.addEventListener("keydown", (event) => {
    if (event.target === element && left) focus(left); // and go on from there
    if (event.key === "x" && !event.ctrlKey && !event.metaKey && !event.altKey) toggle(event.target as HTMLElement);
    const here = KEYS.includes(event.key) ? (event.target as HTMLElement).closest<HTMLElement>(".card") : null;
    if (here) rows.around(here);
    move(element, event, { leave, first: () => to(0), last: () => to(rows.hits().length - 1) });
  });
  const cards = (): HTMLElement[] => Array.from(element.querySelectorAll<HTMLElement>(".card"));
  const listed = (hit: Hit, place: number): HTMLElement => {
    const made = card(hit, href(hit), ways, pick);
    markIf(made, hit.id === marked);
    drawn(made, hit);
    made.setAttribute("role", "listitem");
    made.setAttribute("aria-posinset", String(place + 1));
    made.setAttribute("aria-setsize", String(total));
    return made;
  };
  const rows = rowsOf(element, listed, (id) => {
    left = id;
    element.focus({ preventScroll: true });
  });

  function show(hits: Hit[], ofAll: number, line: HTMLElement | null = null): void {
    total = ofAll;
    left = "";
    const before = new Map(cards().map((one) => [one.dataset.id, one.getBoundingClientRect()]));
    rows.show(hits, line);
    if (!before.size || still()) return;
    for (const one of cards()) slide(one, before.get(one.dataset.id));
  }
  function begin(hits: Hit[], ofAll: number, line: HTMLElement | null = null): void {
    total = ofAll;
    left = "";
    rows.begin(hits, line);
  }
  function focus(id?: string): boolean {
    const place = id ? rows.hits().findIndex((hit) => hit.id === id) : 0;
    return to(place);
  }
  /** Focuses the card at a place; false if there is none. */
  function to(place: number): boolean {
    const link = place < 0 ? null : rows.card(place)?.querySelector<HTMLElement>(".card-open");
    link?.focus();
    return Boolean(link);
  }
  return {
    element,
    show,
    begin,
    append: rows.append,
    held: () => pointed || element.contains(document.activeElement) || element.getBoundingClientRect().top < -40,
    focus,
    focused: () => {
      const active = document.activeElement;
      if (active === element) return left;
      return (element.contains(active) && active?.closest<HTMLElement>(".card")?.dataset.id) || "";
    },
    unpick: () => {
      for (const box of element.querySelectorAll<HTMLInputElement>(".card-pick")) box.checked = false;
      for (const one of cards()) one.classList.remove("is-picked");
    },
    mark: (id) => {
      marked = id;
      for (const one of cards()) markIf(one, one.dataset.id === id);
    },
    rest: () => {
      pointed = false;
    },
    removed: rows.removed,
  };
}

function markIf(one: HTMLElement, isShown: boolean): void {
  one.classList.toggle("is-shown", isShown);
  const link = one.querySelector(".card-open");
  if (isShown) link?.setAttribute("aria-current", "true");
  else link?.removeAttribute("aria-current");
}

/** Selects the card of a link, or leaves it out. */
const toggle = (link: HTMLElement): void =>
  link.closest(".card")?.querySelector<HTMLInputElement>(".card-pick")?.click();

function slide(one: HTMLElement, from: DOMRect | undefined): void {
  const to = one.getBoundingClientRect();
  if (!from) {
    one.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 180, easing: "ease-out" });
    return;
  }
  const [x, y] = [from.left - to.left, from.top - to.top];
  if (!x && !y) return;
  const frames = [{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }];
  one.animate(frames, { duration: 240, easing: "cubic-bezier(.2,.7,.2,1)" });
}

/** Where keys lead that leave what is drawn. */
interface Exits {
  leave(): void; // on the way up from the first row
  first(): void;
  last(): void;
}

/** Arrow keys move between cards as laid out: left and right by one, up and down to the nearest in the next row. */
function move(element: HTMLElement, event: KeyboardEvent, exits: Exits): void {
  if (!KEYS.includes(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
  const links = Array.from(element.querySelectorAll<HTMLElement>(".card-open"));
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  if (event.key === "Home") exits.first();
  else if (event.key === "End") exits.last();
  else {
    const to = target(event.key, at, links);
    if (to < 0) exits.leave();
    else links[Math.min(to, links.length - 1)]?.focus();
  }
}

function target(key: string, at: number, links: HTMLElement[]): number {
  if (key === "ArrowLeft") return at - 1;
  if (key === "ArrowRight") return at + 1;
  return across(links.map(laidOut), at, key === "ArrowDown" ? 1 : -1);
}

export interface Box {
  top: number;
  left: number;
}

/** The place of a card in the layout, even while it still moves there. */
function laidOut(link: HTMLElement): Box {
  const box = { top: 0, left: 0 };
  for (let one = link.closest<HTMLElement>(".card"); one; one = one.offsetParent as HTMLElement | null) {
    box.top += one.offsetTop;
    box.left += one.offsetLeft;
  }
  return box;
}

/** The number of the box nearest in the next row below (1) or above (-1); at the end the same one, above the first row -1. */
export function across(boxes: Box[], at: number, direction: 1 | -1): number {
  const here = boxes[at];
  if (!here) return at;
  const beyond = boxes
    .map((box, number) => ({ box, number }))
    .filter(({ box }) => (box.top - here.top) * direction > 4);
  if (!beyond.length) return direction < 0 ? -1 : at;
  const row = beyond.reduce((best, one) => ((one.box.top - best.box.top) * direction < 0 ? one : best)).box.top;
  const inRow = beyond.filter(({ box }) => Math.abs(box.top - row) < 4);
  const distance = (box: Box): number => Math.abs(box.left - here.left);
  return inRow.reduce((best, one) => (distance(one.box) < distance(best.box) ? one : best)).number;
}
