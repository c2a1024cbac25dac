// The order of hits: as found, by name, by date; and an order held still. Knows hits; knows no elements.
import { nameOf } from "../places";
import type { Hit, Listed } from "../types";

/** The hits in the order asked for: "" as ranked, "name", or "new" first. */
export function ordered(hits: Hit[], sort: string): Hit[] {
  const byRank = (a: Hit, b: Hit): number => a.rank - b.rank;
  const byName = (a: Hit, b: Hit): number =>
    nameOf(a.document).localeCompare(nameOf(b.document), undefined, { numeric: true });
  if (sort === "name") return [...hits].sort((a, b) => byName(a, b) || byRank(a, b));
  if (sort === "new") return [...hits].sort((a, b) => (b.dated ?? 0) - (a.dated ?? 0) || byRank(a, b));
  return hits;
}

/** The hits of the later answer in the order on the page, so that previous and next stay where they were. */
export function inPlace(shown: Hit[], found: Hit[]): Hit[] {
  const later = new Map(found.map((hit) => [hit.id, hit]));
  return shown.map((hit) => later.get(hit.id) ?? hit);
}

/** Whether the hits stand in the same order. */
export const sameOrder = (one: Hit[], other: Hit[]): boolean =>
  one.length === other.length && one.every((hit, at) => hit.id === other[at]?.id);

/** What the viewer needs of a hit. */
export function listed(hit: Hit): Listed {
  const { snippet: _snippet, marks: _marks, context: _context, thumbnail: _thumbnail, ...kept } = hit;
  return kept;
}
