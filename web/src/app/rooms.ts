// The places behind a sign-in: the first segment of the address.
import {
  IconFolder,
  IconLink,
  IconSettings,
  IconTrash,
  type Icon as TablerIcon,
} from '@tabler/icons-react';

export const rooms = ['files', 'shares', 'trash', 'account', 'admin'] as const;

export type Room = (typeof rooms)[number];

export function isRoom(segment: string | undefined): segment is Room {
  return rooms.includes(segment as Room);
}

interface Link {
  room: Room;
  text: 'app.files' | 'app.shared' | 'app.trash' | 'app.admin';
  icon: TablerIcon;
}

/** Where administrators are led as well. */
export const adminLink: Link = { room: 'admin', text: 'app.admin', icon: IconSettings };

/** Those that the rail leads to. */
export const links: Link[] = [
  { room: 'files', text: 'app.files', icon: IconFolder },
  { room: 'shares', text: 'app.shared', icon: IconLink },
  { room: 'trash', text: 'app.trash', icon: IconTrash },
];
