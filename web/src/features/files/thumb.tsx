import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { thumbQuery } from '@/api/thumbs';
import type { Item } from './listing';

interface Props {
  item: Item;
  /** Whether somebody stays to look. Who passes by sees what is there already. */
  ask: boolean;
  /** Where there is no picture. */
  icon: ReactNode;
}

/** The picture of a file, in the place of its icon. */
export default function Thumb({ item, ask, icon }: Props) {
  const queries = useQueryClient();
  const query = thumbQuery(item.uri, item.version);
  const [asked, setAsked] = useState(ask);
  const [broken, setBroken] = useState(false);
  if (ask && !asked) setAsked(true);
  const { data } = useQuery({ ...query, enabled: asked });
  if (!data || broken) return icon;
  const onError = () => {
    setBroken(true);
    queries.removeQueries(query); // its address may have ended
  };
  return <img src={data} alt="" draggable={false} onError={onError} />;
}
