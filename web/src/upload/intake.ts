// From what a person picks or drops to a list of files with their folders.
import type { Path } from '@/lib/path';
import type { NewFile } from './engine';

/** Files handed on at a time, so that sending starts while a large tree is still read. */
const lot = 200;

export type Lots = AsyncIterable<NewFile[]>;

/** From `<input type=file>`, with or without webkitdirectory. */
export async function* fromPicker(files: Iterable<File>, folder: Path): Lots {
  let found: NewFile[] = [];
  for (const file of files) {
    const within = file.webkitRelativePath.split('/').slice(0, -1).filter(Boolean);
    found.push({ file, folder: [...folder, ...within], name: file.name });
    if (found.length >= lot) {
      yield found;
      found = [];
      await nextTask();
    }
  }
  yield found;
}

/**
 * From a drop. The entries must be taken while the event is handled, so this is
 * no generator itself. Folders are walked; empty ones are made.
 */
export function fromDrop(data: DataTransfer, folder: Path): Lots {
  const entries: FileSystemEntry[] = [];
  for (const item of data.items) {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    if (entry) entries.push(entry);
  }
  return walk(entries, folder);
}

async function* walk(entries: FileSystemEntry[], folder: Path): Lots {
  const todo = entries.map((entry) => ({ entry, folder })).reverse();
  let found: NewFile[] = [];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { entry, folder } = next;
    if (entry.isDirectory) {
      const inside = [...folder, entry.name];
      const children = await childrenOf(entry as FileSystemDirectoryEntry);
      if (children.length === 0) found.push({ file: undefined, folder, name: entry.name });
      for (const child of children.reverse()) todo.push({ entry: child, folder: inside });
    } else {
      const file = await fileOf(entry as FileSystemFileEntry);
      if (file) found.push({ file, folder, name: entry.name });
    }
    if (found.length >= lot) {
      yield found;
      found = [];
    }
  }
  yield found;
}

/** readEntries gives at most a hundred at a time; the end is an empty answer. */
async function childrenOf(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve) =>
      reader.readEntries(resolve, () => resolve([])),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}

function fileOf(entry: FileSystemFileEntry): Promise<File | undefined> {
  return new Promise((resolve) => entry.file(resolve, () => resolve(undefined)));
}

function nextTask(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
