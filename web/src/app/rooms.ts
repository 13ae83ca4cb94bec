// The places behind a sign-in: the first segment of the address.
import { IconFolder, IconLink, IconTrash, type Icon as TablerIcon } from '@tabler/icons-react';

export const rooms = ['files', 'shares', 'trash', 'account'] as const;

export type Room = (typeof rooms)[number];

export function isRoom(segment: string | undefined): segment is Room {
  return rooms.includes(segment as Room);
}

/** Those that the rail leads to. */
export const links: {
  room: Room;
  text: 'app.files' | 'app.shared' | 'app.trash';
  icon: TablerIcon;
}[] = [
  { room: 'files', text: 'app.files', icon: IconFolder },
  { room: 'shares', text: 'app.shared', icon: IconLink },
  { room: 'trash', text: 'app.trash', icon: IconTrash },
];
