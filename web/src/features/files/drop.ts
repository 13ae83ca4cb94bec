import { type DragEvent, useRef, useState } from 'react';
import type { Path } from '@/lib/path';

/** Marks an element as a place to drop files on. */
export function dropOn(path: Path): { 'data-drop': string } {
  return { 'data-drop': JSON.stringify(path) };
}

interface Props {
  /** Where a drop on no particular element goes. */
  path: Path;
  onDrop(data: DataTransfer, folder: Path): void;
}

/** Files dragged over the page: which folder they would go to, and handlers for its frame. */
export function useDrop({ path, onDrop }: Props) {
  const [over, setOver] = useState<string>();
  const depth = useRef(0);
  const here = JSON.stringify(path);

  const holdsFiles = (e: DragEvent) => e.dataTransfer.types.includes('Files');
  const targetOf = (e: DragEvent) =>
    (e.target as Element).closest<HTMLElement>('[data-drop]')?.dataset['drop'] ?? here;

  return {
    /** The folder under the pointer while files are dragged. */
    over: over === undefined ? undefined : (JSON.parse(over) as Path),
    isOver: (p: Path) => over !== undefined && over === JSON.stringify(p),
    handlers: {
      onDragEnter: (e: DragEvent) => {
        if (!holdsFiles(e)) return;
        depth.current++;
        setOver(targetOf(e));
      },
      onDragOver: (e: DragEvent) => {
        if (!holdsFiles(e)) return;
        e.preventDefault();
        e.dataTransfer.dropEffect = 'copy';
      },
      onDragLeave: (e: DragEvent) => {
        if (!holdsFiles(e)) return;
        depth.current = Math.max(0, depth.current - 1);
        if (depth.current === 0) setOver(undefined);
      },
      onDrop: (e: DragEvent) => {
        if (!holdsFiles(e)) return;
        e.preventDefault();
        depth.current = 0;
        setOver(undefined);
        onDrop(e.dataTransfer, JSON.parse(targetOf(e)) as Path);
      },
    },
  };
}
