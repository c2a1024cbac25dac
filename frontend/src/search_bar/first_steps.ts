// What to do where nothing is indexed yet, below the title. Knows the facts of an index; starts nothing itself.
import { commandFor } from "../command";
import { fill, h } from "../dom";
import { locked } from "../locked";
import { plain } from "../places";
import type { IndexFacts } from "../types";
import { t } from "../words";

export interface FirstSteps {
  /** Draws them into `place`, unless they are there already: a person may be typing. */
  show(place: HTMLElement, index: IndexFacts, manage: boolean): void;
}

/** The first steps; `begin` is called with an index and the folder that it is to hold. */
export function firstSteps(begin: (index: string, folder: string) => void): FirstSteps {
  let drawn = "";
  return {
    show(place, index, manage) {
      const isRunning = Boolean(index.job || index.run);
      const fresh = JSON.stringify([index.name, isRunning, manage]);
      if (fresh === drawn && place.childElementCount) return;
      drawn = fresh;
      if (isRunning) fill(place, h("p", {}, t("empty_running"), " ", h("a", { href: "/?tab=index" }, t("follow"))));
      else fill(place, ...advice(index, manage, begin));
    },
  };
}

function advice(
  { name, folder }: IndexFacts,
  manage: boolean,
  begin: (index: string, folder: string) => void,
): HTMLElement[] {
  const place = h("div", { class: "hero-start" }, manage ? null : locked());
  if (manage) {
    void import("../start/view").then(({ startView }) => place.append(startView(name, (path) => begin(name, path))));
  }
  return [
    h("p", {}, t("empty_title")),
    place,
    h("p", { class: "dim" }, t("empty_hint"), " ", h("pre", {}, plain(commandFor(folder)))),
  ];
}
