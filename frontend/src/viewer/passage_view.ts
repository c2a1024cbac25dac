// What is seen of a passage: its page, picture, video or text, and the column beside it. Knows the JSON of a passage and whether the
// address is a search; knows no window and no other hit than the one it belongs to.
import * as address from "../address";
import { notice } from "../controls";
import { fill, h } from "../dom";
import { nameOf, place } from "../places";
import { isAbort, passage as load, media, type Passage, Refusal } from "../server";
import type { Listed, Opened } from "../types";
import { t } from "../words";
import { why } from "./explain";
import { film } from "./film";
import { reader, SHEET_REACH } from "./reader";
import { about, actions, beside, captionOf, similar, textOf } from "./side";
import { type Stage, stage } from "./stage";

export interface ViewEvents {
  alike(found: Passage): void; // more like this passage
  unlike(found: Passage): void; // less like this passage
  searched(picture: string): void; // with a part of the picture
  drawn(): void; // other controls than before
}

export interface PassageView {
  look: HTMLElement;
  side: HTMLElement;
  title: HTMLElement;
  where: HTMLElement;
  /** Shows a passage. `from` is the result that it was opened from; null if only the address named it. */
  show(what: Opened, from: Listed | null): void;
  clear(): void;
  /** Does what a key stands for; false if it stands for nothing here. */
  act(key: string): boolean;
  isZoomed(): boolean;
}

const SPACE = " ";
const REST = 400; // milliseconds on one result in a quiet view, before text in its picture is recognised

/** An empty view. A quiet one starts no video, and has words recognised only where a person rests: it follows through a list. */
export function passageView(on: ViewEvents, { isQuiet } = { isQuiet: false }): PassageView {
  let opened: Opened | null = null;
  let hit: Listed | null = null;
  let shown: Passage | null = null;
  let canvas: Stage | null = null;
  let loading = new AbortController();
  const look = h("div", { class: "look" });
  const side = h("div", { class: "side" });
  const title = h("h2", {});
  const where = h("span", { class: "dim" });

  function show(what: Opened, from: Listed | null): void {
    opened = what;
    hit = from;
    if (hit) title.textContent = nameOf(hit.document);
    loadAndDraw(what.id, what.index, what.alike);
  }

  async function loadAndDraw(id: string, index: string, alike = false): Promise<void> {
    loading.abort();
    const mine = new AbortController();
    loading = mine;
    look.classList.add("is-loading");
    try {
      const isSheet = (hit ?? shown)?.locator.sheet !== undefined;
      const found = await load(id, index, opened?.words ?? "", false, mine.signal, isSheet ? SHEET_REACH : undefined);
      draw(found);
      look.classList.remove("is-loading");
      if (alike) side.querySelector<HTMLElement>(".similar .near")?.focus();
      if (canvas) await outline(canvas, found, mine.signal);
    } catch (error) {
      if (isAbort(error)) return;
      if (!(error instanceof Refusal)) throw error;
      fill(look, notice(error.message, error.remedy));
      fill(side);
    } finally {
      if (loading === mine) look.classList.remove("is-loading"); // else a later one is loading
    }
  }

  /** Adds the outlines of the matches when they are found; the picture is there already, and stays without them. */
  async function outline(made: Stage, found: Passage, signal: AbortSignal): Promise<void> {
    if (!found.marks.length) return;
    if (isQuiet && found.kind !== "page") await rested(signal);
    made.coming();
    try {
      made.outline((await load(found.id, found.index, opened?.words ?? "", true, signal)).regions);
    } catch (error) {
      if (isAbort(error) || !(error instanceof Refusal)) throw error;
      made.outline([]);
    }
  }

  function draw(found: Passage): void {
    shown = found;
    const own = hit && [hit, ...hit.members].some((one) => one.id === found.id) ? hit : null;
    const openId = (id: string): Promise<void> => loadAndDraw(id, found.index);
    title.textContent = nameOf(found.document);
    where.textContent = [t(`kind_${found.kind}`), spotOf(found)].filter(Boolean).join(" · ");
    drawLook(found, own, openId);
    fill(
      side,
      actions(found, hit, {
        alike: () => on.alike(found),
        unlike: isSearch() ? () => on.unlike(found) : null,
        crop: canvas ? () => canvas?.crop(on.searched) : null,
      }),
      about(found),
      captionOf(found),
      beside(found, openId),
      similar(found, hit, openId),
      textOf(found),
      own ? why(own) : null,
    );
    side.scrollTop = 0;
    on.drawn();
    const here = side.querySelector<HTMLElement>(".near-here");
    if (here?.parentElement) centre(here, here.parentElement);
  }

  function drawLook(found: Passage, own: Listed | null, openId: (id: string) => unknown): void {
    canvas = null;
    const same = (opened?.hits ?? []).filter((one) => one.document === found.document && one.root === found.root);
    if (found.trouble && found.modality !== "text") fill(look, notice(found.trouble.what, found.trouble.remedy));
    else if (found.video) fill(look, film(found, found.video, own, same, { isQuiet }));
    else if (found.modality === "text") {
      fill(look, reader(found, openId));
      centreRows(look);
    } else {
      const view = found.picture ?? media(found.id, found.index, "view");
      canvas = stage(found, view, media(found.id, found.index, "full"));
      fill(look, canvas.element);
    }
  }

  function act(key: string): boolean {
    if (canvas?.key(key)) return true;
    const openNear = (id: string | undefined): void => {
      if (id && shown) loadAndDraw(id, shown.index);
    };
    const video = look.querySelector("video");
    const acts: Record<string, () => unknown> = {
      "[": () => openNear(shown?.neighbours.before.at(-1)?.id),
      "]": () => openNear(shown?.neighbours.after[0]?.id),
      [SPACE]: () => (video?.paused ? video.play() : video?.pause()),
    };
    const chosen = key === SPACE && !video ? undefined : acts[key];
    chosen?.();
    return chosen !== undefined;
  }

  function clear(): void {
    loading.abort();
    [opened, hit, shown, canvas] = [null, null, null, null];
    for (const one of [look, side, title, where]) fill(one);
  }
  return { look, side, title, where, show, clear, act, isZoomed: () => canvas?.isZoomed() ?? false };
}

