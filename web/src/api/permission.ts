// What a group may do: base64 of bits, the lowest first.

export const GroupBit = { admin: 0, share: 2, archive: 4 } as const;

export function may(permission: string | undefined, bit: number): boolean {
  try {
    return ((atob(permission ?? '').charCodeAt(bit >> 3) >> (bit & 7)) & 1) === 1;
  } catch {
    return false;
  }
}
