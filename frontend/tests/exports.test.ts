import "./browser";
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { read } from "../src/address";
import { csv, json, judgement, lines, markdown } from "../src/results/exports";
import { judge, judged } from "../src/results/judged";
import { addressOf, remembered } from "../src/search_bar/remembered";
import type { Hit } from "../src/types";
import { visit } from "./browser";

const hit = {
  id: "a1",
  index: "default",
  rank: 1,
  score: 0.5,
  kind: "page",
  document: "reports/[plan](x).pdf",
  file: "/corpus/reports/[plan](x).pdf",
  locator: { page: 7 },
  snippet: '=HYPERLINK("evil")\n<img src=x> "costs"',
  members: [
    { id: "a1", locator: { page: 7 }, score: 0.4 },
    { id: "a2", locator: { page: 9 }, score: 0.5 },
  ],
} as unknown as Hit;

beforeEach(() => {
  localStorage.clear();
  visit("/?q=boat");
});

test("Markdown names the sources, and nothing of a file is markup in it", () => {
  const written = markdown([hit]);
  assert.match(written, /^1\. \*\*\\\[plan\\\]\\\(x\\\)\.pdf\*\*, p\. 7\n/);
  assert.match(written, /> =HYPERLINK\\\("evil"\\\) \\<img src=x\\> "costs"\n/);
  assert.match(written, /\/corpus\/reports\/\\\[plan\\\]\\\(x\\\)\.pdf\n$/);
});

test("a spreadsheet takes nothing for a formula", () => {
  const [head, row] = csv([hit]).split("\r\n");
  assert.equal(head, '\ufeff"rank","score","kind","name","place","path","snippet","id","index"');
  assert.ok(row?.includes(`"'=HYPERLINK(""evil"")`), row);
  assert.equal(JSON.parse(json("costs", [hit])).hits[0].id, "a1");
});

test("a thumb judges the best place, and a later one takes the place of an earlier one", () => {
  assert.deepEqual(judgement("costs", hit, 1), {
    query: "costs",
    document: "reports/[plan](x).pdf",
    locator: { page: 9 },
    grade: 1,
  });
  assert.ok(judge([judgement("costs", hit, 1)]));
  assert.ok(judge([judgement("costs", hit, 0), judgement("boats", hit, 1)]));
  assert.deepEqual(
    judged().map(({ query, grade }) => [query, grade]),
    [
      ["costs", 0],
      ["boats", 1],
    ],
  );
  assert.equal(lines(judged()).split("\n").length, 3);
});

test("searches are remembered by their address, the newest first and each once", () => {
  const gone: string[] = [];
  const memory = remembered(({ words }) => void gone.push(words));
  for (const query of ["?q=boat", "?q=crane&kind=page", "?q=boat&open=a1&tab=index"]) memory.note(read(query));
  memory.note(read("?q=like&like=a1")); // it cannot be asked elsewhere
  memory.toggle(read("?q=crane&kind=page"));
  const links = [...memory.element.querySelectorAll("a")];
  assert.deepEqual(
    links.map((one) => [one.textContent, one.getAttribute("href")]),
    [
      ["crane · Pages", "/?q=crane&kind=page"],
      ["boat", "/?q=boat"],
      ["crane · Pages", "/?q=crane&kind=page"],
    ],
  );
  links[1]?.dispatchEvent(new MouseEvent("click", { cancelable: true }));
  assert.deepEqual(gone, ["boat"]);
  assert.ok(memory.isSaved(read("?q=crane&kind=page")));
  memory.toggle(read("?q=crane&kind=page"));
  assert.ok(!memory.isSaved(read("?q=crane&kind=page")));
  assert.equal(addressOf(read("?picture=p1&q=boat")), "");
});
