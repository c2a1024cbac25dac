// A text in its context: numbered lines with the matches marked. Knows the JSON of a passage.
import { h, marked } from "../dom";
import { type IconName, icon } from "../icons";
import { place } from "../places";
import type { Near, Passage } from "../server";
import type { Locator, Mark } from "../types";
import { t, type Word } from "../words";

interface Part {
  text: string;
  locator: Locator;
  marks?: Mark[];
}

/** The text of a passage between its neighbours, with buttons to those further away. */
export function reader(passage: Passage, openId: (id: string) => unknown): HTMLElement {
  const near = (part: Near | undefined, key: Word, name: IconName): HTMLElement | null =>
    part
      ? h(
          "button",
          { type: "button", class: "reader-near", on: { click: () => openId(part.id) } },
          icon(name),
          `${t(key)} · ${place(part.locator)}`,
        )
      : null;
  const { title, heading } = passage.context;
  const context = heading && title && heading.startsWith(title) ? [heading] : [title, heading].filter(Boolean);
  const { before, after } = passage.neighbours;
  return h(
    "div",
    { class: "reader", tabindex: "0", role: "group", "aria-label": t("text") },
    h(
      "div",
      { class: "reader-page" },
      near(before[0], "previous_part", "left"),
      context.length ? h("p", { class: "reader-context" }, context.join(" › ")) : null,
      before.map(beside),
      h("div", { class: "reader-lines reader-own" }, rows(passage)),
      after.map(beside),
      near(after.at(-1), "next_part", "right"),
    ),
  );
}

/** A neighbour, paler and without marks. */
function beside({ text, locator }: Near): HTMLElement | null {
  return text ? h("div", { class: "reader-lines reader-beside" }, rows({ text, locator })) : null;
}

/** Lines as rows; numbered if the lines of the text are those of the file. */
function rows({ text, locator, marks = [] }: Part): HTMLElement[] {
  const lines = text.split("\n");
  const { line_start: first, line_end: last } = locator;
  const isNumbered = first !== undefined && last !== undefined && last - first + 1 === lines.length;
  let offset = 0; // in code points
  return lines.map((line, at) => {
    const length = Array.from(line).length;
    const inside = marks
      .filter(([from, to]) => from >= offset && to <= offset + length)
      .map(([from, to]): Mark => [from - offset, to - offset]);
    offset += length + 1;
    return h(
      "div",
      { class: inside.length ? "reader-row has-mark" : "reader-row" },
      isNumbered ? h("span", { class: "reader-number", "aria-hidden": "true" }, String(first + at)) : null,
      h("span", { class: "reader-line" }, marked(line, inside)),
    );
  });
}
