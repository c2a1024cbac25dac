// The judgements that this browser keeps until they are saved as a file. Knows its storage; knows no elements.
import type { Judgement } from "./exports";

const KEPT = "rag.judged";

/** All judgements, oldest first. */
export function judged(): Judgement[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? (found as Judgement[]) : [];
  } catch {
    return [];
  }
}

/** Keeps judgements; a later one takes the place of an earlier one of the same place. False where the storage is full. */
export function judge(fresh: Judgement[]): boolean {
  const key = ({ query, document, locator }: Judgement): string => JSON.stringify([query, document, locator]);
  const all = new Map(judged().map((one) => [key(one), one]));
  for (const one of fresh) all.set(key(one), one);
  try {
    localStorage.setItem(KEPT, JSON.stringify([...all.values()]));
    return true;
  } catch {
    return false;
  }
}
