// The search box: words, pictures, or both. Knows typing, pasting and dropping; sends nothing itself.
import { round } from "../controls";
import { fill, h } from "../dom";
import { icon } from "../icons";
import { MOST, picturesIn, shrunk } from "../pictures";
import { Refusal } from "../server";
import { t } from "../words";
import { choosePart } from "./part";

const PAUSE = 130; // milliseconds after the last key until the search starts: shorter than between the letters of most people

export interface BoxEvents {
  typed(words: string): void; // while a person types
  entered(words: string): void; // on Enter
  pictured(pictures: string[]): void; // data URLs: all that are asked with now
  refused(error: unknown): void;
  down(): void; // towards the results
  starred(): void; // the query is to be saved, or not any more
}

export interface Box {
  element: HTMLFormElement;
  focus(): void;
  /** Shows words, the query pictures, the address of what the results are to be like, and what less; words being typed stay. */
  show(words: string, pictures: string[], like: string | null, less: HTMLElement[]): void;
  /** Shows whether the query is saved; null where it cannot be. */
  star(isSaved: boolean | null): void;
  removed(): void;
}

export function searchBox(on: BoxEvents): Box {
  let waiting = 0;
  let own: string[] = []; // the query pictures
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
    multiple: true,
    "aria-label": t("add_picture"),
    on: { change: () => take(Array.from(file.files ?? [])) },
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
      const pasted = picturesIn(event.clipboardData);
      if (!pasted.length) return;
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
  /** Adds pictures to those that are there; of several, one that is refused does not keep the others out. */
  async function take(given: File[]): Promise<void> {
    const settled = await Promise.allSettled(given.slice(0, MOST).map(shrunk));
    file.value = "";
    const added = settled.filter((one) => one.status === "fulfilled").map((one) => one.value);
    const all = [...new Set([...own, ...added])];
    try {
      if (added.length) {
        on.pictured(all.slice(0, MOST));
        input.focus();
      }
      const refused = settled.find((one) => one.status === "rejected");
      if (refused) throw refused.reason;
      if (all.length > MOST || given.length > MOST) {
        throw new Refusal(t("error_pictures", { most: MOST }), t("error_pictures_more"), "picture");
      }
    } catch (error) {
      on.refused(error);
    }
  }
  function set(words: string): void {
    clearTimeout(waiting);
    input.value = words;
    element.classList.toggle("has-words", Boolean(words));
  }
  function show(words: string, pictures: string[], like: string | null, less: HTMLElement[]): void {
    const isTyping = document.activeElement === input;
    if (input.value !== words && !(isTyping && input.value.trim() === words.trim())) set(words);
    own = pictures;
    fill(shown, pictures.map(chip), like !== null ? chip(like) : null, less);
  }
  function chip(picture: string): HTMLElement {
    const words = own.length > 1 ? t("remove_picture_of", { number: own.indexOf(picture) + 1 }) : t("remove_picture");
    const remove = (): void => {
      on.pictured(own.filter((one) => one !== picture));
      input.focus();
    };
    return h(
      "span",
      { class: "box-picture" },
      picture ? part(picture) : icon("picture"),
      h("button", { type: "button", "aria-label": words, title: words, on: { click: remove } }, icon("close")),
    );
  }
  /** The query picture, as a button that leads to a part of it; one of the server's, for more like a passage, is only shown. */
  function part(picture: string): HTMLElement {
    const image = h("img", { src: picture, alt: t("query_picture") });
    if (!picture.startsWith("data:")) return image;
    const words = t("crop_picture");
    const open = (): void => choosePart(picture, (cut) => on.pictured(own.map((one) => (one === picture ? cut : one))));
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

/** Makes the whole page accept dropped pictures, and say so while one hovers. */
function dropping(take: (files: File[]) => void, signal: AbortSignal): void {
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
      if (!isOther(event)) take(picturesIn(event.dataTransfer));
    },
    { signal },
  );
}
