// Swipes of one finger: sideways to the next hit, down to close. Knows pointers; knows no hits.

const FAR = 60; // pixels that a swipe covers at least
const STRAIGHT = 1.6; // how much further it goes in its direction than across

export interface Swipes {
  left(): void;
  right(): void;
  down(): void;
}

/** Which way a finger moved, or "" if that was no swipe. */
export function direction(byX: number, byY: number): "left" | "right" | "down" | "" {
  const [wide, high] = [Math.abs(byX), Math.abs(byY)];
  if (wide >= FAR && wide > high * STRAIGHT) return byX < 0 ? "left" : "right";
  return byY >= FAR && high > wide * STRAIGHT ? "down" : "";
}

/** Calls what a swipe over `element` stands for, while `isFree`: a zoomed picture moves with the finger instead. */
export function swipes(element: HTMLElement, isFree: () => boolean, on: Swipes): void {
  let began: { id: number; x: number; y: number; scrolled: number } | null = null;
  element.addEventListener("touchstart", (event) => {
    const [touch, second] = event.touches;
    const scrolled = element.querySelector(".reader")?.scrollTop ?? 0;
    const isOurs = touch && !second && isFree() && !(event.target as HTMLElement).closest("video, .film-line, .nears");
    began = isOurs ? { id: touch.identifier, x: touch.clientX, y: touch.clientY, scrolled } : null;
  });
  element.addEventListener("touchend", (event) => {
    const touch = Array.from(event.changedTouches).find((one) => one.identifier === began?.id);
    if (!touch || !began || event.touches.length) return;
    const way = direction(touch.clientX - began.x, touch.clientY - began.y);
    const isScroll = way === "down" && element.querySelector(".reader") !== null;
    began = null;
    if (way && !isScroll) on[way]();
  });
}
