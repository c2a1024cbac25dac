// A video that starts at its hit, with the other hits on its time line; frames where browsers cannot play it. Knows no result list.
import { fill, h, icon } from "./dom.js";
import { clock } from "./places.js";
import { t } from "./words.js";

const FRAMES = 12; // in the strip
const CLIP = 30; // seconds transcoded at once, where browsers cannot play the file
const LEAD = 2; // seconds that a clip begins before the moment it is for
const AHEAD = 12; // seconds before the end of a clip when the next one is requested

/** The video of a passage. `hit` is the result it belongs to or null, `same` all results of its document. */
export function film(passage, hit, same, media) {
  const start = passage.video.start ?? passage.locator.start ?? 0;
  const length = passage.video.duration || Math.max(start, ...same.map((one) => one.locator.end || 0)) || 1;
  const times = marksOf(passage, hit, same);
  const holder = h("div", { class: "film" });
  const strip = () => fill(holder, frames(passage, start, length, media, times));
  if (passage.video.playable === "frames") {
    strip();
    return holder;
  }
  const clip = passage.video.clip; // the range that is played of a transcoded video; its own clock starts at 0
  let offset = clip ? clip.start : 0;
  const waiting = h("p", { class: "film-wait" }, t("converting"));
  const video = h("video", { class: "film-video", controls: true, playsinline: true, preload: "auto", poster: passage.picture || media(passage.id, passage.index, "view"), "aria-label": passage.document });
  video.src = `/v1/media/${encodeURIComponent(passage.id)}/video?${new URLSearchParams({ index: passage.index })}`;
  const at = h("span", { class: "film-at", style: { left: `${(start / length) * 100}%` } });
  let wanted = start; // second of the file to show when the next clip is loaded
  video.addEventListener("loadedmetadata", () => {
    waiting.remove();
    seek(wanted);
  });
  const seek = (time) => {
    video.currentTime = Math.min(Math.max(0, time - offset), Math.max(0, video.duration - 0.05));
    video.play().catch(() => null); // a browser may forbid sound before a click; the controls are there
  };
  const end = () => offset + (video.duration || 0);
  const continues = () => clip && video.duration > 0.5 && end() < length - 0.5;
  let requested = 0; // start of the next clip that was requested, in seconds
  video.addEventListener("timeupdate", () => {
    if (!continues() || end() === requested || video.duration - video.currentTime > AHEAD) return;
    requested = end();
    fetch(clipAddress(passage, requested, length), { headers: { Range: "bytes=0-0" } }).catch(() => null); // transcoded while this one still plays
  });
  video.addEventListener("ended", () => continues() && playClip(end(), end()));
  video.addEventListener("timeupdate", () => at.style.setProperty("left", `${(Math.min(length, video.currentTime + offset) / length) * 100}%`));
  video.addEventListener("error", () => (strip(), holder.prepend(h("p", { class: "film-note" }, t("video_error")))), { once: true });
  const go = (time) => {
    const here = !clip || (time >= offset && time < offset + (video.duration || 0));
    if (here) return seek(time);
    return playClip(Math.max(0, time - LEAD), time);
  };
  /** Plays the clip that begins at second `from` of the file, starting at second `time`. */
  const playClip = (from, time) => {
    [wanted, offset] = [time, from];
    video.src = clipAddress(passage, from, length);
    return video.parentElement.append(waiting);
  };
  const line = h("div", { class: "film-line" }, h("div", { class: "film-track", "aria-hidden": "true", on: { click: (event) => go((event.offsetX / event.currentTarget.offsetWidth) * length) } }), at, times.map((mark) => dot(mark, length, go)));
  fill(holder, h("div", { class: "film-screen" }, video, waiting), h("p", { class: "film-label" }, t("hits_here")), line);
  return holder;
}

function clipAddress(passage, from, length) {
  const values = new URLSearchParams({ index: passage.index, start: from.toFixed(3), end: Math.min(length, from + CLIP).toFixed(3) });
  return `/v1/media/${encodeURIComponent(passage.id)}/clip?${values}`;
}

/** The times of this hit and of the others in the same file, each once, in order. */
function marksOf(passage, hit, same) {
  const found = new Map();
  const all = [...same.flatMap((one) => one.members.map((member) => ({ locator: member.locator, own: one === hit }))), { locator: passage.locator, own: true }];
  for (const { locator, own } of all) if ("start" in locator) found.set(locator.start, { start: locator.start, end: locator.end, own: own || found.get(locator.start)?.own });
  return [...found.values()].sort((a, b) => a.start - b.start);
}

const dot = (mark, length, go) =>
  h("button", { type: "button", class: `film-mark${mark.own ? " film-own" : ""}`, "aria-label": t("hit_at", { time: clock(mark.start) }), title: clock(mark.start), style: { left: `${(mark.start / length) * 100}%`, width: `${(Math.max(0, mark.end - mark.start) / length) * 100}%` }, on: { click: () => go(mark.start) } });

/** A strip of frames, at the hits and throughout the file. */
function frames(passage, start, length, media, marks) {
  const even = Array.from({ length: FRAMES }, (_, n) => ((n + 0.5) * length) / FRAMES);
  const times = [...new Set([...marks.map((mark) => mark.start), ...even].map((time) => Math.round(time * 10) / 10))].sort((a, b) => a - b).slice(0, FRAMES * 2);
  const large = h("img", { class: "film-large", src: media(passage.id, passage.index, "view", { at: start }), alt: t("at", { time: clock(start) }) });
  const show = (time) => ((large.src = media(passage.id, passage.index, "view", { at: time })), (large.alt = t("at", { time: clock(time) })));
  const one = (time) =>
    h("button", { type: "button", class: `near${marks.some((mark) => Math.abs(mark.start - time) < 0.1) ? " near-here" : ""}`, on: { click: () => show(time) } }, h("img", { src: media(passage.id, passage.index, "thumb", { at: time }), alt: "", loading: "lazy" }), h("span", {}, clock(time)));
  return [h("div", { class: "film-screen" }, large), h("p", { class: "film-label" }, icon("frame"), t("frames_only")), h("div", { class: "nears nears-wide" }, times.map(one))];
}
