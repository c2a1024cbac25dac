// The query in the address, so that it can be shared and the back button works. Knows names of query fields; knows no elements.

const LISTS = { kinds: "kind", paths: "path", roots: "root", indexes: "index" };
const WORDS = { text: "q", like: "like", picture: "picture", after: "after", before: "before", sort: "sort", open: "open", tab: "tab" };

/** The query in the address; every field is there, empty where the address has none. */
export function read() {
  const params = new URLSearchParams(location.search);
  const query = {};
  for (const [field, name] of Object.entries(WORDS)) query[field] = params.get(name) || "";
  for (const [field, name] of Object.entries(LISTS)) query[field] = params.getAll(name);
  return query;
}

/** The address of a query. */
export function written(query) {
  const params = new URLSearchParams();
  for (const [field, name] of Object.entries(WORDS)) if (query[field]) params.set(name, query[field]);
  for (const [field, name] of Object.entries(LISTS)) for (const value of query[field]) params.append(name, value);
  const present = new URLSearchParams(location.search);
  if (present.has("__theme")) params.set("__theme", present.get("__theme"));
  const text = params.toString();
  return text ? `?${text}` : location.pathname;
}

/** Adds a step to the history, which the back button returns from. */
export function push(query) {
  const address = written(query);
  if (address !== (location.search || location.pathname)) history.pushState(null, "", address);
}

/** Changes the present step of the history, while a person types. */
export const replace = (query) => history.replaceState(null, "", written(query));

export const isEmpty = (query) => !query.text.trim() && !query.like && !query.picture;
