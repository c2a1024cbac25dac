// A text in its context, by its format: Markdown, a sheet, code, or lines; with the matches marked. Knows the JSON of a passage.
import { h } from "../dom";
import { type IconName, icon } from "../icons";
import { place } from "../places";
import type { Near, Passage } from "../server";
import type { Locator, Mark } from "../types";
import { t, type Word } from "../words";
import { familyOf, tokens } from "./code";
import { markdown } from "./markdown";
import { sheet, sheetTabs } from "./sheet";
import { inUnits, styled } from "./styled";

export const SHEET_REACH = 20; // neighbours of a part of a spreadsheet: most have their other sheets among them

// What loaders write as Markdown, whatever the file is.
const MARKDOWN = /\.(md|markdown|mdx|html?|xhtml|docx|odt|epub|rtf)$/i;

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
      sheetTabs(passage, openId),
      context.length ? h("p", { class: "reader-context" }, context.join(" › ")) : null,
      before.filter((part) => isOfSheet(part, passage)).map((part) => beside(part, passage)),
      h("div", { class: "reader-lines reader-own" }, body(passage, passage)),
      after.filter((part) => isOfSheet(part, passage)).map((part) => beside(part, passage)),
      near(after.at(-1), "next_part", "right"),
    ),
  );
}

/** Whether a neighbour belongs beside: of a spreadsheet only the same sheet, the others are tabs. */
const isOfSheet = (part: Near, { locator }: Passage): boolean => part.locator.sheet === locator.sheet;

/** A neighbour, paler and without marks. */
function beside(part: Near, passage: Passage): HTMLElement | null {
  return part.text ? h("div", { class: "reader-lines reader-beside" }, body(part, passage)) : null;
}

/** The text by the format of the document. */
function body(part: Part, passage: Passage): HTMLElement[] {
  const { text, locator, marks = [] } = part;
  const units = inUnits(text, marks);
  const name = locator.inner ?? passage.document;
  if (locator.sheet !== undefined) return [sheet(text, units, isHead(part, passage))];
  if (MARKDOWN.test(name)) return [h("div", { class: "md" }, markdown(text, units))];
  return rows({ text, locator, marks: units }, familyOf(name));
}

/** Whether a sheet begins with this part of it, as far as its neighbours are known. */
function isHead(part: Part, passage: Passage): boolean {
  const { before, after } = passage.neighbours;
  const first = [...before, passage, ...after].find((one) => one.locator.sheet === part.locator.sheet);
  return first === part && !(first === before[0] && before.length >= SHEET_REACH);
}

/** Lines as rows; numbered if the lines of the text are those of the file. `marks` are ranges in UTF-16 units. */
function rows({ text, locator, marks = [] }: Part, family: string): HTMLElement[] {
  const lines = text.split("\n");
  const { line_start: first, line_end: last } = locator;
  const isNumbered = first !== undefined && last !== undefined && last - first + 1 === lines.length;
  const spans = tokens(text, family);
  let from = 0;
  return lines.map((line, at) => {
    const to = from + line.length;
    const isHit = marks.some(([start, end]) => start >= from && end <= to);
    const inside = styled(text, from, to, spans, marks);
    from = to + 1;
    return h(
      "div",
      { class: isHit ? "reader-row has-mark" : "reader-row" },
      isNumbered ? h("span", { class: "reader-number", "aria-hidden": "true" }, String(first + at)) : null,
      h("span", { class: family ? "reader-line is-code" : "reader-line" }, inside),
    );
  });
}
