// The query in the address, so that it can be shared and the back button works. Knows names of fields; knows no elements.

const LISTS = { kinds: "kind", paths: "path", roots: "root", indexes: "index" };
const WORDS = { text: "q", like: "like", picture: "picture", after: "after", before: "before", sort: "sort", open: "open", tab: "tab" };

/** What the address asks for; every field is there, empty where nothing was said. */
export function read() {
  const said = new URLSearchParams(location.search);
  const asked = {};
  for (const [field, name] of Object.entries(WORDS)) asked[field] = said.get(name) || "";
  for (const [field, name] of Object.entries(LISTS)) asked[field] = said.getAll(name);
  return asked;
}

/** The address of a query. */
export function written(asked) {
  const said = new URLSearchParams();
  for (const [field, name] of Object.entries(WORDS)) if (asked[field]) said.set(name, asked[field]);
  for (const [field, name] of Object.entries(LISTS)) for (const value of asked[field]) said.append(name, value);
  const kept = new URLSearchParams(location.search);
  if (kept.has("__theme")) said.set("__theme", kept.get("__theme"));
  const query = said.toString();
  return query ? `?${query}` : location.pathname;
}

/** A new step of the history: the back button returns here. */
export function push(asked) {
  const address = written(asked);
  if (address !== (location.search || location.pathname)) history.pushState(null, "", address);
}

/** The same step with other words, while a person types. */
export const replace = (asked) => history.replaceState(null, "", written(asked));

export const asksNothing = (asked) => !asked.text.trim() && !asked.like && !asked.picture;
