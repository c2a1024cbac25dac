// What indexes hold, by kind and by folder, as counts for the filters before anything is asked. Knows the facts of indexes.
import { type Counts, type IndexFacts, KINDS } from "../types";

const NONE = Object.fromEntries(KINDS.map((kind) => [kind, 0]));

/** The sums of the counts of several indexes. */
export const heldBy = (indexes: IndexFacts[]): Counts => ({
  kinds: { ...NONE, ...sums(indexes, "kinds") },
  folders: sums(indexes, "folders"),
});

function sums(indexes: IndexFacts[], of: "kinds" | "folders"): Record<string, number> {
  const added: Record<string, number> = {};
  for (const one of indexes) {
    for (const [name, n] of Object.entries(one[of])) added[name] = (added[name] ?? 0) + (n ?? 0);
  }
  return added;
}
