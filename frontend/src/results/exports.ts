// Results as text to take away: Markdown with sources, JSON, CSV, judgements. Knows hits; knows no elements.
import { quiet } from "../citation";
import { nameOf, place } from "../places";
import type { Hit, Locator } from "../types";

const FORMULA = /^[=+\-@\t\r]/; // spreadsheets run what begins so
const COLUMNS = ["rank", "score", "kind", "name", "place", "path", "snippet", "id", "index"] as const;

/** A list of sources: the name, the place, the words, the path. */
export const markdown = (hits: Hit[]): string =>
  hits
    .map((hit, at) => {
      const where = place(hit.locator);
      const words = hit.snippet ? `\n   > ${quiet(hit.snippet)}\n` : "";
      return `${at + 1}. **${quiet(nameOf(hit.document))}**${where ? `, ${quiet(where)}` : ""}\n${words}\n   ${quiet(hit.file)}\n`;
    })
    .join("\n");

/** The hits as the API writes them, with the words that they were found by. */
export const json = (words: string, hits: Hit[]): string => `${JSON.stringify({ query: words, hits }, null, 2)}\n`;

/** A table for spreadsheets, with a mark of its encoding; nothing in it is taken for a formula. */
export function csv(hits: Hit[]): string {
  const row = (hit: Hit): string[] => [
    String(hit.rank),
    hit.score.toFixed(4),
    hit.kind,
    nameOf(hit.document),
    place(hit.locator),
    hit.file,
    hit.snippet,
    hit.id,
    hit.index,
  ];
  const cell = (text: string): string => `"${text.replace(FORMULA, "'$&").replace(/"/g, '""')}"`;
  return `\ufeff${[[...COLUMNS], ...hits.map(row)].map((cells) => cells.map(cell).join(",")).join("\r\n")}\r\n`;
}

/** One thumb up (1) or down (0), as `rag eval` reads it. */
export interface Judgement {
  query: string;
  document: string;
  locator: Locator;
  grade: 0 | 1;
}

/** What a thumb says of a hit: of the best place in it, since the place that covers several is none. */
export function judgement(query: string, hit: Hit, grade: 0 | 1): Judgement {
  const best = hit.members.reduce<{ locator: Locator; score: number } | null>(
    (found, one) => (found && found.score >= one.score ? found : one),
    null,
  );
  return { query, document: hit.document, locator: best?.locator ?? hit.locator, grade };
}

/** One judgement a line. */
export const lines = (judged: Judgement[]): string => judged.map((one) => `${JSON.stringify(one)}\n`).join("");
