// A text in its context: numbered lines with the matches marked. Knows the JSON of a passage.
import { h, icon, marked } from "./dom.js";
import { place } from "./places.js";
import { t } from "./words.js";

/** The text of a passage between its neighbours, with buttons to those further away. */
export function reader(passage, openId) {
  const first = passage.locator.line_start || null;
  const near = (part, key, name) => part && h("button", { type: "button", class: "reader-near", on: { click: () => openId(part.id) } }, icon(name), `${t(key)} · ${place(part.locator)}`);
  const [title, heading] = [passage.context?.title, passage.context?.heading];
  const context = heading?.startsWith(title) ? [heading] : [title, heading].filter(Boolean);
  const { before = [], after = [] } = passage.neighbours || {};
  return h(
    "div",
    { class: "reader", tabindex: "0", role: "group", "aria-label": t("text") },
    h(
      "div",
      { class: "reader-page" },
      near(before[0], "previous_part", "left"),
      context.length > 0 && h("p", { class: "reader-context" }, context.join(" › ")),
      before.map(beside),
      h("div", { class: "reader-lines reader-own" }, rows(passage, first)),
      after.map(beside),
      near(after.at(-1), "next_part", "right"),
    ),
  );
}

/** A neighbour, paler and without marks. */
function beside(part) {
  if (!part?.text) return null;
  return h("div", { class: "reader-lines reader-beside" }, rows({ text: part.text, locator: part.locator }, part.locator.line_start ?? null));
}

/** Lines as rows; numbered if the lines of the text are those of the file. */
function rows(passage, first) {
  const lines = passage.text.split("\n");
  const last = passage.locator.line_end;
  const numbered = first !== null && last - first + 1 === lines.length;
  let offset = 0; // in code points
  return lines.map((line, at) => {
    const length = Array.from(line).length;
    const inside = (passage.marks || []).filter(([from, to]) => from >= offset && to <= offset + length).map(([from, to]) => [from - offset, to - offset]);
    offset += length + 1;
    return h("div", { class: inside.length ? "reader-row has-mark" : "reader-row" }, numbered && h("span", { class: "reader-number", "aria-hidden": "true" }, String(first + at)), h("span", { class: "reader-line" }, marked(line, inside)));
  });
}
