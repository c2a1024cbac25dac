// The search box: words, a picture, or both. Knows typing, pasting and dropping; sends nothing itself.
import { h, icon } from "./dom.js";
import { keep, kept, pictureIn, shrunk } from "./pictures.js";
import { t } from "./words.js";

const PAUSE = 280; // milliseconds after the last key until the search starts

/** Calls `typed(text)` while a person types, `asked(text)` on Enter, `pictured(name)` with a kept picture or "", `refused(error)`. */
export function searchBox({ typed, asked, pictured, refused, down }) {
  let waiting = 0;
  let composing = false; // an input method sends unfinished pieces of Chinese words
  const input = h("input", { id: "rag-words", type: "search", name: "q", placeholder: t("placeholder"), "aria-label": t("ask"), autocomplete: "off", spellcheck: "false", enterkeyhint: "search", maxlength: "4000" });
  const file = h("input", { type: "file", accept: "image/*", class: "sr-only", tabindex: "-1", "aria-label": t("add_picture"), on: { change: () => take(file.files[0]) } });
  const picture = h("button", { type: "button", class: "round", "aria-label": t("add_picture"), title: t("add_picture"), on: { click: () => file.click() } }, icon("picture"));
  const clear = h("button", { type: "button", class: "round box-clear", "aria-label": t("clear"), title: t("clear"), on: { click: () => (set(""), typed(""), input.focus()) } }, icon("close"));
  const shown = h("span", { class: "box-pictures" });
  const element = h("form", { class: "box", role: "search", on: { submit: (event) => (event.preventDefault(), clearTimeout(waiting), asked(input.value)) } }, icon("search"), shown, input, clear, picture, file);

  input.addEventListener("compositionstart", () => (composing = true));
  input.addEventListener("compositionend", () => ((composing = false), later()));
  input.addEventListener("input", () => composing || later());
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !event.altKey) event.preventDefault(), down();
    if (event.key === "Escape" && input.value) event.preventDefault(), set(""), typed("");
  });
  addEventListener("paste", (event) => {
    const pasted = event.clipboardData?.files.length ? pictureIn(event.clipboardData) : null;
    if (pasted) event.preventDefault(), take(pasted);
  });
  dropping((dropped) => take(dropped));

  function later() {
    element.classList.toggle("has-words", Boolean(input.value));
    clearTimeout(waiting);
    waiting = setTimeout(() => typed(input.value), PAUSE);
  }
  async function take(given) {
    file.value = "";
    if (!given) return;
    try {
      pictured(keep(await shrunk(given)));
      input.focus();
    } catch (error) {
      refused(error);
    }
  }
  function set(text) {
    clearTimeout(waiting);
    input.value = text;
    element.classList.toggle("has-words", Boolean(text));
  }
  /** Shows the query; words that are being typed stay. */
  function show(query, alike) {
    if (input.value !== query.text && document.activeElement !== input) set(query.text);
    else if (input.value.trim() !== query.text.trim()) set(query.text);
    const source = query.like ? alike : kept(query.picture);
    const chip = (query.like || query.picture) && h("span", { class: "box-picture" }, source ? h("img", { src: source, alt: t("query_picture") }) : icon("picture"), h("button", { type: "button", "aria-label": t("remove_picture"), title: t("remove_picture"), on: { click: () => (pictured(""), input.focus()) } }, icon("close")));
    shown.replaceChildren(...(chip ? [chip] : []));
  }
  return { element, input, show };
}

/** Makes the whole page accept a dropped picture, and say so while one hovers. */
function dropping(take) {
  let depth = 0;
  const veil = h("div", { class: "veil", "aria-hidden": "true" }, icon("picture"), t("drop"));
  const carries = (event) => Array.from(event.dataTransfer?.types || []).includes("Files");
  const leave = () => ((depth = 0), veil.remove());
  addEventListener("dragenter", (event) => carries(event) && (event.preventDefault(), (depth += 1), document.body.append(veil)));
  addEventListener("dragover", (event) => carries(event) && event.preventDefault());
  addEventListener("dragleave", (event) => carries(event) && (depth -= 1) <= 0 && leave());
  addEventListener("drop", (event) => carries(event) && (event.preventDefault(), leave(), take(pictureIn(event.dataTransfer))));
}
