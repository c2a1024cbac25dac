// Filters as chips with counts: kind, folder, date, index, order. Knows the query's fields; sends nothing.
import type { Place } from "../address";
import { type Child, fill, h } from "../dom";
import { icon } from "../icons";
import { count } from "../places";
import { type Counts, type IndexFacts, KINDS, type Kind } from "../types";
import { t, type Word } from "../words";
import { closeOnOutside, datesMenu, foldersMenu, indexesMenu } from "./menus";

export type Change = (fields: Partial<Place>) => void;

export interface Filters {
  element: HTMLElement;
  /** `counts` are those of the last answer, or of all indexes; `indexes` and `orders` are the choices. */
  show(asked: Place, counts: Counts, indexes: IndexFacts[], orders: [string, Word][]): void;
  removed(): void;
}

/** No filter at all. */
export const UNFILTERED = { kinds: [], paths: [], roots: [], after: "", before: "" };

export const filtered = (asked: Place): boolean =>
  Boolean(asked.kinds.length || asked.paths.length || asked.roots.length || asked.after || asked.before);

/** The row of chips; calls `change` with the fields that a person changed. */
export function filterRow(change: Change): Filters {
  const element = h("div", { class: "filters", role: "group", "aria-label": t("filters") });
  const leaving = new AbortController();

  function show(asked: Place, counts: Counts, indexes: IndexFacts[], orders: [string, Word][]): void {
    const active = document.activeElement;
    const focused = active instanceof HTMLElement && element.contains(active) ? active.dataset.key : undefined;
    const opened = element.querySelector<HTMLElement>("details[open]")?.dataset.key;
    const clear = (): void => change(UNFILTERED);
    fill(
      element,
      KINDS.map((kind) => kindChip(kind, asked, counts.kinds ?? {}, change)),
      counts.folders || asked.paths.length ? foldersMenu(asked, counts.folders ?? {}, change) : null,
      datesMenu(asked, change),
      indexes.length > 1 ? indexesMenu(asked, indexes, change) : null,
      orders.length ? orderChoice(orders, asked.sort, change) : null,
      filtered(asked)
        ? h(
            "button",
            { type: "button", class: "chip chip-clear", "data-key": "clear", on: { click: clear } },
            icon("close"),
            t("no_filters"),
          )
        : null,
    );
    if (opened) element.querySelector(`details[data-key="${opened}"]`)?.setAttribute("open", "");
    if (focused) element.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }
  closeOnOutside(element, leaving.signal);
  return { element, show, removed: () => leaving.abort() };
}

function kindChip(kind: Kind, asked: Place, counts: Partial<Record<Kind, number>>, change: Change): HTMLElement {
  const on = asked.kinds.includes(kind);
  const kinds = on ? asked.kinds.filter((one) => one !== kind) : [...asked.kinds, kind];
  const found = counts[kind];
  return h(
    "button",
    {
      type: "button",
      class: `chip chip-${kind}`,
      "aria-pressed": String(on),
      "data-key": `kind-${kind}`,
      disabled: !on && found === 0 && !asked.kinds.length,
      on: { click: () => change({ kinds }) },
    },
    icon(kind),
    t(`kinds_${kind}`),
    found === undefined ? null : h("span", { class: "chip-count" }, count(found)),
  );
}

function orderChoice(orders: [string, Word][], chosen: string, change: Change): HTMLElement {
  const options: Child[] = orders.map(([value, words]) => h("option", { value, selected: value === chosen }, t(words)));
  const select = h("select", {
    "aria-label": t("sort"),
    "data-key": "sort",
    on: { change: (event: Event) => change({ sort: (event.target as HTMLSelectElement).value }) },
  });
  fill(select, options);
  return h("label", { class: "chip chip-select" }, icon("sort"), select, icon("down"));
}
