// What a group may do: base64 of bits, the lowest first.

export const GroupBit = { admin: 0, share: 2, archive: 4, directLink: 40 } as const;

export function may(permission: string | undefined, bit: number): boolean {
  try {
    return ((atob(permission ?? '').charCodeAt(bit >> 3) >> (bit & 7)) & 1) === 1;
  } catch {
    return false;
  }
}

/** The same set with one bit on or off. */
export function withBit(permission: string, bit: number, on: boolean): string {
  const bytes = [...atob(permission)].map((c) => c.charCodeAt(0));
  while (bytes.length <= bit >> 3) bytes.push(0);
  const at = bit >> 3;
  const mask = 1 << (bit & 7);
  bytes[at] = on ? (bytes[at] ?? 0) | mask : (bytes[at] ?? 0) & ~mask;
  return btoa(String.fromCharCode(...bytes));
}
