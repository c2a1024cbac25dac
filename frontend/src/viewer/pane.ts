// A hit beside the list, which changes with the selection there. Knows one hit; draws no passage and knows no address.
import { round } from "../controls";
import { h } from "../dom";
import type { Opened } from "../types";
import { t } from "../words";
import { isForControl, passageView } from "./passage_view";

export interface PaneEvents {
  opened(): void; // the full view of the hit is wanted
  hidden(): void; // by a person
  left(id: string): void; // on the way back to the list
  alike(id: string, index: string, isLess: boolean): void; // more like this passage, or less
  searched(picture: string): void;
}

export interface Pane {
  element: HTMLElement;
  show(what: Opened): void;
  clear(): void;
}

export function pane(on: PaneEvents): Pane {
  let shown: Opened | null = null;
  const view = passageView(
    {
      alike: ({ id, index }) => on.alike(id, index, false),
      unlike: ({ id, index }) => on.alike(id, index, true),
      searched: on.searched,
      drawn: () => {},
    },
    { isQuiet: true },
  );
  const top = h(
    "header",
    { class: "pane-top" },
    h("div", { class: "viewer-name" }, view.title, view.where),
    round("fit", "open_full", on.opened),
    round("close", "hide_pane", on.hidden),
  );
  const element = h(
    "section",
    { class: "pane-view", "aria-label": t("pane"), tabindex: "-1" },
    top,
    h("div", { class: "pane-body" }, view.look, view.side),
  );
  element.addEventListener("keydown", (event) => {
    if (isForControl(event)) return;
    if (event.key === "Escape") on.left(shown?.id ?? "");
    else if (!view.act(event.key)) return;
    event.preventDefault();
  });

  function show(what: Opened): void {
    if (shown?.id === what.id && shown.words === what.words && shown.index === what.index) return;
    shown = what;
    view.show(what, what.hits.find((one) => one.id === what.id) ?? null);
  }
  function clear(): void {
    shown = null;
    view.clear();
  }
  return { element, show, clear };
}
