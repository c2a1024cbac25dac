// What components load by address, as pictures are: media, and the details of a passage. Knows the routes below /v1; knows no elements.
import type { Failure, Kind, Locator, Mark } from "./types";
import { t } from "./words";

/** What went wrong and what to do next, ready to be shown. */
export class Refusal extends Error {
  constructor(
    what: string,
    readonly remedy: string,
    readonly code: string,
  ) {
    super(what);
  }
}

export interface Near {
  id: string;
  locator: Locator;
  kind: Kind;
  thumbnail: string | null;
  text: string;
}

export interface Region {
  x: number;
  y: number;
  width: number;
  height: number;
  words: string;
}

export interface VideoView {
  duration: number | null;
  start: number;
  playable: "direct" | "remux" | "transcode" | "frames";
  clip: { start: number; end: number } | null;
}

export interface Passage {
  id: string;
  index: string;
  root: string;
  document: string;
  path: string;
  kind: Kind;
  modality: string;
  locator: Locator;
  text: string;
  caption: string;
  context: { title?: string | null; heading?: string | null; about?: string | null };
  marks: Mark[];
  caption_marks: Mark[];
  neighbours: { before: Near[]; after: Near[] };
  regions: Region[];
  video: VideoView | null;
  pages: number | null;
  size: [number, number] | null;
  picture: string | null;
  thumbnail: string | null;
  modified: number | null;
  dated: number;
  location: { lat: number; lon: number } | null;
  trouble: Failure | null;
}

type Value = string | number | boolean | null | undefined;

/** `path?name=value…`, empty values left off. */
export function withValues(path: string, values: Record<string, Value>): string {
  const kept = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== null && value !== undefined && value !== "") kept.set(name, String(value));
  }
  const written = kept.toString();
  return written ? `${path}${path.includes("?") ? "&" : "?"}${written}` : path;
}

/** The address of a part of what shows a passage: `thumb`, `view` or `full`. */
export const media = (id: string, index: string, size: string, more: Record<string, Value> = {}): string =>
  withValues(`/v1/media/${encodeURIComponent(id)}`, { size, index, ...more });

/** The address of something else of a passage: `original`, `clip`, `video`. */
export const part = (id: string, name: string, values: Record<string, Value>): string =>
  withValues(`/v1/media/${encodeURIComponent(id)}/${name}`, values);

/** The JSON that a GET answers, or a POST of `body`. Throws Refusal, or the browser's AbortError. */
export async function ask<Value>(path: string, signal?: AbortSignal, body?: object): Promise<Value> {
  let answer: Response;
  const sent = body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  try {
    answer = await fetch(path, { credentials: "same-origin", ...(signal ? { signal } : {}), ...sent });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new Refusal(t("error_down", { address: location.origin }), t("error_down_more"), "down");
  }
  const json: unknown = await answer.json().catch(() => null);
  signal?.throwIfAborted(); // closed while the answer arrived: half of it is no value
  if (answer.ok && json) return json as Value;
  const failure = (json as { error?: Failure } | null)?.error;
  if (failure?.what) throw new Refusal(failure.what, failure.remedy, failure.code);
  throw new Refusal(t("error_other", { status: answer.status }), t("error_other_more"), String(answer.status));
}

/** A passage, with outlines if `regions`, which may take seconds if OCR must find the words; `reach`: how many neighbours. Throws Refusal, or the browser's AbortError. */
export const passage = (
  id: string,
  index: string,
  words: string,
  regions: boolean,
  signal: AbortSignal,
  reach?: number,
): Promise<Passage> =>
  ask<Passage>(withValues(`/v1/passages/${encodeURIComponent(id)}`, { index, words, regions, reach }), signal);

export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";
