// An order of hits held still. Knows hits; knows no elements.
import type { Hit, Listed } from "../types";

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
