// Markdown as elements: headings, lists, tables, code, emphasis. Its HTML, links and pictures are not made: a stranger wrote it.
// Knows Markdown; knows no passage.
import { h } from "../dom";
import type { Mark } from "../types";
import { familyOf, tokens } from "./code";
import { type Span, styled } from "./styled";

interface Line {
  from: number;
  to: number;
  text: string;
}

const INLINE =
  /(`+)(.+?)\1|(\*\*|__)(?=\S)(.+?)\3|([*_])(?=\S)([^*_\n]+?)\5(?!\w)|!?\[([^\]\n]*)\]\((?:[^()\s]|\([^()\s]*\))*(?:\s"[^"\n]*")?\)|<\/?[a-zA-Z][^<>\n]*>/g;

/** A text in Markdown; `marks` are ranges in UTF-16 units of it. */
export function markdown(text: string, marks: Mark[]): HTMLElement[] {
  const lines = linesOf(text);
  const made: HTMLElement[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] as Line;
    const fence = /^\s*(```+|~~~+)\s*(\w*)/.exec(line.text);
    if (fence) {
      const end = closing(lines, at + 1, fence[1] ?? "```");
      made.push(block(text, lines.slice(at + 1, end), fence[2] ?? "", marks));
      at = end;
    } else if (isRow(line.text)) {
      let end = at;
      while (end < lines.length && isRow(lines[end]?.text ?? "")) end += 1;
      made.push(table(text, lines.slice(at, end), marks));
      at = end - 1;
    } else if (line.text.trim()) {
      const end = goesOn(lines, at);
      made.push(paragraph(text, { ...line, to: lines[end]?.to ?? line.to }, marks));
      at = end;
    }
  }
  return made;
}

/** The last line of what begins at a line: Markdown lets a paragraph and an item run over several. */
function goesOn(lines: Line[], at: number): number {
  if (/^\s*#/.test(lines[at]?.text ?? "")) return at;
  let end = at;
  while (isPlain(lines[end + 1]?.text ?? "")) end += 1;
  return end;
}

const isPlain = (line: string): boolean =>
  Boolean(line.trim()) && !/^\s*(#{1,6}\s|>|[-*+•]\s|\d{1,3}[.)]\s|```|~~~|([-*_]\s*){3,}$)/.test(line) && !isRow(line);

function linesOf(text: string): Line[] {
  let from = 0;
  return text.split("\n").map((line) => {
    const found = { from, to: from + line.length, text: line };
    from += line.length + 1;
    return found;
  });
}

function closing(lines: Line[], from: number, fence: string): number {
  const end = lines.findIndex((line, at) => at >= from && line.text.trim().startsWith(fence.slice(0, 3)));
  return end < 0 ? lines.length : end;
}

function block(text: string, lines: Line[], language: string, marks: Mark[]): HTMLElement {
  const [from, to] = [lines[0]?.from ?? 0, lines.at(-1)?.to ?? 0];
  const spans = tokens(text.slice(from, to), familyOf(`x.${LONG[language] ?? language}`));
  const moved = spans.map((span) => ({ ...span, from: span.from + from, to: span.to + from }));
  return h("pre", { class: "md-code", tabindex: "0" }, h("code", {}, styled(text, from, to, moved, marks)));
}

const LONG: Record<string, string> = { python: "py", javascript: "js", typescript: "ts", shell: "sh", rust: "rs" };

const isRow = (line: string): boolean => /^\s*\|.*\|\s*$/.test(line);

function table(text: string, lines: Line[], marks: Mark[]): HTMLElement {
  const isRule = (line: Line | undefined): boolean => /^[\s|:-]+$/.test(line?.text ?? "");
  const hasHead = isRule(lines[1]);
  const rows = lines.filter((line) => !isRule(line));
  const cells = (line: Line, tag: "td" | "th"): HTMLElement[] => {
    let from = line.from + line.text.indexOf("|") + 1;
    return line.text
      .trim()
      .slice(1, -1)
      .split("|")
      .map((cell) => {
        const start = from;
        from += cell.length + 1;
        return h(tag, {}, inline(text, start, start + cell.length, marks));
      });
  };
  const made = rows.map((line, at) => h("tr", {}, cells(line, hasHead && at === 0 ? "th" : "td")));
  return h("div", { class: "md-table", tabindex: "0" }, h("table", {}, h("tbody", {}, made)));
}

function paragraph(text: string, line: Line, marks: Mark[]): HTMLElement {
  const found = /^(\s*)(#{1,6}\s+|>\s?|[-*+•]\s+|\d{1,3}[.)]\s+)?/.exec(line.text);
  const [lead, indent, sign] = [found?.[0] ?? "", found?.[1] ?? "", found?.[2] ?? ""];
  const inside = inline(text, line.from + lead.length, line.to, marks);
  const level = sign.startsWith("#") ? sign.trim().length : 0;
  if (level) {
    return h(
      "p",
      { class: `md-heading md-${level}`, role: "heading", "aria-level": String(Math.min(6, level + 2)) },
      inside,
    );
  }
  if (/^(\s*[-*_]){3,}\s*$/.test(line.text)) return h("hr", {});
  if (sign.startsWith(">")) return h("blockquote", {}, inside);
  if (!sign) return h("p", {}, inside);
  const style = { "padding-left": `${1.6 + Math.floor(indent.length / 2) * 1.4}em` };
  const bullet = /\d/.test(sign) ? sign.trim() : "•";
  return h("p", { class: "md-item", style }, h("span", { class: "md-bullet", "aria-hidden": "true" }, bullet), inside);
}

/** Words with their emphasis; of a link the words, of HTML nothing. */
function inline(text: string, from: number, to: number, marks: Mark[]): (string | HTMLElement)[] {
  const made: (string | HTMLElement)[] = [];
  const line = text.slice(from, to).replace(/\n/g, " ");
  let at = 0;
  const plain = (until: number): void => {
    if (until > at) made.push(...styled(text, from + at, from + until, [], marks));
  };
  for (const match of line.matchAll(INLINE)) {
    plain(match.index);
    at = match.index + match[0].length;
    const [inner, look] = looked(match);
    if (inner === undefined) continue;
    const start = from + match.index + match[0].indexOf(inner);
    const span: Span[] = look ? [{ from: start, to: start + inner.length, look }] : [];
    made.push(...styled(text, start, start + inner.length, span, marks));
  }
  plain(line.length);
  return made;
}

function looked(match: RegExpExecArray): [string | undefined, string] {
  if (match[2] !== undefined) return [match[2], "md-mono"];
  if (match[4] !== undefined) return [match[4], "md-strong"];
  if (match[6] !== undefined) return [match[6], "md-em"];
  return [match[7], match[7] ? "md-link" : ""];
}
