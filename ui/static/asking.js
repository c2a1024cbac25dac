// Requests to our own server, and its errors in words. Knows the routes below /v1; knows no elements.
import { t } from "./words.js";

/** What went wrong and what to do next, ready to be shown. */
export class Refusal extends Error {
  constructor(what, remedy, code) {
    super(what);
    this.remedy = remedy;
    this.code = code;
  }
}

/** The JSON that a route answers. Throws Refusal; an aborted request throws the browser's own AbortError. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = body === undefined ? {} : { "Content-Type": "application/json" };
  let answer;
  try {
    answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(t("error_down", { address: location.origin }), t("error_down_more"), "down");
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok) return json;
  const error = json && json.error;
  if (error && error.what) throw new Refusal(error.what, error.remedy || "", error.code || answer.status);
  throw new Refusal(t("error_other", { status: answer.status }), t("error_other_more"), answer.status);
}

/** `path?name=value…`, empty values left off. */
export function withValues(path, values) {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined && value !== "") kept.set(name, value);
  const written = kept.toString();
  return written ? `${path}${path.includes("?") ? "&" : "?"}${written}` : path;
}

export const media = (id, index, size, more = {}) => withValues(`/v1/media/${encodeURIComponent(id)}`, { size, index, ...more });
export const search = (request, signal) => ask("/v1/search", { method: "POST", body: request, signal });
/** A passage. `regions`: with outlines, which may take seconds if OCR must find the words. */
export const passage = (id, index, words, regions, signal) => ask(withValues(`/v1/passages/${encodeURIComponent(id)}`, { index, words, regions }), { signal });
export const indexes = () => ask("/v1/indexes");
export const status = (index) => ask(withValues("/v1/status", { index }));
export const startIndexing = (index, root) => ask("/v1/index", { method: "POST", body: { index, root } });
export const job = (id) => ask(`/v1/index/jobs/${encodeURIComponent(id)}`);
export const stopIndexing = (id) => ask(`/v1/index/jobs/${encodeURIComponent(id)}`, { method: "DELETE" });
