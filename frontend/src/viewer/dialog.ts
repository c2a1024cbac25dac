// An opened hit in a window of its own over the page, with the way to the hits before and after. Knows hits and keys; draws no passage.
import { round } from "../controls";
import { h } from "../dom";
import type { Passage } from "../server";
import type { Listed, Opened } from "../types";
import { isForControl, passageView } from "./passage_view";
import { swipes } from "./swipes";

export interface DialogEvents {
  closed(id: string): void; // by a person; `id` is the hit that was open
  turned(hit: Listed): void; // to another hit
  alike(id: string, index: string, isLess: boolean): void; // more like this passage, or less
  searched(picture: string): void; // with a part of the picture
}

export interface Dialog {
  element: HTMLDialogElement;
  open(what: Opened): void;
  close(): void; // without an event
}

export function dialog(on: DialogEvents): Dialog {
  let opened: Opened | null = null;
  let hit: Listed | null = null; // the result it was opened from; null if only the address named it
  let isSilent = false;
  const leaving = new AbortController();
  const view = passageView({
    alike: (found) => like(found, false),
    unlike: (found) => like(found, true),
    searched(picture) {
      close(); // without a step back in the history: the search is a step on
      on.searched(picture);
    },
    drawn() {
      if (!element.contains(document.activeElement)) element.focus(); // the button that had the focus may be gone
    },
  });
  view.title.id = "viewer-title";
  const previous = round("left", "previous_hit", () => turn(-1));
  const next = round("right", "next_hit", () => turn(1));
  const top = h(
    "header",
    { class: "viewer-top" },
    h("div", { class: "viewer-name" }, view.title, view.where),
    previous,
    next,
    round("close", "close", () => element.close()),
  );
  const element: HTMLDialogElement = h(
    "dialog",
    { class: "viewer", "aria-labelledby": "viewer-title", tabindex: "-1" },
    top,
    h("div", { class: "viewer-body" }, view.look, view.side),
  );
  swipes(view.look, () => !view.isZoomed(), {
    left: () => turn(1),
    right: () => turn(-1),
    down: () => element.close(),
  });
  element.addEventListener("close", () => {
    const id = hit?.id ?? opened?.id ?? "";
    [opened, hit] = [null, null];
    view.clear();
    if (!isSilent) on.closed(id);
  });
  // The focus may be on the page below, or on a control of ours that does not use the key.
  document.addEventListener("keydown", (event) => element.open && keys(event), { signal: leaving.signal });

  const hits = (): Listed[] => opened?.hits ?? [];
  const at = (): number => hits().findIndex((one) => one.id === hit?.id);
  function turn(by: number): void {
    const to = hits()[at() + by];
    if (!to || !hit || !opened) return;
    hit = to;
    on.turned(to);
    show({ ...opened, id: to.id, index: to.index, alike: false });
  }

  function like({ id, index }: Passage, isLess: boolean): void {
    close();
    on.alike(id, index, isLess);
  }

  function open(what: Opened): void {
    hit = what.hits.find((one) => one.id === what.id) ?? null;
    show(what);
  }

  /** Opens the dialog, and says whether there is a hit before and after this one. */
  function show(what: Opened): void {
    opened = what;
    if (!element.open) element.showModal();
    previous.disabled = !hit || at() <= 0;
    next.disabled = !hit || at() < 0 || at() >= hits().length - 1;
    view.show(what, hit);
  }

  function keys(event: KeyboardEvent): void {
    if (isForControl(event)) return;
    if (!view.act(event.key)) {
      if (event.key === "ArrowLeft") turn(-1);
      else if (event.key === "ArrowRight") turn(1);
      else return;
    }
    event.preventDefault();
  }

  function close(): void {
    if (!element.open) return;
    isSilent = true;
    element.close(); // its event follows in a task of its own
    element.addEventListener(
      "close",
      () => {
        isSilent = false;
      },
      { once: true },
    );
  }
  return { element, open, close };
}
