// Buttons that copy: the path of a file, a citation, the picture. Knows the clipboard; knows no passage.
import { h } from "../dom";
import { icon } from "../icons";
import { t, type Word } from "../words";

const TOLD_FOR = 2500; // milliseconds that "Copied" is shown

/** A button with a label that `act` changes for a while to what it returns. */
export function telling(name: Parameters<typeof icon>[0], key: Word, act: () => Promise<string>): HTMLElement {
  const label = h("span", {}, t(key));
  const told = async (): Promise<void> => {
    label.textContent = await act();
    setTimeout(() => {
      label.textContent = t(key);
    }, TOLD_FOR);
  };
  return h("button", { type: "button", class: "action", "aria-label": t(key), on: { click: told } }, icon(name), label);
}

/** Copies words; where the browser allows no clipboard they are shown on the button, to be selected. */
export const copying = (name: Parameters<typeof icon>[0], key: Word, words: string): HTMLElement =>
  telling(name, key, async () => {
    try {
      await navigator.clipboard.writeText(words);
      return t("copied");
    } catch {
      return words;
    }
  });

/** Copies a picture of this server, as PNG: no other format is taken by every program. */
export const copyingPicture = (key: Word, address: string): HTMLElement =>
  telling("picture", key, async () => {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "image/png": asPng(address) })]);
      return t("copied");
    } catch {
      return t("copy_failed");
    }
  });

async function asPng(address: string): Promise<Blob> {
  const image = new Image();
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d")?.drawImage(image, 0, 0);
  return new Promise((made, failed) => {
    canvas.toBlob((blob) => (blob ? made(blob) : failed(new Error("no picture"))), "image/png");
  });
}
