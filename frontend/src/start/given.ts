// The files that a person dropped or chose, folders included. Knows the browser's file interfaces; sends nothing.

export interface Given {
  name: string; // with the folders above it, as "trip/day one/IMG_1.jpg"
  file: File;
}

const MOST = 20_000; // files of one drop

/** What is worth keeping: nothing hidden, nothing empty. */
export const kept = (all: Given[]): Given[] =>
  all.filter(({ name, file }) => file.size > 0 && !name.split("/").some((part) => part.startsWith(".")));

/** The files of a file field; those of a folder have their path in it. */
export const chosen = (files: Iterable<File>): Given[] =>
  Array.from(files, (file) => ({ name: file.webkitRelativePath || file.name, file }));

/** The files of a drop, at any depth of its folders. To be called in the event itself: later the browser forgets them. */
export function dropped(transfer: DataTransfer): Promise<Given[]> {
  const entries = Array.from(transfer.items, (item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  return entries.length ? walked(entries) : Promise.resolve(chosen(transfer.files));
}

async function walked(entries: FileSystemEntry[]): Promise<Given[]> {
  const found: Given[] = [];
  const waiting = [...entries];
  for (let entry = waiting.pop(); entry && found.length < MOST; entry = waiting.pop()) {
    if (entry.isFile) {
      const file = await fileOf(entry as FileSystemFileEntry);
      if (file) found.push({ name: entry.fullPath.replace(/^\//, ""), file });
    } else waiting.push(...(await entriesOf(entry as FileSystemDirectoryEntry)));
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The file, or null if it is gone since. */
const fileOf = (entry: FileSystemFileEntry): Promise<File | null> =>
  new Promise((done) => entry.file(done, () => done(null)));

/** Everything in a folder: the browser gives it in portions. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const portion = (): Promise<FileSystemEntry[]> => new Promise((done) => reader.readEntries(done, () => done([])));
  const all: FileSystemEntry[] = [];
  for (let some = await portion(); some.length; some = await portion()) all.push(...some);
  return all;
}
