// Formats places, times, sizes and counts for people. Knows the JSON of a locator; knows no elements.
import type { Locator } from "./types";
import { language, t } from "./words";

/** `02:15`, or `1:02:15` from one hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${two(minutes)}:${two(rest)}`;
}

/** `p. 12`, `02:15–02:45`, `lines 40–58`, or "" for a whole document; in a file inside it, `papers.zip › report.pdf p. 12`. */
export function place(locator: Locator): string {
  return [inside(locator), within(locator)].filter(Boolean).join(" ");
}

/** The path of a file inside a document: `papers.zip › report.pdf`; "" for the document itself. */
export const inside = (locator: Locator): string => (locator.inner ? plain(locator.inner).split("/").join(" › ") : "");

/** The place in the file itself, whatever it lies in. */
export function within(locator: Locator): string {
  if (locator.page !== undefined) return t("place_page", { n: locator.page });
  if (locator.slide !== undefined) return t("place_slide", { n: locator.slide });
  if (locator.sheet !== undefined) return t("place_sheet", { n: locator.sheet });
  if (locator.start !== undefined) {
    const [from, to] = [clock(locator.start), clock(locator.end ?? locator.start)];
    return from === to ? from : `${from}–${to}`;
  }
  if (locator.line_start !== undefined) {
    const [a, b] = [locator.line_start, locator.line_end ?? locator.line_start];
    return t(a === b ? "place_line" : "place_lines", { a, b });
  }
  return "";
}

const HIDING = /[\p{Cc}\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

/** A name or path to show: characters that would reverse or hide its letters (`gpj.exe` backwards) become a visible sign. */
export const plain = (name: string): string => name.replace(HIDING, "\ufffd");

/** The last part of a document's path, to show. */
export const nameOf = (document: string): string => plain(document.split("/").at(-1) ?? "");

/** The folders of a document below its root, "" at the top. */
export const folderOf = (document: string): string => plain(document.split("/").slice(0, -1).join("/"));

export const count = (n: number): string => new Intl.NumberFormat(language() === "zh" ? "zh-CN" : "en").format(n);

export function bytes(n: number): string {
  const step = Math.min(4, Math.floor(Math.log2(Math.max(n, 1)) / 10));
  const shown = n / 1024 ** step;
  return `${shown.toFixed(step && shown < 10 ? 1 : 0)} ${["B", "KiB", "MiB", "GiB", "TiB"][step]}`;
}

/** A duration in its largest unit. */
export function span(seconds: number): string {
  if (seconds < 90) return t("seconds", { n: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t("minutes", { n: Math.round(seconds / 60) });
  return t("hours", { n: (seconds / 3600).toFixed(1) });
}

/** A day in the reader's own format; takes seconds since the epoch or an ISO date. */
export function day(moment: number | string): string {
  const date = new Date(typeof moment === "number" ? moment * 1000 : moment);
  if (Number.isNaN(date.getTime())) return "";
  return new Intl.DateTimeFormat(language() === "zh" ? "zh-CN" : undefined, { dateStyle: "medium" }).format(date);
}
