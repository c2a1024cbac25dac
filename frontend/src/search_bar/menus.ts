// The menus of the filters: folders, dates, indexes. Knows the query's fields; sends nothing.
import type { Place } from "../address";
import { type Child, h } from "../dom";
import { type IconName, icon } from "../icons";
import { count, day, plain } from "../places";
import type { IndexFacts } from "../types";
import { t, type Word } from "../words";
import type { Change } from "./filters";

const FOLDERS = 40; // in the list; more are rarely read
const DAY = 86_400_000; // milliseconds
const RANGES: readonly [Word, number][] = [
  ["last_week", 7],
  ["last_month", 30],
  ["last_year", 365],
];

/** Closes an open menu on a press elsewhere and on Escape. */
export function closeOnOutside(row: HTMLElement, signal: AbortSignal): void {
  document.addEventListener(
    "pointerdown",
    (event) => {
      for (const open of row.querySelectorAll("details[open]")) {
        if (!open.contains(event.target as Node)) open.removeAttribute("open");
      }
    },
    { signal },
  );
  row.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" ? row.querySelector("details[open]") : null;
    if (!open) return;
    event.stopPropagation();
    open.removeAttribute("open");
    open.querySelector("summary")?.focus();
  });
}

function menu(key: string, name: IconName, label: string, on: boolean, ...inside: Child[]): HTMLElement {
  const summary = h(
    "summary",
    { class: `chip${on ? " chip-on" : ""}`, "data-key": `${key}-open` },
    icon(name),
    h("span", {}, label),
    icon("down"),
  );
  return h("details", { class: "menu", "data-key": key }, summary, h("div", { class: "menu-list" }, ...inside));
}

interface Option {
  key: string;
  name: IconName;
  label: string;
  on: boolean;
  found?: number | undefined;
  disabled?: boolean;
  act: () => void;
}

function option({ key, name, label, on, found, disabled, act }: Option): HTMLElement {
  return h(
    "button",
    { type: "button", class: "menu-option", "aria-pressed": String(on), "data-key": key, disabled, on: { click: act } },
    icon(on ? "check" : name),
    h("span", {}, label),
    found === undefined ? null : h("span", { class: "chip-count" }, count(found)),
  );
}

export function foldersMenu(asked: Place, counts: Record<string, number>, change: Change): HTMLElement {
  const chosen = asked.paths.map(folderOfPattern);
  const without = (name: string): string[] => asked.paths.filter((path) => folderOfPattern(path) !== name);
  const names = Object.entries(counts)
    .filter(([name]) => name)
    .sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))
    .slice(0, FOLDERS);
  const one = (name: string, found?: number): HTMLElement => {
    const on = chosen.includes(name);
    const paths = on ? without(name) : [...asked.paths, patternOf(name)];
    return option({
      key: `folder-${name}`,
      name: "folder",
      label: plain(name),
      on,
      found,
      act: () => change({ paths }),
    });
  };
  const any = option({
    key: "folder-any",
    name: "folder",
    label: t("any_folder"),
    on: !chosen.length,
    act: () => change({ paths: [] }),
  });
  const gone = chosen.filter((name) => !(name in counts)).map((name) => one(name));
  const label = chosen.length ? plain(chosen.join(", ")) : t("folder");
  return menu(
    "folder",
    "folder",
    label,
    chosen.length > 0,
    any,
    gone,
    names.map(([name, found]) => one(name, found)),
  );
}

/** A glob that matches a top folder of a root and nothing else: names may contain `*`, `?` or `[`. */
export const patternOf = (name: string): string => `/${name.replace(/[*?[]/g, "[$&]")}/**`;

/** The folder of a glob that `patternOf` made. */
export const folderOfPattern = (pattern: string): string =>
  pattern
    .replace(/^\//, "")
    .replace(/\/\*\*$/, "")
    .replace(/\[([*?[])\]/g, "$1");

/** The indexes to search: the first if the address names none. */
export const chosenOf = (indexes: IndexFacts[], asked: Pick<Place, "indexes">): IndexFacts[] =>
  asked.indexes.length ? indexes.filter((one) => asked.indexes.includes(one.name)) : indexes.slice(0, 1);

/** The menu of indexes, several of which are searched as one; the last chosen one stays chosen. */
export function indexesMenu(asked: Place, indexes: IndexFacts[], change: Change): HTMLElement {
  const chosen = chosenOf(indexes, asked).map((one) => one.name);
  const toggled = (name: string): string[] =>
    indexes.map((one) => one.name).filter((one) => (one === name) !== chosen.includes(one));
  const set = (names: string[]): void => {
    const isDefault = names.length === 1 && names[0] === indexes[0]?.name;
    change({ indexes: isDefault ? [] : names, paths: [], roots: [], kinds: [] });
  };
  const options = indexes.map(({ name, documents }) => {
    const on = chosen.includes(name);
    const disabled = on && chosen.length === 1;
    return option({
      key: `index-${name}`,
      name: "stack",
      label: plain(name),
      on,
      found: documents,
      disabled,
      act: () => set(toggled(name)),
    });
  });
  return menu("index", "stack", plain(chosen.join(", ")) || t("which_index"), chosen.length > 1, options);
}

export function datesMenu(asked: Place, change: Change): HTMLElement {
  const ago = (days: number): string => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
  const from = asked.after ? `${t("after")} ${day(asked.after)}` : "";
  const until = asked.before ? `${t("before")} ${day(asked.before)}` : "";
  const said = [from, until].filter(Boolean).join(" · ");
  const field = (name: "after" | "before"): HTMLElement =>
    h(
      "label",
      { class: "menu-field" },
      t(name),
      h("input", {
        type: "date",
        value: asked[name],
        "data-key": `date-${name}`,
        on: { change: (event: Event) => change({ [name]: (event.target as HTMLInputElement).value }) },
      }),
    );
  const quick = RANGES.map(([key, days]) => {
    const on = asked.after === ago(days) && !asked.before;
    return option({
      key: `date-${key}`,
      name: "calendar",
      label: t(key),
      on,
      act: () => change({ after: ago(days), before: "" }),
    });
  });
  const any = option({
    key: "date-any",
    name: "calendar",
    label: t("any_date"),
    on: !said,
    act: () => change({ after: "", before: "" }),
  });
  return menu("date", "calendar", said || t("date"), said !== "", any, quick, field("after"), field("before"));
}
