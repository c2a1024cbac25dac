// Rows of a spreadsheet as a table, and the sheets of its file as tabs. Knows how rows are written in a passage: `a | b | c`.
import { h } from "../dom";
import { plain } from "../places";
import type { Near, Passage } from "../server";
import type { Mark } from "../types";
import { styled } from "./styled";

const BETWEEN = " | ";

/** The rows of a passage; the first is a head where the sheet begins with it. `marks` are ranges in UTF-16 units. */
export function sheet(text: string, marks: Mark[], hasHead: boolean): HTMLElement {
  let from = 0;
  const rows = text.split("\n").map((line, at) => {
    const cells = line.split(BETWEEN).map((cell) => {
      const start = from;
      from += cell.length + BETWEEN.length;
      const isNumber = /^[-+]?[\d.,]+\s?[%€$£]?$/.test(cell.trim());
      const tag = hasHead && at === 0 ? "th" : "td";
      return h(tag, { class: isNumber ? "is-number" : "" }, styled(text, start, start + cell.length, [], marks));
    });
    from += 1 - BETWEEN.length; // a line ends with one sign
    const isHit = marks.some(([start]) => start < from && start >= from - line.length - 1);
    return h("tr", { class: isHit ? "has-mark" : "" }, cells);
  });
  return h("div", { class: "sheet-rows", tabindex: "0" }, h("table", {}, h("tbody", {}, rows)));
}

/** The sheets that are near in the file, in their order, as tabs; null where there is only one. */
export function sheetTabs(passage: Passage, openId: (id: string) => unknown): HTMLElement | null {
  const { before, after } = passage.neighbours;
  const tabs = new Map<string, string>(); // the name of a sheet, and its first passage
  const note = ({ id, locator }: Pick<Near, "id" | "locator">): void => {
    if (locator.sheet !== undefined && !tabs.has(locator.sheet)) tabs.set(locator.sheet, id);
  };
  for (const one of [...before, passage, ...after]) note(one);
  if (tabs.size < 2) return null;
  const tab = ([name, id]: [string, string]): HTMLElement =>
    h(
      "button",
      {
        type: "button",
        class: "sheet-tab",
        "aria-current": name === passage.locator.sheet ? "true" : null,
        on: { click: () => openId(id) },
      },
      plain(name),
    );
  return h("div", { class: "sheet-tabs" }, [...tabs].map(tab));
}
