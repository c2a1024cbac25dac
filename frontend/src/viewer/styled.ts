// A stretch of text with styles and matches on it, as elements. Knows ranges; knows no format.
import { h } from "../dom";
import type { Mark } from "../types";

/** A range [from, to) in UTF-16 units with the class of its look. */
export interface Span {
  from: number;
  to: number;
  look: string;
}

/** Ranges of code points, as the server counts, in UTF-16 units, as strings here are counted. */
export function inUnits(text: string, marks: Mark[]): Mark[] {
  if (!marks.length) return [];
  const starts: number[] = [];
  let at = 0;
  for (const point of text) {
    starts.push(at);
    at += point.length;
  }
  starts.push(at);
  const unit = (point: number): number => starts[Math.min(point, starts.length - 1)] ?? at;
  return marks.map(([from, to]): Mark => [unit(from), unit(to)]);
}

/** The part [from, to) of a text: styled as the spans say, which are in order and apart, with the marks in them. */
export function styled(text: string, from: number, to: number, spans: Span[], marks: Mark[]): (string | HTMLElement)[] {
  const made: (string | HTMLElement)[] = [];
  let at = from;
  for (const span of spans) {
    const [start, end] = [Math.max(span.from, from), Math.min(span.to, to)];
    if (end <= start) continue;
    made.push(...withMarks(text, at, start, marks));
    made.push(h("span", { class: span.look }, withMarks(text, start, end, marks)));
    at = end;
  }
  made.push(...withMarks(text, at, to, marks));
  return made;
}

function withMarks(text: string, from: number, to: number, marks: Mark[]): (string | HTMLElement)[] {
  const made: (string | HTMLElement)[] = [];
  let at = from;
  for (const mark of [...marks].sort((a, b) => a[0] - b[0])) {
    const [start, end] = [Math.max(mark[0], at), Math.min(mark[1], to)];
    if (end <= start) continue;
    if (start > at) made.push(text.slice(at, start));
    const last = made.at(-1);
    if (start === at && last instanceof HTMLElement && last.tagName === "MARK") last.append(text.slice(start, end));
    else made.push(h("mark", { text: text.slice(start, end) }));
    at = end;
  }
  if (at < to) made.push(text.slice(at, to));
  return made;
}
