// Where the matches of a query are in the pages on the cards: asked for once the order stands, of the cards that are seen.
// Knows cards and their pictures; draws no card.
import { h } from "../dom";
import { outlined } from "../region";
import { ask, type Region, withValues } from "../server";
import type { Hit } from "../types";

const AT_ONCE = 2; // requests: each makes a picture of a page
const AHEAD = "200px"; // below the window

interface Match {
  picture: string | null;
  regions: Region[];
}

export interface Matches {
  /** A card was drawn. */
  drawn(card: HTMLElement, hit: Hit): void;
  /** The order stands: the matches of these words may be looked for. Another query's are forgotten. */
  lookFor(words: string): void;
  /** Another query was made: nothing is looked for until its order stands. */
  wait(): void;
  removed(): void;
}

export function matchesOf(): Matches {
  let words: string | null = null;
  let known = new Map<string, Promise<Match | null>>();
  let running = 0;
  const queue: (() => void)[] = [];
  const hits = new WeakMap<Element, Hit>();
  const watch = new IntersectionObserver(
    (seen) => {
      for (const one of seen) {
        const hit = hits.get(one.target);
        if (one.isIntersecting && hit && words !== null) show(one.target as HTMLElement, hit);
      }
    },
    { rootMargin: AHEAD },
  );
  const waiting = new Set<HTMLElement>(); // cards drawn before the order stood

  function drawn(card: HTMLElement, hit: Hit): void {
    if (hit.kind !== "page" || !hit.marks.length) return;
    hits.set(card, hit);
    if (words === null) waiting.add(card);
    else watch.observe(card);
  }
  function wait(): void {
    words = null;
    waiting.clear();
    queue.length = 0;
    watch.disconnect();
  }
  function lookFor(asked: string): void {
    if (asked !== words) known = new Map();
    words = asked;
    for (const card of waiting) if (card.isConnected) watch.observe(card);
    waiting.clear();
  }
  async function show(card: HTMLElement, hit: Hit): Promise<void> {
    watch.unobserve(card);
    const asked = words ?? "";
    const key = `${hit.index} ${hit.id}`;
    const found = known.get(key) ?? inTurn(() => load(hit, asked));
    known.set(key, found);
    const match = await found;
    if (match?.picture && card.isConnected && words === asked) draw(card, match.picture, match.regions);
  }
  /** A few at a time. */
  function inTurn(work: () => Promise<Match | null>): Promise<Match | null> {
    return new Promise((told) => {
      const begin = (): void => {
        running += 1;
        void work().then((found) => {
          running -= 1;
          told(found);
          queue.shift()?.();
        });
      };
      if (running < AT_ONCE) begin();
      else queue.push(begin);
    });
  }
  return {
    drawn,
    lookFor,
    wait,
    removed: () => watch.disconnect(),
  };
}

/** The match, with its picture loaded; null where there is none: the card stays as it is. */
async function load(hit: Hit, words: string): Promise<Match | null> {
  const path = `/v1/media/${encodeURIComponent(hit.id)}/match`;
  const found = await ask<Match>(withValues(path, { index: hit.index, words })).catch(() => null);
  if (!found?.picture) return null;
  const image = h("img", { src: found.picture });
  return image.decode().then(
    () => found,
    () => null,
  );
}

function draw(card: HTMLElement, picture: string, regions: Region[]): void {
  const look = card.querySelector(".card-look");
  const image = look?.querySelector("img");
  if (!look || !image) return;
  image.src = picture;
  image.classList.remove("is-whole");
  look.classList.add("is-match");
  look.append(...regions.map(outlined));
}
