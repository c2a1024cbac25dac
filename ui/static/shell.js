// The bar around both tabs: name, language, colours, and the list of keys. Knows Gradio's tabs by their ids.
import { fill, h, icon } from "./dom.js";
import { language, speak, t } from "./words.js";

const THEMES = ["auto", "light", "dark"];
const ICONS = { auto: "half", light: "sun", dark: "moon" };

/** Makes the page light or dark: as chosen before, else as the system is. */
export function applyTheme() {
  const chosen = localStorage.getItem("rag.theme") || "auto";
  const dark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.body.classList.add("rag");
  document.body.classList.toggle("dark", dark);
  document.documentElement.style.colorScheme = dark ? "dark" : "light";
  return chosen;
}

/** The bar on top; calls `reload` after a change of language: the address and the tab's storage keep everything else. */
export function topBar(reload) {
  const tools = h("div", { class: "top-tools" });
  const bar = h("div", { class: "top", role: "banner" }, h("a", { class: "brand", href: "/" }, mark(), h("span", {}, "rag")), tools);
  const sheet = keySheet();
  document.body.append(bar, sheet);
  document.body.prepend(h("a", { class: "skip", href: "#results" }, t("skip_to")));

  function draw() {
    const theme = applyTheme();
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    fill(
      tools,
      h("button", { type: "button", class: "word", "aria-label": t("language_name"), title: t("language_name"), on: { click: () => (speak(language() === "zh" ? "en" : "zh"), reload()) } }, t("language")),
      h("button", { type: "button", class: "round", "aria-label": t(`theme_${theme}`), title: t(`theme_${theme}`), on: { click: () => (localStorage.setItem("rag.theme", next), draw(), tools.children[1].focus()) } }, icon(ICONS[theme])),
      h("button", { type: "button", class: "round", "aria-label": t("help"), title: `${t("help")} (?)`, on: { click: () => keys() } }, icon("help")),
    );
    for (const [id, key] of [["search", "search"], ["index", "index"]]) for (const tab of document.querySelectorAll(`#tab-${id}-button`)) tab.textContent = t(key);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", applyTheme);

  function keys() {
    fill(sheet, list());
    sheet.showModal();
  }
  draw();
  return { keys, draw };
}

/** The logo: one list, its first line the longest. */
function mark() {
  return h("span", { class: "brand-mark", "aria-hidden": "true" }, h("i"), h("i"), h("i"));
}

function keySheet() {
  const sheet = h("dialog", { class: "keys", "aria-labelledby": "keys-title" });
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
  return sheet;
}

function list() {
  const rows = [["/", "key_search"], ["↑ ↓ ← →", "key_move"], ["Enter", "key_open"], ["Esc", "key_close"], ["← →", "key_turn"], ["[ ]", "key_part"], ["+ − 0", "key_zoom"], ["Space", "key_play"], ["?", "key_help"]];
  const close = h("button", { type: "button", class: "round", "aria-label": t("close"), on: { click: (event) => event.target.closest("dialog").close() } }, icon("close"));
  return [h("header", {}, h("h2", { id: "keys-title" }, t("keyboard")), close), h("dl", {}, rows.map(([key, words]) => h("div", {}, h("dt", {}, key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, t(words)))))];
}
