// The panel of indexes: its value is what they hold and how their jobs stand; it says when one is to be started or stopped.
// Knows which sections changed; asks for nothing itself.
import { notice } from "../controls";
import { fill, h } from "../dom";
import { component } from "../gradio";
import type { Failure } from "../types";
import { t } from "../words";
import { progress } from "./progress";
import { section } from "./section";
import type { Shelf } from "./types";

interface Props {
  value: { indexes: Shelf[]; failure: Failure | null } | null;
}

interface Section {
  element: HTMLElement;
  job: HTMLElement;
  drawn: string; // what it shows but for the progress of a job, as JSON
}

export default component<Props>((root, host) => {
  const trouble = h("div");
  const body = h("div", { class: "indexes" });
  const sections = new Map<string, Section>();
  root.append(h("div", { class: "indexing" }, h("h1", { class: "sr-only" }, t("index")), trouble, body));
  const start = (index: string, of: string | null): void => host.dispatch("start", { index, root: of });
  const stop = (id: string): void => host.dispatch("stop", { id });

  function show(): void {
    const { value } = host.props;
    if (!value) return;
    fill(trouble, value.failure ? notice(value.failure.what, value.failure.remedy) : null);
    for (const shelf of value.indexes) showShelf(shelf);
    const names = new Set(value.indexes.map((one) => one.facts.name));
    for (const [name, { element }] of sections) if (!names.has(name)) element.remove();
  }

  /** Draws a section anew only if something in it changed: a person may be typing there. */
  function showShelf(shelf: Shelf): void {
    const { name } = shelf.facts;
    const drawn = JSON.stringify([shelf.facts, shelf.status, shelf.job?.state]);
    const known = sections.get(name);
    const job = known?.job ?? h("div", { class: "index-job", "data-job": name });
    fill(job, shelf.job ? progress(shelf.job, stop) : null);
    if (known?.drawn === drawn) return;
    const element = section(shelf, job, start);
    if (known) known.element.replaceWith(element);
    else body.append(element);
    sections.set(name, { element, job, drawn });
  }

  show();
  return {
    changed(names) {
      if (names.has("value")) show();
    },
  };
});
