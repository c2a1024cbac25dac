// Questions and their answers, as the page keeps them. Knows the JSON of an answer; knows no elements and no server.
import type { Failure, Folded, Kind, Listed, Locator, Member, Stage } from "../types";

/** A numbered source: what the model was given of a hit, and what a card and the viewer need of it. */
export interface Source {
  number: number;
  rank: number;
  id: string;
  index: string;
  root: string;
  document: string;
  path: string;
  kind: Kind;
  modality: string;
  locator: Locator;
  snippet: string;
  score: number;
  rerank_score: number | null;
  lanes: Record<string, Stage>;
  members: Member[];
  folded: (Omit<Folded, "file"> & { path: string })[];
  context: { title?: string | null; heading?: string | null };
  cited?: boolean;
  quote?: string;
}

export interface Claim {
  text: string;
  sources: number[];
  verified: boolean;
}

/** The checked answer: the last event of POST /v1/ask. */
export interface Whole {
  answer: string;
  claims: Claim[];
  sources: Source[];
  enough: boolean;
  model: string;
  notes: string[];
}

/** looking: for evidence; writing; done; stopped by the person; failed; evidence: there is no chat model. */
export type State = "looking" | "writing" | "done" | "stopped" | "failed" | "evidence";

export interface Turn {
  number: number; // in the conversation, from 1
  question: string;
  text: string; // of the answer, so far
  state: State;
  sources: Source[];
  claims: Claim[];
  enough: boolean;
  notes: string[];
  failure: Failure | null;
}

const KEPT = "rag.chat";
const MOST_KEPT = 20; // turns
const MOST_TOLD = 50; // turns; the server's limit
const LONGEST_TOLD = 20_000; // characters of an earlier answer

/** A question that was just asked. */
export const begun = (number: number, question: string): Turn => ({
  number,
  question,
  text: "",
  state: "looking",
  sources: [],
  claims: [],
  enough: true,
  notes: [],
  failure: null,
});

export const isRunning = (turn: Turn | undefined): boolean => turn?.state === "looking" || turn?.state === "writing";

/** The `history` of POST /v1/ask: earlier turns that have an answer. */
export const history = (turns: Turn[]): { question: string; answer: string }[] =>
  turns
    .filter((turn) => turn.text.trim() && !isRunning(turn))
    .slice(-MOST_TOLD)
    .map(({ question, text }) => ({ question, answer: text.slice(0, LONGEST_TOLD) }));

/** Keeps a conversation for this tab of the browser. */
export function keep(turns: Turn[]): void {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify(turns.slice(-MOST_KEPT)));
  } catch {
    sessionStorage.removeItem(KEPT); // no room: a reload begins anew
  }
}

/** The conversation kept before; what was running then was cut off. */
export function kept(): Turn[] {
  try {
    const turns: Turn[] = JSON.parse(sessionStorage.getItem(KEPT) ?? "[]");
    return turns.map((turn) => (isRunning(turn) ? { ...turn, state: "stopped" } : turn));
  } catch {
    return [];
  }
}

/** What the viewer needs of a source. The `path` becomes the `file`: Gradio takes a dict with a `path` for a file of its own. */
export function listed(source: Source): Listed {
  const { path, folded, number, snippet, context, cited, quote, ...hit } = source;
  return { ...hit, file: path, folded: folded.map(({ path: own, ...one }) => ({ ...one, file: own })) };
}
