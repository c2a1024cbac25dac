// The query in the address, so that it can be shared and the back button works. Knows names of query fields; knows no elements.
import type { Kind, Query } from "./types";
import { KINDS } from "./types";

/** What the address says: a query whose pictures are names in this tab's storage, and what is open. */
export interface Place extends Omit<Query, "number"> {
  open: string;
  tab: string;
}

const LISTS = {
  pictures: "picture",
  less: "less",
  kinds: "kind",
  paths: "path",
  roots: "root",
  indexes: "index",
} as const;
const WORDS = {
  words: "q",
  like: "like",
  after: "after",
  before: "before",
  sort: "sort",
  open: "open",
  tab: "tab",
} as const;
const KEPT = ["__theme", "view"]; // parameters of Gradio's own

const isKind = (name: string): name is Kind => (KINDS as readonly string[]).includes(name);

/** What an address says, by default that of the page; every field is there, empty where the address has none. */
export function read(search = location.search): Place {
  const params = new URLSearchParams(search);
  const one = (name: string): string => params.get(name) ?? "";
  return {
    words: one(WORDS.words),
    like: one(WORDS.like),
    after: one(WORDS.after),
    before: one(WORDS.before),
    sort: one(WORDS.sort),
    open: one(WORDS.open),
    tab: one(WORDS.tab),
    pictures: params.getAll(LISTS.pictures),
    less: params.getAll(LISTS.less),
    kinds: params.getAll(LISTS.kinds).filter(isKind),
    paths: params.getAll(LISTS.paths),
    roots: params.getAll(LISTS.roots),
    indexes: params.getAll(LISTS.indexes),
  };
}

/** The address of a place, as a path with its parameters. */
export function written(place: Place): string {
  const params = new URLSearchParams();
  for (const [field, name] of Object.entries(WORDS) as [keyof typeof WORDS, string][]) {
    if (place[field]) params.set(name, place[field]);
  }
  for (const [field, name] of Object.entries(LISTS) as [keyof typeof LISTS, string][]) {
    for (const value of place[field]) params.append(name, value);
  }
  const present = new URLSearchParams(location.search);
  for (const name of KEPT) {
    const value = present.get(name);
    if (value !== null) params.set(name, value);
  }
  const text = params.toString();
  return text ? `${location.pathname}?${text}` : location.pathname;
}

/** Adds a step to the history, which the back button returns from. */
export function push(place: Place): void {
  const address = written(place);
  if (address !== location.pathname + location.search) history.pushState(null, "", address);
}

/** Changes the present step of the history, while a person types. */
export const replace = (place: Place): void => history.replaceState(null, "", written(place));

export const isEmpty = (query: Pick<Query, "words" | "like" | "pictures">): boolean =>
  !query.words.trim() && !query.like && !query.pictures.length;
