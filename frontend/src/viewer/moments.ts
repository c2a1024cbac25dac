// The moments of a video: its hits in order, and a strip of frames at them. Knows the JSON of a passage; plays nothing.
import { type Child, h } from "../dom";
import { icon } from "../icons";
import { clock } from "../places";
import { media, type Passage } from "../server";
import type { Listed, Locator } from "../types";
import { t } from "../words";

const FRAMES = 12; // evenly in the strip

export interface Moment {
  start: number; // seconds
  end: number; // seconds
  isOwn: boolean; // of the hit that was opened
}

/** The times of this hit and of the others in the same file, each once, in order. */
export function momentsOf(passage: Pick<Passage, "locator">, hit: Listed | null, same: Listed[]): Moment[] {
  const found = new Map<number, Moment>();
  const note = ({ start, end }: Locator, isOwn: boolean): void => {
    if (start === undefined) return;
    found.set(start, { start, end: end ?? start, isOwn: isOwn || (found.get(start)?.isOwn ?? false) });
  };
  for (const one of same) for (const member of one.members) note(member.locator, one === hit);
  note(passage.locator, true);
  return [...found.values()].sort((a, b) => a.start - b.start);
}

/** A strip of frames, at the hits and throughout the file. */
export function frames(passage: Passage, start: number, length: number, moments: Moment[]): Child[] {
  const even = Array.from({ length: FRAMES }, (_, n) => ((n + 0.5) * length) / FRAMES);
  const rounded = [...moments.map((moment) => moment.start), ...even].map((time) => Math.round(time * 10) / 10);
  const times = [...new Set(rounded)].sort((a, b) => a - b).slice(0, FRAMES * 2);
  const address = (size: string, at: number): string => media(passage.id, passage.index, size, { at });
  const large = h("img", { class: "film-large", src: address("view", start), alt: t("at", { time: clock(start) }) });
  const show = (time: number): void => {
    large.setAttribute("src", address("view", time));
    large.alt = t("at", { time: clock(time) });
  };
  const one = (time: number): HTMLElement => {
    const isHit = moments.some((moment) => Math.abs(moment.start - time) < 0.1);
    return h(
      "button",
      { type: "button", class: `near${isHit ? " near-here" : ""}`, on: { click: () => show(time) } },
      h("img", { src: address("thumb", time), alt: "", loading: "lazy" }),
      h("span", {}, clock(time)),
    );
  };
  return [
    h("div", { class: "film-screen" }, large),
    h("p", { class: "film-label" }, icon("frame"), t("frames_only")),
    h("div", { class: "nears nears-wide" }, times.map(one)),
  ];
}
