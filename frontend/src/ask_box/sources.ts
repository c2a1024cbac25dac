// The sources of an answer as numbered cards, which open at their place. Knows the JSON of a source; knows no server.
import * as address from "../address";
import { type Child, fill, h } from "../dom";
import { icon } from "../icons";
import { nameOf as fileName, folderOf, place, plain, within } from "../places";
import { media } from "../server";
import { t } from "../words";
import { nameOf } from "./messages";
import { isRunning, type Source, type Turn } from "./turns";

export interface Sources {
  element: HTMLElement;
  show(turn: Turn | undefined): void;
  /** Brings the card of a number into view and gives it the focus; false if there is none. */
  point(number: number): boolean;
  /** Focuses the card of an id; false if there is none. */
  focus(id: string): boolean;
}

/** The list of cards; `open` is called with the source whose card is opened. */
export function sourceList(open: (source: Source, turn: Turn) => void): Sources {
  const element = h("section", { class: "ask-sources", "aria-label": t("ask_sources") });
  let shown: Turn | undefined;
  let drawn = "";
  const at = (selector: string): HTMLElement | null => element.querySelector<HTMLElement>(selector);

  function show(turn: Turn | undefined): void {
    const looks = JSON.stringify([turn?.number, turn?.state === "done", turn?.sources.map((one) => one.id)]);
    shown = turn;
    element.hidden = !turn?.sources.length;
    if (looks === drawn || !turn) return;
    drawn = looks;
    const [used, others] = parted(turn);
    const cards = (sources: Source[]): HTMLElement =>
      h(
        "ol",
        { class: "source-cards" },
        sources.map((source) => card(source, turn.number, () => shown && open(source, shown))),
      );
    fill(
      element,
      h("h2", {}, t(turn.state === "done" && used.length ? "ask_sources" : "ask_read", { n: turn.sources.length })),
      used.length ? cards(used) : null,
      others.length && used.length
        ? h("details", {}, h("summary", {}, t("ask_others", { n: others.length })), cards(others))
        : others.length
          ? cards(others)
          : null,
    );
  }

  function reveal(found: HTMLElement | null): boolean {
    found?.closest("details")?.setAttribute("open", "");
    found?.scrollIntoView({ block: "nearest" });
    found?.querySelector<HTMLElement>(".source-open")?.focus({ preventScroll: true });
    return found !== null;
  }
  return {
    element,
    show,
    point: (number) => reveal(at(`[data-number="${number}"]`)),
    focus: (id) => reveal(at(`[data-id="${CSS.escape(id)}"]`)),
  };
}

/** Those that the answer cites, and the others; while it is not done, all are others. */
const parted = (turn: Turn): [Source[], Source[]] =>
  isRunning(turn)
    ? [[], turn.sources]
    : [turn.sources.filter((one) => one.cited), turn.sources.filter((one) => !one.cited)];

function card(source: Source, turn: number, open: () => void): HTMLElement {
  const name = fileName(source.document);
  const label = [t(`kind_${source.kind}`), name, place(source.locator)].filter(Boolean).join(", ");
  const clicked = (event: MouseEvent): void => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    open();
  };
  const href = address.written({ ...address.read(), open: source.id });
  const link = h(
    "a",
    { class: "source-open", href, "aria-label": `${source.number} ${label}`, on: { click: clicked } },
    name,
  );
  const folder = folderOf(source.document) || plain(source.root);
  const where = within(source.locator);
  return h(
    "li",
    { class: "source", id: nameOf(turn, source.number), "data-number": source.number, "data-id": source.id },
    h("span", { class: "source-number", "aria-hidden": "true" }, source.number),
    source.kind === "text" ? null : picture(source),
    h(
      "div",
      { class: "source-words" },
      h("h3", {}, link),
      h(
        "p",
        { class: "source-place" },
        h("span", { class: `badge badge-${source.kind}` }, icon(source.kind), t(`kind_${source.kind}`)),
        where ? h("span", {}, where) : null,
        h("span", { class: "dim" }, folder),
      ),
      words(source),
    ),
  );
}

/** The words that bear out a claim, else the snippet. */
function words(source: Source): Child {
  if (source.quote) return h("blockquote", { class: "source-quote" }, source.quote);
  return source.snippet ? h("p", { class: "source-snippet" }, source.snippet) : null;
}

function picture(source: Source): HTMLElement {
  const image = h("img", {
    class: "source-look",
    src: media(source.id, source.index, "thumb"),
    alt: "",
    loading: "lazy",
    decoding: "async",
  });
  image.addEventListener("error", () => image.replaceWith(h("span", { class: "source-look" }, icon(source.kind))), {
    once: true,
  });
  return image;
}
