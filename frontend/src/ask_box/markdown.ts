// An answer as Markdown for the chat, in which nothing but what is made here is markup. Knows Markdown; knows no elements.
// The model's own words are escaped: no HTML, no pictures, no links, so that a hostile file cannot bring any into the page.
import type { Claim } from "./turns";

// Places of our own in the text, removed from what the model wrote.
const [FROM, TO] = ["\ue000", "\ue001"];
const OURS = /[\ue000\ue001]/g;
const HIDING = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;
const ESCAPED = /[\\`*_{}[\]()#+\-.!|~$:@^="'/]/g;
const LINK = /!?\[([^[\]\n]*)\]\([^()\s]*\)/g; // the answer has its words alone
const CITED = /\s*\[\d{1,3}\]/g;

/** Words as Markdown that shows exactly them. */
export const escaped = (text: string): string =>
  text
    .replace(/\n/g, " ")
    .replace(HIDING, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(ESCAPED, "\\$&");

/** Words of several lines. */
export const lines = (text: string): string => text.split("\n").map(escaped).join("\n");

/** An answer: lists, headings and bold words as such, `[2]` as a link by `link`, sentences that nothing bears out marked. */
export function answer(text: string, claims: Claim[], numbers: number[], link: Link, notVerified: string): string {
  const marked = withPlaces(text.replace(OURS, ""), claims);
  return marked
    .split("\n")
    .map((line) => lineOf(line, numbers, link))
    .join("\n")
    .replaceAll(FROM, "<mark>")
    .replaceAll(TO, `</mark> <small>${escaped(notVerified)}</small>`);
}

export type Link = (number: number) => string;

function lineOf(line: string, numbers: number[], link: Link): string {
  const [, mark = "", item, rest = ""] = /^\s*(\ue000?)\s*(?:([-*•]|\d{1,3}[.)])\s+)?(.*)$/.exec(line) ?? [];
  const prefix = item ? (/\d/.test(item) ? `${Number.parseInt(item, 10)}. ` : "- ") : "";
  const heading = prefix ? null : /^#{1,6}\s+(.+)$/.exec(rest);
  const inside = mark + inline(heading?.[1] ?? rest, numbers, link);
  return heading ? `**${inside.replaceAll("**", "")}**` : prefix + inside;
}

/** Bold words and citations; everything else as it is. */
function inline(text: string, numbers: number[], link: Link): string {
  return text
    .split(/(\*\*[^*\n]+\*\*|\[\d{1,3}\]|[\ue000\ue001])/)
    .map((part, at) => {
      if (at % 2 === 0) return escaped(part);
      if (part === FROM || part === TO) return part;
      if (part.startsWith("**")) return bold(part.slice(2, -2));
      const number = Number(part.slice(1, -1));
      return numbers.includes(number) ? `[\\[${number}\\]](#${link(number)})` : escaped(part);
    })
    .join("");
}

function bold(words: string): string {
  const inner = words.replace(OURS, "").trim();
  const made = inner ? `**${escaped(inner)}**` : "";
  return (words.includes(FROM) ? FROM : "") + made + (words.includes(TO) ? TO : "");
}

/** The text with marks around the sentences that nothing bears out, as far as they are found in it. */
function withPlaces(text: string, claims: Claim[]): string {
  let made = "";
  let at = 0; // in the text
  for (const { text: said, verified } of claims) {
    const found = find(text, said, at);
    if (!found) continue;
    const [start, end] = found;
    made += text.slice(at, start);
    made += verified ? text.slice(start, end) : FROM + text.slice(start, end) + TO;
    at = end;
  }
  return made + text.slice(at);
}

/** Where a sentence stands from `from` on, citations and spaces apart. */
function find(text: string, said: string, from: number): [number, number] | null {
  const places: number[] = [];
  let bare = "";
  const cited = new Set<number>();
  for (const one of text.slice(from).matchAll(CITED)) {
    for (let at = 0; at < one[0].length; at += 1) cited.add(from + one.index + at);
  }
  for (let at = from; at < text.length; at += 1) {
    if (cited.has(at) || /\s/.test(text.charAt(at))) continue;
    bare += text.charAt(at);
    places.push(at);
  }
  const wanted = said.replace(LINK, "$1").replace(/\s/g, "");
  const start = wanted ? bare.indexOf(wanted) : -1;
  if (start < 0) return null;
  return [places[start] as number, (places[start + wanted.length - 1] as number) + 1];
}
