// What the server says, in the language of the page: its notes, reasons and errors are English. Knows a catalogue and its address.
import { language } from "./words";

type Catalogue = Record<string, string>; // English with a {} for each gap, to Chinese with {1}, {2}, … for them

let translate = (text: string): string => text;

/** The same in the language of the page, if the catalogue is here and has it, else as it is. */
export const said = (text: string): string => translate(text);

/** Calls `drawn` when the catalogue has come: what was shown before is to be drawn anew. */
export function whenSaid(drawn: () => void): void {
  if (language() === "zh") void coming().then((came) => came && drawn());
}

let arrival: Promise<boolean> | null = null;

/** The catalogue is no part of the scripts: only Chinese pages need it, and one file is enough for all components. */
function coming(): Promise<boolean> {
  arrival ??= fetch("/page/messages-zh.json", { credentials: "same-origin" })
    .then(async (answer) => {
      if (answer.ok) translate = translator((await answer.json()) as Catalogue);
      return answer.ok;
    })
    .catch(() => false);
  return arrival;
}

/** Translates by a catalogue. The message with the most words of its own is taken: others may fit with larger gaps. */
export function translator(catalogue: Catalogue): (text: string) => string {
  const own = (english: string): number => english.replaceAll("{}", "").length;
  const messages = Object.entries(catalogue)
    .sort(([one], [other]) => own(other) - own(one))
    .map(([english, words]) => ({ pattern: patternOf(english), words }));
  return function translated(text: string): string {
    for (const { pattern, words } of messages) {
      const found = pattern.exec(text);
      if (found) return words.replace(/\{(\d)\}/g, (_, at) => translated(found[Number(at)] ?? ""));
    }
    return text;
  };
}

const patternOf = (english: string): RegExp =>
  new RegExp(
    `^${english
      .split("{}")
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
      .join("(.+?)")}$`,
    "s",
  );
