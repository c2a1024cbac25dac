// A picture or page to zoom and drag, with the matches outlined. Knows pixels and pointers; knows no server.
import { fill, h, icon } from "./dom.js";
import { t } from "./words.js";

const MOST = 12; // zoom; 1 shows the whole picture
const SHARPER = 1.4; // from this zoom on the full picture is loaded

/** The picture of a passage: `view` is shown at once, `full` after zooming in. */
export function stage(passage, view, full) {
  let [scale, x, y] = [1, 0, 0];
  let grabbed = null;
  const pointers = new Map();
  const image = h("img", { src: view, alt: passage.caption || passage.text.slice(0, 300) || passage.document, draggable: "false" });
  const box = (region) => h("span", { class: "region", title: region.words || "", style: { left: `${region.x * 100}%`, top: `${region.y * 100}%`, width: `${region.width * 100}%`, height: `${region.height * 100}%` } });
  const sheet = h("div", { class: "sheet" }, image);
  const note = h("span", { class: "stage-note", role: "status" });
  const button = (name, key, act) => h("button", { type: "button", class: "round", "aria-label": t(key), title: t(key), on: { click: act } }, icon(name));
  const tools = h("div", { class: "stage-tools" }, note, button("minus", "zoom_out", () => zoom(1 / 1.5)), button("fit", "fit", () => fit()), button("plus", "zoom_in", () => zoom(1.5)));
  const window_ = h("div", { class: "stage", tabindex: "0", "aria-label": passage.document, role: "group" }, sheet);
  image.addEventListener("error", () => fill(window_, h("p", { class: "stage-none" }, t("no_picture"))), { once: true });

  function draw() {
    const [w, height] = [window_.clientWidth, window_.clientHeight];
    const [reachX, reachY] = [Math.max(0, (sheet.offsetWidth * scale - w) / 2), Math.max(0, (sheet.offsetHeight * scale - height) / 2)];
    x = Math.min(reachX, Math.max(-reachX, x));
    y = Math.min(reachY, Math.max(-reachY, y));
    sheet.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    window_.classList.toggle("is-zoomed", scale > 1);
    if (scale >= SHARPER && image.getAttribute("src") !== full) sharpen();
  }
  function sharpen() {
    const sharp = new Image();
    sharp.onload = () => (image.src = full);
    sharp.src = full;
  }
  /** Zooms around a point, measured from the middle of the window; by default the middle. */
  function zoom(by, aroundX = 0, aroundY = 0) {
    const to = Math.min(MOST, Math.max(1, scale * by));
    x = aroundX - ((aroundX - x) * to) / scale;
    y = aroundY - ((aroundY - y) * to) / scale;
    scale = to;
    draw();
  }
  function fit() {
    [scale, x, y] = [1, 0, 0];
    draw();
  }
  const middle = (event) => {
    const box = window_.getBoundingClientRect();
    return [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
  };
  window_.addEventListener("wheel", (event) => (event.preventDefault(), zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), ...middle(event))), { passive: false });
  window_.addEventListener("dblclick", (event) => (scale > 1 ? fit() : zoom(2.5, ...middle(event))));
  window_.addEventListener("pointerdown", (event) => (window_.setPointerCapture(event.pointerId), pointers.set(event.pointerId, event), (grabbed = { x: event.clientX - x, y: event.clientY - y })));
  window_.addEventListener("pointermove", (event) => {
    if (!pointers.has(event.pointerId)) return;
    const before = spread(pointers);
    pointers.set(event.pointerId, event);
    if (pointers.size === 2) return zoom(spread(pointers) / before);
    [x, y] = [event.clientX - grabbed.x, event.clientY - grabbed.y];
    return draw();
  });
  for (const name of ["pointerup", "pointercancel"]) window_.addEventListener(name, (event) => pointers.delete(event.pointerId));
  window_.addEventListener("keydown", (event) => {
    const act = { "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: fit }[event.key];
    if (act) (event.preventDefault(), act());
  });
  /** Outlines the matches, rectangles in 0…1 of the picture. */
  function outline(regions) {
    for (const old of sheet.querySelectorAll(".region")) old.remove();
    sheet.append(...regions.map(box));
    note.classList.remove("is-coming");
    note.textContent = regions.length ? t("regions", { n: regions.length }) : "";
  }
  /** Says that the matches are being looked for. */
  function coming() {
    note.classList.add("is-coming");
    note.textContent = t("regions_coming");
  }
  outline(passage.regions || []);
  return { element: h("div", { class: "stage-frame" }, window_, tools), outline, coming };
}

function spread(pointers) {
  const [a, b] = [...pointers.values()];
  return b ? Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY) || 1 : 1;
}
