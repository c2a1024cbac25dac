// A conversation as the messages of `gr.Chatbot`. Knows turns and Markdown; knows no elements.
import { said } from "../said";
import { t } from "../words";
import { answer, escaped, lines } from "./markdown";
import type { Turn } from "./turns";

export interface Message {
  role: "user" | "assistant";
  content: string;
}

const NOT_TOLD = "The files do not tell."; // as the server says it

/** The name of a source in links: of which turn, and its number there. */
export const nameOf = (turn: number, number: number): string => `rag-source-${turn}-${number}`;

/** Turn and number of such a name, or null. */
export function named(link: string): { turn: number; number: number } | null {
  const found = /^#rag-source-(\d+)-(\d+)$/.exec(link);
  return found ? { turn: Number(found[1]), number: Number(found[2]) } : null;
}

/** Each question and what was answered so far. */
export const messages = (turns: Turn[]): Message[] =>
  turns.flatMap((turn): Message[] => [
    { role: "user", content: lines(turn.question) },
    { role: "assistant", content: told(turn) },
  ]);

function told(turn: Turn): string {
  const parts = [spoken(turn), ...ofItself(turn), ...turn.notes.map((note) => `<small>${escaped(said(note))}</small>`)];
  return parts.filter(Boolean).join("\n\n");
}

function spoken(turn: Turn): string {
  const refused = turn.text.startsWith(NOT_TOLD);
  const rest = refused ? turn.text.slice(NOT_TOLD.length).trim() : turn.text;
  const numbers = turn.sources.map((source) => source.number);
  const claims = turn.state === "done" ? turn.claims : [];
  const words = answer(rest, claims, numbers, (number) => nameOf(turn.number, number), t("ask_not_verified"));
  return refused ? `**${escaped(t("ask_not_told"))}** ${words}`.trim() : words;
}

/** What the page itself says of the answer. */
function ofItself({ state, text, sources, enough, failure }: Turn): string[] {
  if (state === "looking") return [`_${escaped(t("ask_looking"))}_`];
  if (state === "writing") return text ? [] : [`_${escaped(t("ask_reading", { n: sources.length }))}_`];
  if (state === "stopped") return [`_${escaped(t("ask_stopped"))}_`];
  if (state === "failed") return [`**${escaped(said(failure?.what ?? ""))}**`, escaped(said(failure?.remedy ?? ""))];
  if (state === "evidence") {
    const found = t(sources.length ? "ask_evidence" : "ask_no_evidence", { n: sources.length });
    return [`**${escaped(t("ask_no_model"))}**`, settings(), escaped(found)];
  }
  const isUncited = !enough && !text.startsWith(NOT_TOLD);
  return isUncited ? [`<mark>${escaped(t("ask_uncited"))}</mark>`] : [];
}

/** What to do for an answer: a command, or settings. */
function settings(): string {
  const rows = ["answer_url", "answer_model", "answer_key"] as const;
  const listed = rows.map((name) => `- \`${name}\`: ${escaped(t(`ask_${name}`))}`);
  return [escaped(t("ask_start")), "", "- `rag serve answerer`", ...listed].join("\n");
}
