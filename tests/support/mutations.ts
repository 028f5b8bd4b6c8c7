/** Seeded damage to files, for fuzzing readers: what transfers, disks and hostile people do to bytes. */
import type { Random } from './graphs.ts';

export const mutationKinds = ['truncate', 'flip', 'duplicate', 'splice', 'bigVarint', 'overwrite', 'remove'] as const;
export type MutationKind = (typeof mutationKinds)[number];

/** A damaged copy of `bytes`; `other` is a file to splice pieces from. Damage is mostly near the front, where headers stand. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Random): { readonly kind: MutationKind; readonly bytes: Uint8Array } {
  const kind = mutationKinds[Math.floor(random() * mutationKinds.length)]!;
  const place = (length: number): number => Math.floor((random() < 0.5 ? random() ** 4 : random()) * length);
  const at = place(bytes.length);
  const length = 1 + Math.floor(random() ** 3 * Math.min(4096, bytes.length));
  const end = Math.min(bytes.length, at + length);
  switch (kind) {
    case 'truncate':
      return { kind, bytes: bytes.slice(0, at) };
    case 'flip': {
      const copy = bytes.slice();
      for (let count = 1 + Math.floor(random() * 8); count > 0; count--) copy[place(copy.length)]! ^= 1 << Math.floor(random() * 8);
      return { kind, bytes: copy };
    }
    case 'overwrite': {
      const copy = bytes.slice();
      const fill = [0, 0xff, 0x80, Math.floor(random() * 256)][Math.floor(random() * 4)]!;
      return { kind, bytes: copy.fill(fill, at, end) };
    }
    case 'remove':
      return { kind, bytes: joined(bytes.subarray(0, at), bytes.subarray(end)) };
    case 'duplicate':
      return { kind, bytes: joined(bytes.subarray(0, end), bytes.subarray(at)) };
    case 'splice': {
      const from = place(other.length);
      return { kind, bytes: joined(bytes.subarray(0, at), other.subarray(from, from + length), bytes.subarray(end)) };
    }
    case 'bigVarint': {
      const huge = [0xff, 0xff, 0xff, 0xff, ...(random() < 0.5 ? [0x0f] : [0xff, 0xff, 0xff, 0xff, 0xff, 0x01])];
      return { kind, bytes: joined(bytes.subarray(0, at), Uint8Array.from(huge), bytes.subarray(at + 1)) };
    }
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
