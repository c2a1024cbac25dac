// A place in a file as Markdown. Knows names and places; knows no elements.
import { nameOf, place, plain } from "./places";
import type { Locator } from "./types";

const MARKUP = /[\\`*_{}[\]()#+!|<>~$&]/g;

/** Words in which Markdown sees no markup, on one line. */
export const quiet = (text: string): string => plain(text.replace(/\s+/g, " ").trim()).replace(MARKUP, "\\$&");

/** `[report.pdf, p. 3](<file:///reports/report.pdf>)`: a link whose address no sign of the path can end. */
export function citation(document: string, locator: Locator, path: string): string {
  const where = place(locator);
  const address = `file://${path.split("/").map(encodeURIComponent).join("/")}`;
  return `[${quiet(nameOf(document))}${where ? `, ${quiet(where)}` : ""}](<${address}>)`;
}
