// The bar on top: name, language, colours, and the list of keys. Its value is the tab that the address names.
// Knows the address and what this browser remembers; knows no search.
import * as address from "../address";
import { round } from "../controls";
import { fill, h } from "../dom";
import { component } from "../gradio";
import type { IconName } from "../icons";
import { hidePane, isPaneHidden } from "../pane_setting";
import { language, speak, t, type Word } from "../words";

interface Props {
  value: { tab: string; language: string; settled: boolean } | null; // settled: false until the tab of a link is chosen
}

type Theme = "auto" | "light" | "dark";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const ICONS: Record<Theme, IconName> = { auto: "half", light: "sun", dark: "moon" };
const THEME = "rag.theme";
const KEYS: readonly [string, Word][] = [
  ["/", "key_search"],
  ["Enter", "key_send"],
  ["Esc", "key_stop"],
  ["↑ ↓ ← →", "key_move"],
  ["Enter", "key_open"],
  ["x", "key_select"],
  ["p", "key_pane"],
  ["Esc", "key_close"],
  ["← →", "key_turn"],
  ["[ ]", "key_part"],
  ["+ − 0", "key_zoom"],
  ["Space", "key_play"],
  ["?", "key_help"],
];

export default component<Props>((root, host) => {
  const tools = h("div", { class: "top-tools" });
  const sheet = h("dialog", { class: "keys", "aria-labelledby": "keys-title" });
  const leaving = new AbortController();
  const { signal } = leaving;
  const mark = h("span", { class: "brand-mark", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
  const brand = h("a", { class: "brand", href: "/", "aria-label": "rag" }, mark, h("span", {}, "rag"));
  const skip = h("a", { class: "skip", href: "#results" }, t("skip_to"));
  root.append(skip, h("div", { class: "top", role: "banner" }, brand, tools), sheet);
  document.documentElement.lang = language() === "zh" ? "zh-CN" : "en";
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) sheet.close();
  });

  function draw(): void {
    const theme = applyTheme();
    const following = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    const colours = round(ICONS[theme], `theme_${theme}`, () => {
      localStorage.setItem(THEME, following);
      draw();
      tools.querySelector<HTMLElement>(".round")?.focus();
    });
    const other = (): void => {
      speak(language() === "zh" ? "en" : "zh");
      location.reload(); // the address and the tab's storage keep everything else
    };
    const name = t("language_name");
    const words = h(
      "button",
      { type: "button", class: "word", "aria-label": name, title: name, on: { click: other } },
      t("language"),
    );
    fill(tools, words, colours, round("help", "help", keys));
  }

  function keys(): void {
    fill(
      sheet,
      list(() => sheet.close()),
    );
    sheet.showModal();
  }

  /** Tells Python which tab the address names, and which language the browser speaks. */
  function tell(settled = true): void {
    host.set({ value: { tab: address.read().tab || "search", language: language(), settled } });
    host.dispatch("change");
  }

  document.addEventListener(
    "keydown",
    (event) => {
      const target = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return;
      if (event.key === "?" && !sheet.open) keys();
      else if (event.key === "p" && !document.querySelector("dialog[open]")) hidePane(!isPaneHidden());
      else if (event.key === "/" && !document.querySelector("dialog[open]")) toBox(event);
    },
    { signal },
  );
  function toBox(event: KeyboardEvent): void {
    event.preventDefault();
    const { tab } = address.read();
    const focus = (): boolean => document.dispatchEvent(new CustomEvent(tab === "ask" ? "rag:askbox" : "rag:box"));
    if (!tab || tab === "ask") {
      focus(); // at once: the next letters are for the box
      return;
    }
    address.push({ ...address.read(), tab: "" });
    tell();
    setTimeout(focus, 0);
  }
  addEventListener("popstate", () => tell(), { signal });
  document.addEventListener("rag:search", () => tell(), { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme, { signal });
  document.documentElement.dataset.entry = address.read().tab; // where a link led, for the tab itself
  draw();
  // Not before all components are there: Gradio loses those of a tab that changes while they are being mounted.
  document.addEventListener("rag:ready", () => tell(!address.read().tab), { signal, once: true });

  return {
    changed(names) {
      const tab = host.props.value?.tab;
      if (!names.has("value") || !tab) return;
      const place = address.read();
      if ((place.tab || "search") !== tab) {
        address.push({ ...place, tab: tab === "search" ? "" : tab, open: "" });
      }
      document.dispatchEvent(new CustomEvent("rag:tab"));
    },
    removed: () => leaving.abort(),
  };
});

/** Makes the page light or dark: as chosen before, else as the system is. */
function applyTheme(): Theme {
  const stored = localStorage.getItem(THEME);
  const chosen = THEMES.find((one) => one === stored) ?? "auto";
  const isDark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.toggle("dark", isDark);
  document.documentElement.style.colorScheme = isDark ? "dark" : "light";
  return chosen;
}

function list(close: () => void): HTMLElement[] {
  const row = ([key, words]: readonly [string, Word]): HTMLElement =>
    h(
      "div",
      {},
      h(
        "dt",
        {},
        key.split(" ").map((one) => h("kbd", {}, one)),
      ),
      h("dd", {}, t(words)),
    );
  return [
    h("header", {}, h("h2", { id: "keys-title" }, t("keyboard")), round("close", "close", close)),
    h("dl", {}, KEYS.map(row)),
  ];
}
