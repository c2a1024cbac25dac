// What the results are to be less like, as small pictures in the box that a click takes away. Knows ids; sends no search.
import { fill, h } from "../dom";
import { icon } from "../icons";
import { nameOf } from "../places";
import { passage } from "../server";
import { t } from "../words";

export interface Unwanted {
  /** The pictures of these passages, each made once. */
  shown(ids: string[], index: string): HTMLElement[];
  removed(): void;
}

/** `spared` is called with the id of one that is taken away. */
export function unwanted(spared: (id: string) => void): Unwanted {
  const made = new Map<string, HTMLElement>();
  const leaving = new AbortController();

  function chip(id: string, index: string): HTMLElement {
    const words = t("spare");
    const face = h("span", { class: "unwanted-face", role: "img", "aria-label": t("unwanted") }, icon("unlike"));
    void passage(id, index, "", false, leaving.signal, 0).then(
      ({ thumbnail, document }) => {
        face.setAttribute("aria-label", `${t("unwanted")}: ${nameOf(document)}`);
        face.title = `${t("unwanted")}: ${nameOf(document)}`;
        fill(face, thumbnail ? h("img", { src: thumbnail, alt: "" }) : icon("text"));
      },
      () => null, // the passage is gone: the search says so
    );
    return h(
      "span",
      { class: "box-picture" },
      face,
      h(
        "button",
        { type: "button", "aria-label": words, title: words, on: { click: () => spared(id) } },
        icon("close"),
      ),
    );
  }
  function shown(ids: string[], index: string): HTMLElement[] {
    return ids.map((id) => {
      const one = made.get(id) ?? chip(id, index);
      made.set(id, one);
      return one;
    });
  }
  return { shown, removed: () => leaving.abort() };
}
