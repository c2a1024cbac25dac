// Recent and saved searches, kept in this browser alone. Knows addresses and its storage; searches nothing.
import * as address from "../address";
import { round } from "../controls";
import { fill, h } from "../dom";
import { type IconName, icon } from "../icons";
import { plain } from "../places";
import { t, type Word } from "../words";

const LISTS = { recent: "rag.recent", saved: "rag.saved" } as const;
const MOST = { recent: 8, saved: 50 } as const;
type List = keyof typeof LISTS;

export interface Remembered {
  element: HTMLElement;
  /** Puts a query first among the recent ones; one with a picture stays in its tab and is not kept. */
  note(asked: address.Place): void;
  isSaved(asked: address.Place): boolean;
  /** Saves a query, or removes it. */
  toggle(asked: address.Place): void;
  show(): void;
}

/** What can be kept of a query: its address, or "". */
export function addressOf(asked: address.Place): string {
  if (address.isEmpty(asked) || asked.pictures.length || asked.like) return "";
  return new URL(address.written({ ...asked, open: "", tab: "" }), location.origin).search;
}

/** The lists; `go` is called with a query that is chosen. */
export function remembered(go: (asked: address.Place) => void): Remembered {
  const element = h("nav", { class: "remembered", "aria-label": t("recent") });

  function show(): void {
    fill(element, list("saved", "star"), list("recent", "clock"));
  }
  function list(name: List, sign: IconName): HTMLElement | null {
    const all = read(name);
    if (!all.length) return null;
    const clear = name === "recent" ? round("close", "forget_all", () => change(name, [])) : null;
    const entries = all.map((one) => entry(name, one));
    return h(
      "div",
      { class: "remembered-list" },
      icon(sign),
      h("h2", {}, t(name as Word)),
      h("ul", {}, entries),
      clear,
    );
  }
  function entry(name: List, search: string): HTMLElement {
    const asked = address.read(search);
    const words = [asked.words.trim(), ...asked.kinds.map((kind) => t(`kinds_${kind}`)), ...asked.paths].join(" · ");
    const open = (event: MouseEvent): void => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
      event.preventDefault();
      go(asked);
    };
    const label = t("forget", { name: plain(words) });
    const forget = (): void =>
      change(
        name,
        read(name).filter((one) => one !== search),
      );
    return h(
      "li",
      {},
      h("a", { href: `/${search}`, on: { click: open } }, plain(words)),
      h("button", { type: "button", "aria-label": label, title: label, on: { click: forget } }, icon("close")),
    );
  }
  function change(name: List, all: string[]): void {
    try {
      localStorage.setItem(LISTS[name], JSON.stringify(all.slice(0, MOST[name])));
    } catch {
      // The storage is full or shut: searching goes on without a memory.
    }
    show();
  }
  return {
    element,
    note(asked) {
      const search = addressOf(asked);
      if (search) change("recent", [search, ...read("recent").filter((one) => one !== search)]);
    },
    isSaved: (asked) => read("saved").includes(addressOf(asked)),
    toggle(asked) {
      const search = addressOf(asked);
      const others = read("saved").filter((one) => one !== search);
      if (search) change("saved", others.length < read("saved").length ? others : [search, ...others]);
    },
    show,
  };
}

function read(name: List): string[] {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(LISTS[name]) ?? "[]");
    return Array.isArray(found) ? found.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
}
