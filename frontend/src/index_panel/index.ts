// The panel of indexes: its value is what they hold and how their jobs stand; it says when one is to be started or stopped.
// Knows which sections changed; asks for nothing itself.
import { notice } from "../controls";
import { fill, h } from "../dom";
import { component } from "../gradio";
import { icon } from "../icons";
import { locked } from "../locked";
import { whenSaid } from "../said";
import type { Failure } from "../types";
import { t } from "../words";
import { progress } from "./progress";
import { section } from "./section";
import type { Shelf } from "./types";

interface Props {
  value: { indexes: Shelf[]; manage: boolean; failure: Failure | null } | null;
}

interface Section {
  element: HTMLElement;
  job: HTMLElement;
  more: HTMLElement; // the place for the start view, which a person may be using
  drawn: string; // what it shows but for the progress of a job, as JSON
}

export default component<Props>((root, host) => {
  const trouble = h("div");
  const lock = h("div");
  const body = h("div", { class: "indexes" });
  const sections = new Map<string, Section>();
  root.append(h("div", { class: "indexing" }, h("h1", { class: "sr-only" }, t("index")), trouble, lock, body));
  const start = (index: string, of: string | null): void => host.dispatch("start", { index, root: of });
  const begin = (index: string, folder: string): void => host.dispatch("start", { index, folder });
  const stop = (id: string): void => host.dispatch("stop", { id });

  function show(): void {
    const { value } = host.props;
    if (!value) return;
    fill(trouble, value.failure ? notice(value.failure.what, value.failure.remedy) : null);
    if (value.manage || !lock.childElementCount) fill(lock, value.manage ? null : locked());
    for (const shelf of value.indexes) showShelf(shelf, value.manage);
    const names = new Set(value.indexes.map((one) => one.facts.name));
    for (const [name, { element }] of sections) if (!names.has(name)) element.remove();
  }

  /** Draws a section anew only if something in it changed: a person may be typing there. */
  function showShelf(shelf: Shelf, manage: boolean): void {
    const { name } = shelf.facts;
    const drawn = JSON.stringify([shelf.facts, shelf.status, shelf.job?.state, manage]);
    const known = sections.get(name);
    const job = known?.job ?? h("div", { class: "index-job", "data-job": name });
    const more = known?.more ?? adding(name, (folder) => begin(name, folder));
    fill(job, shelf.job ? progress(shelf.job, manage ? stop : null) : null);
    if (known?.drawn === drawn) return;
    const element = section(shelf, { job, more: manage ? more : null }, manage ? start : null);
    if (known) known.element.replaceWith(element);
    else body.append(element);
    sections.set(name, { element, job, more, drawn });
  }

  show();
  whenSaid(() => {
    for (const one of sections.values()) one.drawn = "";
    show();
  });
  return {
    changed(names) {
      if (names.has("value")) show();
    },
  };
});

/** The place for adding folders and files to an index: a button, and what it opens; open where the index is empty. */
function adding(name: string, begin: (folder: string) => void): HTMLElement {
  const place = h("details", { class: "index-more" }, h("summary", { class: "plain" }, icon("plus"), t("add_more")));
  place.addEventListener("toggle", async () => {
    if (!place.open || place.querySelector(".start")) return;
    const { startView } = await import("../start/view");
    const started = (folder: string): void => {
      place.open = false;
      begin(folder);
    };
    place.append(startView(name, started));
  });
  return place;
}
