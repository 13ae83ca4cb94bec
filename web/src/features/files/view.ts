import { useState } from 'react';
import { type Path, pathKey } from '@/lib/path';

export type View = 'list' | 'grid';

const key = 'wharfinger.views';
const most = 500;

function read(): Record<string, View> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Record<string, View>;
  } catch {
    return {};
  }
}

/** List or grid, remembered for each folder on its own; the list is the default. */
export function useView(path: Path): [View, (view: View) => void] {
  const folder = `/${pathKey(path)}`;
  const [views, setViews] = useState(read);
  const choose = (view: View) => {
    const { [folder]: _, ...others } = read();
    const kept = Object.fromEntries(Object.entries(others).slice(-most));
    const next = view === 'list' ? kept : { ...kept, [folder]: view };
    localStorage.setItem(key, JSON.stringify(next));
    setViews(next);
  };
  return [views[folder] ?? 'list', choose];
}
