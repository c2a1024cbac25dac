// What the server says, in the language of the page: its notes, reasons and errors are English. Knows a catalogue; asks nobody.
import chinese from "./messages/zh.json";
import { language } from "./words";

interface Message {
  pattern: RegExp;
  words: string; // with {1}, {2}, … for what stands at each {} of the English message
}

let messages: Message[] | null = null;

/** The same in Chinese if that is the language of the page and the catalogue has it, else as it is. */
export function said(text: string): string {
  if (language() !== "zh" || !text) return text;
  messages ??= catalogue();
  for (const { pattern, words } of messages) {
    const found = pattern.exec(text);
    if (found) return words.replace(/\{(\d)\}/g, (_, at) => said(found[Number(at)] ?? ""));
  }
  return text;
}

/** The messages, those with the most words of their own first: others may fit the same text with larger gaps. */
function catalogue(): Message[] {
  const own = (english: string): number => english.replaceAll("{}", "").length;
  return Object.entries(chinese)
    .sort(([one], [other]) => own(other) - own(one))
    .map(([english, words]) => ({ pattern: patternOf(english), words }));
}

const patternOf = (english: string): RegExp =>
  new RegExp(
    `^${english
      .split("{}")
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("(.+?)")}$`,
    "s",
  );
