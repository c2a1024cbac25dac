// Cards in their order, which do not jump under the pointer. Knows cards and keys; knows no server.
import { h } from "./dom.js";
import { card } from "./cards.js";

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A grid of hits: `show` sets them, `append` adds some, `held` says whether moving cards would disturb the reader. */
export function grid(open) {
  const element = h("div", { class: "grid", role: "list" });
  let pointed = false;
  element.addEventListener("pointermove", () => (pointed = true));
  element.addEventListener("pointerleave", () => (pointed = false));
  element.addEventListener("keydown", (event) => move(element, event));
  const cards = () => Array.from(element.querySelectorAll(".card"));

  /** Shows exactly these hits; cards that stay slide to their new places. */
  function show(hits, { below = hits.length, line = null } = {}) {
    const before = new Map(cards().map((one) => [one.dataset.id, one.getBoundingClientRect()]));
    const made = hits.map((hit) => wrapped(hit));
    if (line) made.splice(below, 0, line);
    element.replaceChildren(...made);
    if (!before.size || still()) return;
    for (const one of cards()) slide(one, before.get(one.dataset.id));
  }

  function append(hits) {
    element.append(...hits.map((hit) => wrapped(hit)));
  }

  const wrapped = (hit) => {
    const made = card(hit, open);
    made.setAttribute("role", "listitem");
    return made;
  };

  const held = () => pointed || element.contains(document.activeElement) || element.getBoundingClientRect().top < -40;
  const focus = (id) => {
    const wanted = id ? element.querySelector(`[data-id="${CSS.escape(id)}"] .card-open`) : element.querySelector(".card-open");
    wanted?.focus();
    return Boolean(wanted);
  };
  const rest = () => (pointed = false);
  return { element, show, append, held, focus, rest, size: () => cards().length };
}

function slide(one, from) {
  const to = one.getBoundingClientRect();
  if (!from) return one.animate([{ opacity: 0 }, { opacity: 1 }], { duration: 180, easing: "ease-out" });
  const [x, y] = [from.left - to.left, from.top - to.top];
  if (x || y) one.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: "none" }], { duration: 240, easing: "cubic-bezier(.2,.7,.2,1)" });
  return null;
}

/** Arrow keys move between cards as laid out: left and right by one, up and down to the nearest in the next row. */
function move(element, event) {
  if (!["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"].includes(event.key) || event.altKey || event.ctrlKey || event.metaKey) return;
  const buttons = Array.from(element.querySelectorAll(".card-open"));
  const at = buttons.indexOf(document.activeElement);
  if (at < 0) return;
  event.preventDefault();
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key] ?? across(buttons, at, event.key === "ArrowDown" ? 1 : -1);
  if (to < 0) return void element.dispatchEvent(new CustomEvent("leave", { bubbles: true }));
  buttons[Math.min(to, buttons.length - 1)].focus();
}

/** The place of a card in the layout, even while it still moves there. */
function laidOut(card) {
  const place = { top: 0, left: 0 };
  for (let one = card; one; one = one.offsetParent) {
    place.top += one.offsetTop;
    place.left += one.offsetLeft;
  }
  return place;
}

function across(buttons, at, direction) {
  const boxes = buttons.map((button) => laidOut(button.closest(".card")));
  const here = boxes[at];
  const beyond = boxes.map((box, number) => ({ box, number })).filter(({ box }) => (box.top - here.top) * direction > 4);
  if (!beyond.length) return direction < 0 ? -1 : at;
  const row = beyond.reduce((best, one) => ((one.box.top - best.box.top) * direction < 0 ? one : best)).box.top;
  const inRow = beyond.filter(({ box }) => Math.abs(box.top - row) < 4);
  return inRow.reduce((best, one) => (Math.abs(one.box.left - here.left) < Math.abs(best.box.left - here.left) ? one : best)).number;
}
