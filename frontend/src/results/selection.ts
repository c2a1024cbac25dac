// Several results chosen at once, and what can be done with them. Knows hits and their exports; searches nothing.
import { round } from "../controls";
import { fill, h } from "../dom";
import { count } from "../places";
import type { Hit } from "../types";
import { t } from "../words";
import { csv, json, judgement, lines, markdown } from "./exports";
import { judge, judged } from "./judged";

export interface Selection {
  /** The bar, empty while nothing is selected. */
  element: HTMLElement;
  has(id: string): boolean;
  set(hit: Hit, on: boolean): void;
  clear(): void;
}

/** An empty selection. `asked` says which words the results answer, "" for a picture; `cleared` is called when a person clears it. */
export function selectionOf(asked: () => string, cleared: () => void): Selection {
  const chosen = new Map<string, Hit>();
  const words = h("strong", { role: "status" });
  const told = h("span", { class: "dim", role: "status" });
  const saving = h("span", {});
  const element = h("div", { class: "picked", role: "region", "aria-label": t("selection"), hidden: true });
  const hits = (): Hit[] => [...chosen.values()].sort((a, b) => a.rank - b.rank);

  const action = (label: string, act: () => unknown): HTMLElement =>
    h("button", { type: "button", class: "plain", on: { click: act } }, label);
  const thumbs = [round("good", "judge_up", () => grade(1)), round("bad", "judge_down", () => grade(0))];
  fill(
    element,
    words,
    action(t("copy_markdown"), copy),
    action("JSON", () => save("results.json", "application/json", json(asked(), hits()))),
    action("CSV", () => save("results.csv", "text/csv", csv(hits()))),
    ...thumbs,
    told,
    saving,
    round("close", "clear_selection", () => {
      clear();
      cleared();
    }),
  );

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(markdown(hits()));
      told.textContent = t("copied");
    } catch {
      save("results.md", "text/markdown", markdown(hits())); // without https, browsers give no clipboard
    }
  }
  function grade(of: 0 | 1): void {
    const all = hits();
    const isKept = judge(all.map((hit) => judgement(asked(), hit, of)));
    told.textContent = isKept ? t("judged", { n: all.length }) : t("judge_full");
    showSaving();
  }
  function showSaving(): void {
    const all = judged();
    const name = t("judgements", { n: count(all.length) });
    fill(
      saving,
      all.length ? action(name, () => save("judgements.jsonl", "application/jsonl", lines(judged()))) : null,
    );
  }
  function show(): void {
    element.hidden = !chosen.size;
    element.parentElement?.classList.toggle("is-picking", chosen.size > 0);
    words.textContent = t("selected", { n: count(chosen.size) });
    told.textContent = "";
    for (const thumb of thumbs) {
      thumb.disabled = !asked();
      if (!asked()) thumb.title = t("judge_words");
    }
    showSaving();
  }
  function clear(): void {
    chosen.clear();
    show();
  }
  return {
    element,
    has: (id) => chosen.has(id),
    set(hit, on) {
      if (on) chosen.set(hit.id, hit);
      else chosen.delete(hit.id);
      show();
    },
    clear,
  };
}

/** Saves a text as a file of the browser's. */
function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
