import assert from "node:assert/strict";
import { test } from "node:test";
import { component, type Host } from "../src/gradio";
import { mount, unmount } from "../src/svelte_runtime_entry";
import { gradio } from "./browser";

test("a component has its element, its properties and its events, and is gone when it is removed", async () => {
  const { given, events, set, get } = gradio({ value: 1 });
  const seen: string[][] = [];
  let host: Host<{ value: number }> | null = null;
  const made = component<{ value: number }>((root, own) => {
    host = own;
    root.append("drawn");
    own.dispatch("change"); // at once: Gradio then reads the value
    return { changed: (names) => void seen.push([...names]), removed: () => void events.push(["removed", null]) };
  });
  const target = document.createElement("div");
  const mounted = mount(made, { target, props: given });
  assert.equal(target.querySelector("#mine.rag-ui")?.textContent, "drawn");
  assert.deepEqual(await get(), { value: 1 });
  set({ value: 2, loading_status: { status: "pending" } });
  assert.deepEqual(seen, [["value", "loading_status"]]);
  const own = host as unknown as Host<{ value: number }>;
  assert.equal(own.props.value, 2);
  assert.ok(own.pending() && !own.isLost());
  set({ loading_status: { status: "error" } });
  assert.ok(!own.pending() && own.isLost());
  own.set({ value: 3 });
  assert.deepEqual(await get(), { value: 3 });
  unmount(mounted);
  assert.equal(target.childElementCount, 0);
  assert.deepEqual(
    events.map(([name]) => name),
    ["change", "gone", "removed"],
  );
});
