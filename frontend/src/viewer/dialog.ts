// An opened hit: its page, picture, video or text, and what is beside it. Knows the JSON of a passage; knows no result list.
import { notice, round } from "../controls";
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
import { swipes } from "./swipes";

export interface DialogEvents {
  closed(id: string): void; // by a person; `id` is the hit that was open
  turned(hit: Listed): void; // to another hit
  alike(id: string, index: string): void; // more like this passage
}

export interface Dialog {
  element: HTMLDialogElement;
  open(what: Opened): void;
  close(): void; // without an event
}

const SPACE = " ";

export function dialog(on: DialogEvents): Dialog {
  let opened: Opened | null = null;
  let hit: Listed | null = null; // the result it was opened from; null if only the address named it
  let shown: Passage | null = null;
  let canvas: Stage | null = null;
  let loading = new AbortController();
  let isSilent = false;
  const leaving = new AbortController();
  const look = h("div", { class: "look" });
  const side = h("aside", { class: "side" });
  const title = h("h2", { id: "viewer-title" });
  const where = h("span", { class: "dim" });
  const previous = round("left", "previous_hit", () => turn(-1));
  const next = round("right", "next_hit", () => turn(1));
  const top = h(
    "header",
    { class: "viewer-top" },
    h("div", { class: "viewer-name" }, title, where),
    previous,
    next,
    round("close", "close", () => element.close()),
  );
  const element: HTMLDialogElement = h(
    "dialog",
    { class: "viewer", "aria-labelledby": "viewer-title", tabindex: "-1" },
    top,
    h("div", { class: "viewer-body" }, look, side),
  );
  swipes(look, () => !canvas?.isZoomed(), { left: () => turn(1), right: () => turn(-1), down: () => element.close() });
  element.addEventListener("close", () => {
    loading.abort();
    const id = hit?.id ?? shown?.id ?? "";
    [opened, hit, shown, canvas] = [null, null, null, null];
    fill(look);
    fill(side);
    if (!isSilent) on.closed(id);
  });
  // The focus may be on the page below, or on a control of ours that does not use the key.
  document.addEventListener("keydown", (event) => element.open && keys(event), { signal: leaving.signal });

  const hits = (): Listed[] => opened?.hits ?? [];
  const at = (): number => hits().findIndex((one) => one.id === hit?.id);
  function turn(by: number): void {
    const to = hits()[at() + by];
    if (!to || !hit) return;
    hit = to;
    on.turned(to);
    show(to.id, to.index);
  }

  function open(what: Opened): void {
    opened = what;
    hit = what.hits.find((one) => one.id === what.id) ?? null;
    show(what.id, what.index, what.alike);
  }

  /** Opens the dialog, and says what is coming and whether there is one before and after it. */
  function announce(): void {
    if (!element.open) element.showModal();
    previous.disabled = !hit || at() <= 0;
    next.disabled = !hit || at() < 0 || at() >= hits().length - 1;
    if (hit) title.textContent = nameOf(hit.document);
  }

  async function show(id: string, index: string, alike = false): Promise<void> {
    loading.abort();
    const mine = new AbortController();
    loading = mine;
    announce();
    look.classList.add("is-loading");
    try {
      const isSheet = (hit ?? shown)?.locator.sheet !== undefined;
      const found = await load(id, index, opened?.words ?? "", false, mine.signal, isSheet ? SHEET_REACH : undefined);
      draw(found);
      look.classList.remove("is-loading");
      if (alike) side.querySelector<HTMLElement>(".similar .near")?.focus();
      if (canvas && found.marks.length) await outline(canvas, found, mine.signal);
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
    const openId = (id: string): Promise<void> => show(id, found.index);
    title.textContent = nameOf(found.document);
    where.textContent = [t(`kind_${found.kind}`), spotOf(found)].filter(Boolean).join(" · ");
    drawLook(found, own, openId);
    fill(
      side,
      actions(found, hit, () => likeThis(found), canvas ? () => canvas?.crop(searchFor) : null),
      about(found),
      captionOf(found),
      beside(found, openId),
      similar(found, hit, openId),
      textOf(found),
      own ? why(own) : null,
    );
    side.scrollTop = 0;
    if (!element.contains(document.activeElement)) element.focus(); // the button that had the focus may be gone
    const here = side.querySelector<HTMLElement>(".near-here");
    if (here?.parentElement) centre(here, here.parentElement);
  }

  function drawLook(found: Passage, own: Listed | null, openId: (id: string) => unknown): void {
    canvas = null;
    const same = hits().filter((one) => one.document === found.document && one.root === found.root);
    if (found.trouble && found.modality !== "text") fill(look, notice(found.trouble.what, found.trouble.remedy));
    else if (found.video) fill(look, film(found, found.video, own, same));
    else if (found.modality === "text") {
      fill(look, reader(found, openId));
      look.querySelector(".reader-own")?.scrollIntoView({ block: "center" });
    } else {
      const view = found.picture ?? media(found.id, found.index, "view");
      canvas = stage(found, view, media(found.id, found.index, "full"));
      fill(look, canvas.element);
    }
  }

  function likeThis(found: Passage): void {
    close();
    on.alike(found.id, found.index);
  }

  /** Searches with a picture: a part of the one that is open. */
  function searchFor(picture: string): void {
    close(); // without a step back in the history: the search is a step on
    document.dispatchEvent(new CustomEvent("rag:picture", { detail: picture }));
  }

  function keys(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.matches("input, textarea, select")) return;
    const isArrow = event.key.startsWith("Arrow");
    if (isArrow && target.matches("video, [role=slider]")) return;
    if (event.key === SPACE && target.matches("button, a, summary, video")) return;
    if (!act(event.key)) return;
    event.preventDefault();
  }

  /** Does what a key stands for; false if it stands for nothing. */
  function act(key: string): boolean {
    if (canvas?.key(key)) return true;
    const openNear = (id: string | undefined): void => {
      if (id && shown) show(id, shown.index);
    };
    const video = look.querySelector("video");
    const acts: Record<string, () => unknown> = {
      ArrowLeft: () => turn(-1),
      ArrowRight: () => turn(1),
      "[": () => openNear(shown?.neighbours.before.at(-1)?.id),
      "]": () => openNear(shown?.neighbours.after[0]?.id),
      [SPACE]: () => (video?.paused ? video.play() : video?.pause()),
    };
    const chosen = key === SPACE && !video ? undefined : acts[key];
    chosen?.();
    return chosen !== undefined;
  }

  function close(): void {
    if (!element.open) return;
    isSilent = true;
    element.close(); // its event follows in a task of its own
    element.addEventListener(
      "close",
      () => {
        isSilent = false;
      },
      { once: true },
    );
  }
  return { element, open, close };
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
