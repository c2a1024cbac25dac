// Which parts of a source file are comments, strings, numbers and keywords. Knows a few families of languages; draws nothing.
import type { Span } from "./styled";

const HASH = "py sh bash zsh rb pl r jl yaml yml toml ini cfg conf mk make dockerfile tf ps1";
const SLASH = "c h cc cpp hpp cs java kt scala swift go rs js mjs ts tsx jsx php dart zig css scss json";
const DASH = "sql lua hs ada vhd";
const KEYWORDS = new Set(
  (
    "abstract and as assert async await break case catch class const continue def default defer delete do elif else enum except " +
    "export extends extern false final finally fn for foreach from func function global go goto if impl implements import in " +
    "instanceof interface is lambda let local loop match mod mut namespace new nil none not null or package pass private " +
    "protected pub public raise return select self static struct super switch then this throw trait true try type typedef " +
    "typeof union unsafe use using var void when where while with yield elsif end begin unless until insert into values update " +
    "set create table view index drop alter join left right inner outer on group by order having limit distinct primary key"
  ).split(" "),
);
const STRING = /"""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"?|'(?:\\.|[^'\\\n])*'?|`(?:\\.|[^`\\])*`?/;
const NUMBER = /\b(?:0[xob][\da-fA-F_]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)\b/;
const WORD = /[A-Za-z_]\w*/;
const COMMENTS: Record<string, RegExp> = {
  hash: /#[^\n]*/,
  slash: /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/,
  dash: /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/,
};

/** The family of a file by the end of its name, or ""; a shell script and a Makefile are of one. */
export function familyOf(name: string): string {
  const suffix = name.toLowerCase().split("/").at(-1)?.split(".").at(-1) ?? "";
  const families: [string, string][] = [
    ["hash", HASH],
    ["slash", SLASH],
    ["dash", DASH],
  ];
  return families.find(([, all]) => all.split(" ").includes(suffix))?.[0] ?? "";
}

/** The parts of a source text that have a look, in order. */
export function tokens(text: string, family: string): Span[] {
  const comment = COMMENTS[family];
  if (!comment) return [];
  const every = new RegExp(
    `(${comment.source})|(${STRING.source})|(${NUMBER.source})|(${WORD.source})`,
    family === "dash" ? "gi" : "g",
  );
  const found: Span[] = [];
  for (const match of text.matchAll(every)) {
    const look = match[1] ? "code-comment" : match[2] ? "code-string" : match[3] ? "code-number" : keyword(match[0]);
    if (look) found.push({ from: match.index, to: match.index + match[0].length, look });
  }
  return found;
}

const keyword = (word: string): string =>
  KEYWORDS.has(word) ||
  (word === word.toUpperCase() && KEYWORDS.has(word.toLowerCase())) ||
  /^(None|True|False)$/.test(word)
    ? "code-keyword"
    : "";
