// Builds the components: one folder each, as Gradio serves it, with index.js, style.css and what Gradio mounts it with.
// node build.mjs [FOLDER]: into FOLDER instead of the package.
import { readFile, rm } from "node:fs/promises";
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
      plugins: [onlyWords(await sourcesOf(name))],
    });
  }
}

/** The sources of a component, as one text. */
async function sourcesOf(name) {
  const entryPoints = [join(HERE, "src", name, "index.ts")];
  const options = { entryPoints, bundle: true, splitting: true, format: "esm", outdir: "unused", write: false };
  const { metafile } = await build({ ...options, absWorkingDir: HERE, metafile: true, logLevel: "warning" });
  const paths = Object.keys(metafile.inputs).filter((path) => path.endsWith(".ts"));
  return (await Promise.all(paths.map((path) => readFile(join(HERE, path), "utf8")))).join("\n");
}

/** Leaves out the words that a component never shows: those whose key, or the beginning of it in a template, is not in its sources. */
function onlyWords(sources) {
  const beginnings = [...sources.matchAll(/`(\w+_)\$\{/g)].map((one) => one[1]);
  const isUsed = (key) => sources.includes(`"${key}"`) || beginnings.some((one) => key.startsWith(one));
  return {
    name: "only-words",
    setup({ onLoad }) {
      onLoad({ filter: /[\\/]words[\\/]\w+\.json$/ }, async ({ path }) => {
        const all = Object.entries(JSON.parse(await readFile(path, "utf8")));
        return { loader: "json", contents: JSON.stringify(Object.fromEntries(all.filter(([key]) => isUsed(key)))) };
      });
    },
  };
}

if (process.argv[1] === import.meta.filename) await buildAll(process.argv[2] ?? PACKAGE);
