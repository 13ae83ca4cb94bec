// The places behind a sign-in: the first segment of the address.
import { IconFolder, IconTrash, type Icon as TablerIcon } from '@tabler/icons-react';

export const rooms = ['files', 'trash', 'account'] as const;

export type Room = (typeof rooms)[number];

export function isRoom(segment: string | undefined): segment is Room {
  return rooms.includes(segment as Room);
}

/** Those that the rail leads to. */
export const links: { room: Room; text: 'app.files' | 'app.trash'; icon: TablerIcon }[] = [
  { room: 'files', text: 'app.files', icon: IconFolder },
  { room: 'trash', text: 'app.trash', icon: IconTrash },
];
