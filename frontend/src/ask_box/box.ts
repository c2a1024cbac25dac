// The box for a question: Enter sends, Escape stops. Knows typing; sends nothing itself.
import { h } from "../dom";
import { icon } from "../icons";
import { t } from "../words";

export interface BoxEvents {
  sent(question: string): void;
  stopped(): void;
}

export interface Box {
  element: HTMLFormElement;
  /** Focuses the box; false if it cannot have the focus yet, because it is not seen. */
  focus(): boolean;
  /** Puts words into the box, unless a person has written some. */
  suggest(words: string): void;
  /** Shows that an answer is on its way, so that it can be stopped. */
  running(is: boolean): void;
}

export function questionBox(on: BoxEvents): Box {
  let isAnswering = false;
  const input = h("textarea", {
    id: "rag-question",
    name: "question",
    rows: "1",
    placeholder: t("ask_placeholder"),
    "aria-label": t("ask_question"),
    autocomplete: "off",
    enterkeyhint: "send",
    maxlength: "4000",
  });
  const send = h(
    "button",
    { type: "submit", class: "primary ask-send", "aria-label": t("ask_send"), title: t("ask_send") },
    icon("up"),
  );
  const stop = h(
    "button",
    { type: "button", class: "plain ask-stop", hidden: true, on: { click: () => on.stopped() } },
    icon("stop"),
    t("stop"),
  );
  const element = h("form", { class: "ask-form" }, input, stop, send);

  function submit(): void {
    const question = input.value.trim();
    if (!question || isAnswering) return;
    input.value = "";
    on.sent(question);
  }
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  input.addEventListener("keydown", (event) => {
    if (event.isComposing) return; // an input method uses Enter and Escape itself
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  });
  return {
    element,
    focus() {
      input.focus();
      return document.activeElement === input;
    },
    suggest(words) {
      if (!input.value.trim()) input.value = words;
    },
    running(is) {
      isAnswering = is;
      stop.hidden = !is;
      send.hidden = is;
    },
  };
}
