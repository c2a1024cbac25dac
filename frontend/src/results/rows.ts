// The rows of a grid: those far out of sight become empty strips of the same height, and come back in their place.
// Knows where elements lie; draws no card itself.
import { h } from "../dom";
import { nameOf } from "../places";
import type { Hit } from "../types";

const NEAR = 1; // windows above and below the one that is seen, within which rows are drawn
const FAR = 2; // beyond which they are removed: further, so that a small scroll does not draw and remove in turns
const LEAST = 800; // pixels of such a window
const GUESS = 380; // pixels of a row of which nothing is known yet

interface Row {
  hits: Hit[];
  cards: HTMLElement[]; // empty while the row is a strip
  strip: HTMLElement | null; // what takes its place
}

export interface Rows {
  /** Shows exactly these hits, below `line` if there is one. */
  show(hits: Hit[], line: HTMLElement | null): void;
  /** The same, but what lies below the window is drawn after the frame that shows what is in it. */
  begin(hits: Hit[], line: HTMLElement | null): void;
  append(hits: Hit[]): void;
  /** The card of a hit by its place, from 0, drawn if it was removed; null where there is none. */
  card(place: number): HTMLElement | null;
  /** Draws the rows above and below that of a card, where keys lead from it before a frame has drawn them. */
  around(card: HTMLElement): void;
  /** All hits, drawn or not. */
  hits(): readonly Hit[];
  removed(): void;
}