/** After a while; throws the browser's AbortError if something else is shown before. */
async function rested(signal: AbortSignal): Promise<void> {
  await new Promise((done) => setTimeout(done, REST));
  signal.throwIfAborted();
}

/** Whether the page shows the results of a search. */
function isSearch(): boolean {
  const place = address.read();
  return !place.tab && !address.isEmpty(place);
}

/** Whether a key is for a control that has the focus, and not for the view. */
export function isForControl(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return true;
  if (event.key.startsWith("Arrow") && target.matches("video, [role=slider]")) return true;
  return event.key === SPACE && target.matches("button, a, summary, video");
}

/** `p. 3 of 12`. */
function spotOf(found: Passage): string {
  const spot = place(found.locator);
  return found.pages && found.locator.page !== undefined ? t("of_pages", { place: spot, n: found.pages }) : spot;
}

/** Scrolls the strip so that the element is in its middle. */
function centre(here: HTMLElement, strip: HTMLElement): void {
  strip.scrollLeft = here.offsetLeft - strip.offsetLeft - (strip.clientWidth - here.clientWidth) / 2;
}

/** Scrolls a text so that the passage itself is in the middle, or its begin on top if it is long; nothing around it moves. */
function centreRows(look: HTMLElement): void {
  const [frame, own] = [look.querySelector(".reader"), look.querySelector(".reader-own")];
  if (!frame || !own) return;
  const [outer, inner] = [frame.getBoundingClientRect(), own.getBoundingClientRect()];
  frame.scrollTop += inner.top - outer.top - Math.max(0, (outer.height - inner.height) / 2);
}
