// The command line that makes an index. Knows how a shell quotes a path.

/** The command that creates the index in that folder. */
export function commandFor(folder: string): string {
  if (folder.endsWith("/indexes/default")) return "rag index ./corpus";
  const quoted = /^[\w./-]+$/.test(folder) ? folder : `'${folder.replace(/'/g, "'\\''")}'`;
  return `rag index ./corpus --index ${quoted}`;
}