/** The rows of `element`, a CSS grid; `draw` makes the card of a hit at a place, `left` is told of a focus whose card goes. */
export function rowsOf(
  element: HTMLElement,
  draw: (hit: Hit, place: number) => HTMLElement,
  left: (id: string) => void,
): Rows {
  let all: Hit[] = [];
  let rows: Row[] = [];
  let columns = 1;
  let waiting = false;
  let below: Hit[] = []; // of `begin`, not drawn yet
  const room = h("div", { class: "row-strip", "aria-hidden": "true" }); // in their place
  const leaving = new AbortController();
  const later = (): void => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      look();
    });
  };
  addEventListener("scroll", later, { signal: leaving.signal, passive: true });
  addEventListener("resize", later, { signal: leaving.signal });
  const watch = new ResizeObserver(() => {
    if (columnsNow() === columns) return;
    drawBelow();
    regroup();
    later();
  });
  watch.observe(element);

  const columnsNow = (): number =>
    Math.max(1, getComputedStyle(element).gridTemplateColumns.split(" ").filter(Boolean).length);
  const head = (row: Row): HTMLElement => (row.cards[0] ?? row.strip) as HTMLElement;

  function show(hits: Hit[], line: HTMLElement | null): void {
    all = hits;
    below = [];
    columns = columnsNow();
    rows = grouped(all);
    element.replaceChildren(...(line ? [line] : []));
    for (const row of rows) element.append(...drawn(row));
    later();
  }

  function begin(hits: Hit[], line: HTMLElement | null): void {
    const seen = columnsNow() * (1 + Math.ceil(innerHeight / GUESS));
    show(hits.slice(0, seen), line);
    all = hits;
    below = hits.slice(seen);
    if (!below.length) return;
    room.style.height = `${Math.ceil(below.length / columns) * GUESS}px`;
    element.append(room);
    requestAnimationFrame(() => setTimeout(drawBelow));
  }

  /** Draws what `begin` has left, unless something else is shown by now. */
  function drawBelow(): void {
    if (!below.length) return;
    const whole = rows.length; // `begin` draws whole rows
    rows.push(...grouped(below));
    below = [];
    room.replaceWith(...rows.slice(whole).flatMap((row) => drawn(row)));
    later();
  }

  function append(hits: Hit[]): void {
    drawBelow();
    const last = rows.at(-1);
    if (last && last.hits.length < columns) {
      expand(last);
      rows.pop();
    }
    const whole = rows.length * columns;
    all = [...all, ...hits];
    const fresh = grouped(all.slice(whole));
    const kept = new Map((last?.cards ?? []).map((card) => [card.dataset.id, card]));
    rows.push(...fresh);
    for (const row of fresh) element.append(...drawn(row, kept).filter((card) => card.parentNode !== element));
    later();
  }

  /** Rows of as many hits as there are columns. */
  function grouped(hits: Hit[]): Row[] {
    const made: Row[] = [];
    for (let at = 0; at < hits.length; at += columns) {
      made.push({ hits: hits.slice(at, at + columns), cards: [], strip: null });
    }
    return made;
  }

  /** The cards of a row; those in `kept` are taken as they are. */
  function drawn(row: Row, kept?: ReadonlyMap<string | undefined, HTMLElement>): HTMLElement[] {
    const first = rows.indexOf(row) * columns;
    row.cards = row.hits.map((hit, at) => kept?.get(hit.id) ?? draw(hit, first + at));
    return row.cards;
  }

  /** Draws what is near, removes what is far. */
  function look(): void {
    const size = Math.max(LEAST, innerHeight);
    const drawFrom = firstBelow(-NEAR * size);
    const keepFrom = firstBelow(-FAR * size);
    const far: Row[] = rows.slice(0, keepFrom).filter((row) => row.cards.length);
    const near: Row[] = [];
    for (let at = keepFrom; at < rows.length; at += 1) {
      const row = rows[at] as Row;
      const { top } = head(row).getBoundingClientRect();
      if (at >= drawFrom && top < innerHeight + NEAR * size && !row.cards.length) near.push(row);
      if (top <= innerHeight + FAR * size) continue;
      far.push(...rows.slice(at).filter((below) => below.cards.length));
      break;
    }
    const heights = far.map((row) => head(row).offsetHeight); // all read before anything is changed
    for (const [at, row] of far.entries()) collapse(row, heights[at] ?? GUESS);
    for (const row of near) expand(row);
  }

  /** The number of the first row whose end lies below `y`, in pixels from the top of the window. */
  function firstBelow(y: number): number {
    let [low, high] = [0, rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const row = rows[middle] as Row;
      if (head(row).getBoundingClientRect().bottom < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function collapse(row: Row, height: number): void {
    const focused = row.cards.find((card) => card.contains(document.activeElement));
    row.strip ??= strip(row);
    row.strip.style.height = `${height}px`;
    row.cards[0]?.before(row.strip);
    for (const card of row.cards) card.remove();
    row.cards = [];
    if (focused) left(focused.dataset.id ?? "");
  }

  function expand(row: Row): void {
    if (row.cards.length) return;
    const { strip } = row;
    strip?.before(...drawn(row));
    strip?.remove();
  }

  /** What takes the place of a row: as high, and with its words, so that the browser's own search finds them. */
  function strip(row: Row): HTMLElement {
    const words = h("span", {}, row.hits.map((hit) => `${nameOf(hit.document)} ${hit.snippet}`).join(" · "));
    words.setAttribute("hidden", "until-found");
    words.addEventListener("beforematch", () => setTimeout(() => expand(row))); // after the browser has scrolled to it
    return h("div", { class: "row-strip", "aria-hidden": "true" }, words);
  }

  /** Other rows, because the window has another width: what was read stays where it is. */
  function regroup(): void {
    const first = rows.flatMap((row) => row.cards).find((card) => card.getBoundingClientRect().bottom > 0);
    const anchor = first ? { id: first.dataset.id, top: first.getBoundingClientRect().top } : null;
    const near = new Set(rows.filter((row) => row.cards.length).flatMap((row) => row.hits));
    const height = rows.find((row) => row.strip)?.strip?.offsetHeight || GUESS;
    const focused = element.contains(document.activeElement)
      ? document.activeElement?.closest<HTMLElement>(".card")?.dataset.id
      : "";
    for (const row of rows) for (const one of [...row.cards, row.strip]) one?.remove();
    columns = columnsNow();
    rows = grouped(all);
    for (const row of rows) {
      if (row.hits.some((hit) => near.has(hit))) element.append(...drawn(row));
      else {
        row.strip = strip(row);
        row.strip.style.height = `${height}px`;
        element.append(row.strip);
      }
    }
    const again = (id: string | undefined): HTMLElement | null =>
      id ? element.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"]`) : null;
    const place = again(anchor?.id)?.getBoundingClientRect().top;
    if (anchor && anchor.top < 0 && place !== undefined) scrollBy(0, place - anchor.top);
    again(focused)?.querySelector<HTMLElement>(".card-open")?.focus({ preventScroll: true });
  }

  function card(place: number): HTMLElement | null {
    drawBelow();
    const row = rows[Math.floor(place / columns)];
    if (!row) return null;
    expand(row);
    return row.cards[place % columns] ?? null;
  }

  function around(one: HTMLElement): void {
    drawBelow();
    const at = rows.findIndex((row) => row.cards.includes(one));
    for (const row of [rows[at - 1], rows[at + 1]]) if (at >= 0 && row) expand(row);
  }

  return {
    show,
    begin,
    append,
    card,
    around,
    hits: () => all,
    removed() {
      leaving.abort();
      watch.disconnect();
    },
  };
}
