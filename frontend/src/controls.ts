// Small controls that several components draw: round buttons, notices of what went wrong. Knows elements; knows no search.
import { type Child, h } from "./dom";
import { type IconName, icon } from "./icons";
import { said, whenSaid } from "./said";
import { t, type Word } from "./words";

/** A round button with a drawing, labelled for screen readers and on hover. */
export function round(name: IconName, label: Word, act: () => unknown, more = ""): HTMLButtonElement {
  const words = t(label);
  return h(
    "button",
    { type: "button", class: `round ${more}`.trim(), "aria-label": words, title: words, on: { click: act } },
    icon(name),
  );
}

/** What went wrong and what to do next, in the language of the page, with buttons after it. */
export function notice(what: string, remedy: string, ...actions: Child[]): HTMLDivElement {
  const [strong, more] = [h("strong"), remedy ? h("p") : null];
  const say = (): void => {
    strong.textContent = said(what);
    if (more) more.textContent = said(remedy);
  };
  say();
  whenSaid(say);
  const words = h("div", {}, strong, more);
  return h("div", { class: "trouble", role: "alert" }, icon("warning"), words, ...actions);
}
