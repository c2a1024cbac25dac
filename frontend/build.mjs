// Builds the components: one folder each, as Gradio serves it, with index.js, style.css and what Gradio mounts it with.
// node build.mjs [FOLDER]: into FOLDER instead of the package.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";

export const COMPONENTS = ["search_bar", "results", "ask_box", "viewer", "index_panel", "top_bar"];
const HERE = import.meta.dirname;
const PACKAGE = join(HERE, "../ui/components/templates");

/** Builds every component below `folder`. */
export async function buildAll(folder) {
  await rm(folder, { recursive: true, force: true });
  for (const name of COMPONENTS) {
    await build({
      entryPoints: {
        index: join(HERE, "src", name, "index.ts"),
        style: join(HERE, "src", name, "style.css"),
        svelte_runtime_entry: join(HERE, "src/svelte_runtime_entry.ts"),
      },
      outdir: join(folder, name, "component"),
      absWorkingDir: HERE,
      bundle: true,
      splitting: true,
      format: "esm",
      target: ["es2022", "chrome120", "firefox121", "safari17.2"],
      chunkNames: "[name]-[hash]",
      minify: true,
      charset: "utf8",
      legalComments: "none",
      logLevel: "warning",
    });
  }
}

if (process.argv[1] === import.meta.filename) await buildAll(process.argv[2] ?? PACKAGE);
