// The search box: words, a picture, or both. Knows typing, pasting and dropping; sends nothing itself.
import { round } from "../controls";
import { fill, h } from "../dom";
import { icon } from "../icons";
import { pictureIn, shrunk } from "../pictures";
import { t } from "../words";
import { choosePart } from "./part";

const PAUSE = 160; // milliseconds after the last key until the search starts

export interface BoxEvents {
  typed(words: string): void; // while a person types
  entered(words: string): void; // on Enter
  pictured(picture: string): void; // a data URL, or "" when it is removed
  refused(error: unknown): void;
  down(): void; // towards the results
  starred(): void; // the query is to be saved, or not any more
}

export interface Box {
  element: HTMLFormElement;
  focus(): void;
  /** Shows words, the address of a picture or null, and what the results are to be less like; words that are being typed stay. */
  show(words: string, picture: string | null, less: HTMLElement[]): void;
  /** Shows whether the query is saved; null where it cannot be. */
  star(isSaved: boolean | null): void;
  removed(): void;
}

export function searchBox(on: BoxEvents): Box {
  let waiting = 0;
  let composing = false; // an input method sends unfinished pieces of Chinese words
  const leaving = new AbortController(); // ends the listeners on the window
  const input = h("input", {
    id: "rag-words",
    type: "search",
    name: "q",
    placeholder: t("placeholder"),
    "aria-label": t("ask"),
    autocomplete: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    maxlength: "4000",
  });
  const file: HTMLInputElement = h("input", {
    type: "file",
    accept: "image/*",
    class: "sr-only",
    tabindex: "-1",
    "aria-label": t("add_picture"),
    on: { change: () => take(file.files?.[0] ?? null) },
  });
  const clear = round("close", "clear", () => clearWords(true), "box-clear");
  const saver = round("star", "save_search", () => on.starred(), "box-star");
  const shown = h("span", { class: "box-pictures" });
  const element = h(
    "form",
    { class: "box", role: "search" },
    icon("search"),
    shown,
    input,
    clear,
    saver,
    round("picture", "add_picture", () => file.click()),
    file,
  );

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    on.entered(input.value);
  });
  input.addEventListener("compositionstart", () => {
    composing = true;
  });
  input.addEventListener("compositionend", () => {
    composing = false;
    later();
  });
  input.addEventListener("input", () => {
    if (!composing) later();
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !event.altKey) {
      event.preventDefault();
      on.down();
    }
    if (event.key === "Escape" && input.value) {
      event.preventDefault();
      clearWords(false);
    }
  });
  addEventListener(
    "paste",
    (event) => {
      const pasted = event.clipboardData?.files.length ? pictureIn(event.clipboardData) : null;
      if (!pasted) return;
      event.preventDefault();
      take(pasted);
    },
    { signal: leaving.signal },
  );
  dropping(take, leaving.signal);

  function clearWords(focus: boolean): void {
    set("");
    on.typed("");
    if (focus) input.focus();
  }
  function later(): void {
    element.classList.toggle("has-words", Boolean(input.value));
    clearTimeout(waiting);
    waiting = window.setTimeout(() => on.typed(input.value), PAUSE);
  }
  async function take(given: File | null): Promise<void> {
    file.value = "";
    if (!given) return;
    try {
      on.pictured(await shrunk(given));
      input.focus();
    } catch (error) {
      on.refused(error);
    }
  }
  function set(words: string): void {
    clearTimeout(waiting);
    input.value = words;
    element.classList.toggle("has-words", Boolean(words));
  }
  function show(words: string, picture: string | null, less: HTMLElement[]): void {
    const isTyping = document.activeElement === input;
    if (input.value !== words && !(isTyping && input.value.trim() === words.trim())) set(words);
    fill(shown, picture !== null ? chip(picture) : null, less);
  }
  function chip(picture: string): HTMLElement {
    const remove = (): void => {
      on.pictured("");
      input.focus();
    };
    return h(
      "span",
      { class: "box-picture" },
      picture ? part(picture) : icon("picture"),
      h(
        "button",
        { type: "button", "aria-label": t("remove_picture"), title: t("remove_picture"), on: { click: remove } },
        icon("close"),
      ),
    );
  }
  /** The query picture, as a button that leads to a part of it; one of the server's, for more like a passage, is only shown. */
  function part(picture: string): HTMLElement {
    const image = h("img", { src: picture, alt: t("query_picture") });
    if (!picture.startsWith("data:")) return image;
    const words = t("crop_picture");
    const open = (): void => choosePart(picture, (cut) => on.pictured(cut));
    return h(
      "button",
      { type: "button", class: "box-part", "aria-label": words, title: words, on: { click: open } },
      image,
    );
  }
  function focus(): void {
    input.focus();
    input.select();
  }
  function star(isSaved: boolean | null): void {
    const words = t(isSaved ? "unsave_search" : "save_search");
    saver.hidden = isSaved === null;
    saver.setAttribute("aria-pressed", String(isSaved === true));
    saver.setAttribute("aria-label", words);
    saver.title = words;
  }
  return { element, focus, show, star, removed: () => leaving.abort() };
}

/** Makes the whole page accept a dropped picture, and say so while one hovers. */
function dropping(take: (file: File | null) => void, signal: AbortSignal): void {
  let depth = 0;
  const veil = h(
    "div",
    { class: "rag-ui" },
    h("div", { class: "veil", "aria-hidden": "true" }, icon("picture"), t("drop")),
  );
  // Files that are dropped to be uploaded are not queries: there, or where there is nothing to search yet.
  const isOther = ({ target }: Event): boolean =>
    (target instanceof Element && target.closest("[data-drop]") !== null) ||
    document.querySelector(".is-first") !== null;
  const carries = (event: DragEvent): boolean => Array.from(event.dataTransfer?.types ?? []).includes("Files");
  const leave = (): void => {
    depth = 0;
    veil.remove();
  };
  addEventListener(
    "dragenter",
    (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      depth += 1;
      if (isOther(event)) veil.remove();
      else document.body.append(veil);
    },
    { signal },
  );
  addEventListener("dragover", (event) => carries(event) && event.preventDefault(), { signal });
  addEventListener(
    "dragleave",
    (event) => {
      if (!carries(event)) return;
      depth -= 1;
      if (depth <= 0) leave();
    },
    { signal },
  );
  addEventListener(
    "drop",
    (event) => {
      if (!carries(event)) return;
      event.preventDefault();
      leave();
      if (!isOther(event)) take(pictureIn(event.dataTransfer));
    },
    { signal },
  );
}
