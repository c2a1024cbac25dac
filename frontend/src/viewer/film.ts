// A video that starts at its hit, muted, with the other hits on its time line; frames where browsers cannot play it. Knows no result list.
import { fill, h } from "../dom";
import { clock } from "../places";
import { media, type Passage, part, type VideoView } from "../server";
import type { Listed } from "../types";
import { t } from "../words";
import { frames, type Moment, momentsOf } from "./moments";

const CLIP = 30; // seconds transcoded at once, where browsers cannot play the file
const LEAD = 2; // seconds that a clip begins before the moment it is for
const AHEAD = 12; // seconds before the end of a clip when the next one is requested

/** The video of a passage. `hit` is the result it belongs to or null, `same` all results of its document. A quiet one waits to be started. */
export function film(
  passage: Passage,
  play: VideoView,
  hit: Listed | null,
  same: Listed[],
  { isQuiet } = { isQuiet: false },
): HTMLElement {
  const start = play.start ?? passage.locator.start ?? 0;
  const length = play.duration || Math.max(start, ...same.map((one) => one.locator.end ?? 0)) || 1;
  const moments = momentsOf(passage, hit, same);
  const holder = h("div", { class: "film" });
  if (play.playable === "frames") return fill(holder, frames(passage, start, length, moments));
  const { screen, at, go } = player(passage, play, start, length, isQuiet, () => {
    fill(holder, h("p", { class: "film-note" }, t("video_error")), frames(passage, start, length, moments));
  });
  const clicked = (event: MouseEvent): void =>
    go((event.offsetX / (event.currentTarget as HTMLElement).offsetWidth) * length);
  const track = h("div", { class: "film-track", "aria-hidden": "true", on: { click: clicked } });
  const dots = moments.map((moment) => dot(moment, length, go));
  return fill(
    holder,
    screen,
    h("p", { class: "film-label" }, t("hits_here")),
    h("div", { class: "film-line" }, track, at, dots),
  );
}

interface Player {
  screen: HTMLElement;
  at: HTMLElement; // where the video is, on the time line
  go(time: number): void;
}

/** The video element, played clip by clip where the file is transcoded. */
function player(
  passage: Passage,
  play: VideoView,
  start: number,
  length: number,
  isQuiet: boolean,
  failed: () => void,
): Player {
  const { clip } = play; // the range that is played of a transcoded video; its own clock starts at 0
  let offset = clip ? clip.start : 0;
  let wanted = start; // second of the file to show when the next clip is loaded
  let requested = 0; // start of the next clip that was requested, in seconds
  const waiting = h("p", { class: "film-wait" }, t("converting"));
  const video = h("video", {
    class: "film-video",
    controls: true,
    playsinline: true,
    preload: isQuiet ? "none" : "auto",
    poster: passage.picture || media(passage.id, passage.index, "view"),
    "aria-label": passage.document,
  });
  video.muted = true; // sound starts only when a person turns it on
  video.src = part(passage.id, "video", { index: passage.index });
  const screen = h("div", { class: "film-screen" }, video, isQuiet ? null : waiting);
  const at = h("span", { class: "film-at", style: { left: `${(start / length) * 100}%` } });
  const seek = (time: number): void => {
    video.currentTime = Math.min(Math.max(0, time - offset), Math.max(0, video.duration - 0.05));
    video.play().catch(() => null); // a browser may wait for a click; the controls are there
  };
  const end = (): number => offset + (video.duration || 0);
  const continues = (): boolean => Boolean(clip) && video.duration > 0.5 && end() < length - 0.5;
  const address = (from: number): string =>
    part(passage.id, "clip", {
      index: passage.index,
      start: from.toFixed(3),
      end: Math.min(length, from + CLIP).toFixed(3),
    });
  /** Plays the clip that begins at second `from` of the file, starting at second `time`. */
  const playClip = (from: number, time: number): void => {
    [wanted, offset] = [time, from];
    video.src = address(from);
    screen.append(waiting);
  };
  if (isQuiet) video.addEventListener("play", () => video.readyState || screen.append(waiting), { once: true });
  video.addEventListener("loadedmetadata", () => {
    waiting.remove();
    seek(wanted);
  });
  video.addEventListener("timeupdate", () => {
    at.style.setProperty("left", `${(Math.min(length, video.currentTime + offset) / length) * 100}%`);
    if (!continues() || end() === requested || video.duration - video.currentTime > AHEAD) return;
    requested = end();
    fetch(address(requested), { headers: { Range: "bytes=0-0" } }).catch(() => null); // transcoded while this one still plays
  });
  video.addEventListener("ended", () => continues() && playClip(end(), end()));
  video.addEventListener("error", failed, { once: true });
  const go = (time: number): void => {
    const isHere = !clip || (time >= offset && time < end());
    if (isHere) seek(time);
    else playClip(Math.max(0, time - LEAD), time);
  };
  return { screen, at, go };
}

function dot(moment: Moment, length: number, go: (time: number) => void): HTMLElement {
  const percent = (seconds: number): string => `${(seconds / length) * 100}%`;
  return h("button", {
    type: "button",
    class: `film-mark${moment.isOwn ? " film-own" : ""}`,
    "aria-label": t("hit_at", { time: clock(moment.start) }),
    title: clock(moment.start),
    style: { left: percent(moment.start), width: percent(Math.max(0, moment.end - moment.start)) },
    on: { click: () => go(moment.start) },
  });
}
