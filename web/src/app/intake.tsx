import { useCallback, useRef, useState } from 'react';
import { useEngine } from '@/features/transfers';
import type { Path } from '@/lib/path';
import { fromDrop, fromPicker, type Lots } from '@/upload/intake';

/** The way from picked or dropped files to the engine. */
export function useIntake(onFiles: () => void) {
  const engine = useEngine();
  const [reading, setReading] = useState<number>();
  const files = useRef<HTMLInputElement>(null);
  const tree = useRef<HTMLInputElement>(null);
  const target = useRef<Path>([]);

  const take = useCallback(
    async (lots: Lots) => {
      const batch = engine.newBatch();
      let count = 0;
      for await (const lot of lots) {
        if (lot.length === 0) continue;
        engine.add(lot, batch);
        count += lot.length;
        setReading(count);
        if (count === lot.length) onFiles();
      }
      setReading(undefined);
    },
    [engine, onFiles],
  );
  const onChange = (input: HTMLInputElement) => {
    void take(fromPicker([...(input.files ?? [])], target.current));
    input.value = ''; // the same file may be chosen again
  };
  const pick = (what: 'files' | 'folder', folder: Path) => {
    target.current = folder;
    (what === 'files' ? files : tree).current?.click();
  };
  const inputs = (
    <>
      <input
        ref={files}
        type="file"
        hidden
        multiple
        data-testid="pick-files"
        onChange={(e) => onChange(e.currentTarget)}
      />
      <input
        ref={tree}
        type="file"
        hidden
        {...{ webkitdirectory: '' }}
        data-testid="pick-folder"
        onChange={(e) => onChange(e.currentTarget)}
      />
    </>
  );
  return {
    inputs,
    reading,
    pick,
    drop: (data: DataTransfer, folder: Path) => void take(fromDrop(data, folder)),
  };
}
