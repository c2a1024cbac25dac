// Checks the components without a browser: format, lint, types, unit tests, and that the committed build is what the sources give.
// Says what failed and what to do.
import { spawnSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { build } from "esbuild";
import { buildAll } from "./build.mjs";

const HERE = import.meta.dirname;
const COMMITTED = join(HERE, "../ui/components/templates");

/** Runs a program of node_modules or node itself; ends with its exit code if it fails. */
function run(what, command, words, remedy) {
  process.stdout.write(`${what}\n`);
  const done = spawnSync(command, words, { cwd: HERE, stdio: "inherit" });
  if (done.status !== 0) stop(`${what}: failed; ${remedy}`);
}

function stop(words) {
  process.stderr.write(`${words}\n`);
  process.exit(1);
}

/** The unit tests, bundled so that node can run TypeScript, in `folder`. */
async function bundleTests(folder) {
  const tests = (await readdir(join(HERE, "tests"))).filter((name) => name.endsWith(".test.ts"));
  await build({
    entryPoints: tests.map((name) => join(HERE, "tests", name)),
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    external: ["happy-dom"],
    logLevel: "warning",
  });
  return tests.map((name) => join(folder, name.replace(/\.ts$/, ".mjs")));
}

/** The files below a folder, by their path in it. */
async function contents(folder) {
  const found = new Map();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(relative(folder, path), await readFile(path, "utf8"));
  }
  return found;
}

/** The files that differ between what is committed and what the sources give. */
async function differences(fresh) {
  const [made, kept] = [await contents(fresh), await contents(COMMITTED).catch(() => new Map())];
  return [...new Set([...made.keys(), ...kept.keys()])].filter((name) => made.get(name) !== kept.get(name)).sort();
}

const bin = (name) => join(HERE, "node_modules/.bin", name);
run(
  "format and lint",
  bin("biome"),
  ["ci", "--error-on-warnings", "."],
  "npx biome check --write . in frontend/ mends most of it",
);
run("types", bin("tsc"), ["-p", "."], "mend the types");
const folder = await mkdtemp(join(HERE, "node_modules/.rag-check-"));
try {
  run(
    "unit tests",
    process.execPath,
    ["--test", "--test-reporter=dot", ...(await bundleTests(join(folder, "tests")))],
    "mend the code or the test",
  );
  process.stdout.write("build\n");
  const fresh = join(folder, "build");
  await buildAll(fresh);
  const changed = await differences(fresh);
  if (changed.length) {
    stop(
      `ui/components/templates is not what the sources give: ${changed.join(", ")}; run npm run build in frontend/ and commit it`,
    );
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
