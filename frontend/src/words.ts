// All words of the page, in English and Chinese. Knows no elements; other modules call `t`.
import english from "./words/en.json";
import chinese from "./words/zh.json";

export type Word = keyof typeof english;
export type Language = "en" | "zh";
type Values = Record<string, string | number>;

const TABLES: Record<Language, Record<Word, string>> = { en: english, zh: chinese };
const CHOSEN = "rag.language";

/** The language chosen in this browser before, else the browser's own, else English. */
export function language(): Language {
  const wanted = localStorage.getItem(CHOSEN) || navigator.language || "en";
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

/** Remembers a language in this browser. */
export function speak(chosen: Language): void {
  localStorage.setItem(CHOSEN, chosen);
}

/** The words for a key, with `{name}` filled in and `{name|one|many}` in singular or plural: plain text, never markup. */
export function t(key: Word, values: Values = {}): string {
  return TABLES[language()][key].replace(
    /\{(\w+)(?:\|(\w+)\|(\w+))?\}/g,
    (whole, name: string, one?: string, many?: string) => {
      const value = values[name];
      if (value === undefined) return whole;
      return one ? `${value} ${String(value) === "1" ? one : many}` : String(value);
    },
  );
}
