// Filters as chips with counts: kind, folder, date, index, order. Knows the query's fields; sends nothing.
import { fill, h, icon } from "./dom.js";
import { KINDS, count, day, plain } from "./places.js";
import { t } from "./words.js";

const FOLDERS = 40; // in the list; more are rarely read
const DAY = 86400000; // milliseconds

/** The row of chips; calls `change` with the fields that a person changed. */
export function filterRow(change) {
  const element = h("div", { class: "filters", role: "group", "aria-label": t("filters") });

  /** `counts` are those of the last answer, or of all indexes; `indexes` and `orders` are the choices. */
  function show(asked, counts, indexes, orders) {
    const focused = element.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    const opened = element.querySelector("details[open]")?.dataset.key;
    fill(
      element,
      KINDS.map((kind) => kindChip(kind, asked, counts.kinds || {}, change)),
      (counts.folders || asked.paths.length > 0) && folders(asked, counts.folders || {}, change),
      dates(asked, change),
      indexes.length > 1 && several(asked, indexes, change),
      orders.length > 0 && choice("sort", "sort", t("sort"), orders.map(([order, words]) => [order, t(words)]), asked.sort, (sort) => change({ sort })),
      filtered(asked) && h("button", { type: "button", class: "chip chip-clear", "data-key": "clear", on: { click: () => change({ kinds: [], paths: [], roots: [], after: "", before: "" }) } }, icon("close"), t("no_filters")),
    );
    if (opened) element.querySelector(`details[data-key="${opened}"]`)?.setAttribute("open", "");
    if (focused) element.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }
  document.addEventListener("pointerdown", (event) => {
    for (const open of element.querySelectorAll("details[open]")) if (!open.contains(event.target)) open.removeAttribute("open");
  });
  element.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && element.querySelector("details[open]");
    if (!open) return;
    event.stopPropagation();
    open.removeAttribute("open");
    open.querySelector("summary").focus();
  });
  return { element, show };
}

export const filtered = (asked) => Boolean(asked.kinds.length || asked.paths.length || asked.roots.length || asked.after || asked.before);

function kindChip(kind, asked, counts, change) {
  const on = asked.kinds.includes(kind);
  const kinds = on ? asked.kinds.filter((one) => one !== kind) : [...asked.kinds, kind];
  return h(
    "button",
    { type: "button", class: `chip chip-${kind}`, "aria-pressed": String(on), "data-key": `kind-${kind}`, disabled: !on && counts[kind] === 0 && !asked.kinds.length, on: { click: () => change({ kinds }) } },
    icon(kind),
    t(`kinds_${kind}`),
    counts[kind] !== undefined && h("span", { class: "chip-count" }, count(counts[kind])),
  );
}

function menu(key, name, label, on, ...inside) {
  return h("details", { class: "menu", "data-key": key }, h("summary", { class: `chip${on ? " chip-on" : ""}`, "data-key": `${key}-open` }, icon(name), h("span", {}, label), icon("down")), h("div", { class: "menu-list" }, ...inside));
}

function folders(asked, counts, change) {
  const names = Object.entries(counts).filter(([name]) => name).sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).slice(0, FOLDERS);
  const chosen = asked.paths.map(folderOfPattern);
  const option = (label, on, paths, found) =>
    h("button", { type: "button", class: "menu-option", "aria-pressed": String(on), "data-key": `folder-${label}`, on: { click: () => change({ paths }) } }, icon(on ? "check" : "folder"), h("span", {}, plain(label)), found !== undefined && h("span", { class: "chip-count" }, count(found)));
  const listed = names.map(([name, found]) => option(name, chosen.includes(name), chosen.includes(name) ? asked.paths.filter((path) => folderOfPattern(path) !== name) : [...asked.paths, patternOf(name)], found));
  const gone = chosen.filter((name) => !(name in counts)).map((name) => option(name, true, asked.paths.filter((path) => folderOfPattern(path) !== name)));
  return menu("folder", "folder", chosen.length ? plain(chosen.join(", ")) : t("folder"), chosen.length, option(t("any_folder"), !chosen.length, []), gone, listed);
}

/** A glob that matches a top folder of a root and nothing else: names may contain `*`, `?` or `[`. */
const patternOf = (name) => `/${name.replace(/[*?[]/g, "[$&]")}/**`;
const folderOfPattern = (pattern) => pattern.replace(/^\//, "").replace(/\/\*\*$/, "").replace(/\[([*?[])\]/g, "$1");

/** The indexes to search: the first if the address names none. */
export const chosenOf = (indexes, asked) => (asked.indexes.length ? indexes.filter((one) => asked.indexes.includes(one.name)) : indexes.slice(0, 1));

/** The menu of indexes, several of which are searched as one; the last chosen one stays chosen. */
function several(asked, indexes, change) {
  const chosen = chosenOf(indexes, asked).map((one) => one.name);
  const toggled = (name) => indexes.map((one) => one.name).filter((one) => (one === name) !== chosen.includes(one));
  const set = (names) => change({ indexes: names.length === 1 && names[0] === indexes[0].name ? [] : names, paths: [], roots: [], kinds: [] });
  const option = ({ name, documents }) => {
    const on = chosen.includes(name);
    return h("button", { type: "button", class: "menu-option", "aria-pressed": String(on), "data-key": `index-${name}`, disabled: on && chosen.length === 1, on: { click: () => set(toggled(name)) } }, icon(on ? "check" : "stack"), h("span", {}, plain(name)), h("span", { class: "chip-count" }, count(documents)));
  };
  return menu("index", "stack", plain(chosen.join(", ")) || t("which_index"), chosen.length > 1, indexes.map(option));
}

function dates(asked, change) {
  const ago = (days) => new Date(Date.now() - days * DAY).toISOString().slice(0, 10);
  const said = [asked.after && `${t("after")} ${day(asked.after)}`, asked.before && `${t("before")} ${day(asked.before)}`].filter(Boolean).join(" · ");
  const field = (name) =>
    h("label", { class: "menu-field" }, t(name), h("input", { type: "date", value: asked[name], "data-key": `date-${name}`, on: { change: (event) => change({ [name]: event.target.value }) } }));
  const quick = (key, days) => h("button", { type: "button", class: "menu-option", "data-key": `date-${key}`, "aria-pressed": String(asked.after === ago(days) && !asked.before), on: { click: () => change({ after: ago(days), before: "" }) } }, icon("calendar"), h("span", {}, t(key)));
  const any = h("button", { type: "button", class: "menu-option", "data-key": "date-any", "aria-pressed": String(!said), on: { click: () => change({ after: "", before: "" }) } }, icon(said ? "calendar" : "check"), h("span", {}, t("any_date")));
  return menu("date", "calendar", said || t("date"), said, any, quick("last_week", 7), quick("last_month", 30), quick("last_year", 365), field("after"), field("before"));
}

function choice(key, name, label, options, chosen, set) {
  const select = h("select", { "aria-label": label, "data-key": key, on: { change: (event) => set(event.target.value) } }, options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
  return h("label", { class: "chip chip-select" }, icon(name), select, icon("down"));
}
