/** Randomness without state: the same key and position give the same value, in any order and at any time. */

/** A key for `uniform` and `noise`: FNV-1a of a text, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return scramble(hash);
}

/** A number in [0, 1) for a place in the sequence of a key. */
export function uniform(key: number, index: number): number {
  return scramble(key ^ Math.imul(index, 0x9e3779b1)) / 2 ** 32;
}

/**
 * Smooth noise in [-1, 1]: random values at whole positions, joined by curves that are flat at both ends.
 * Its slope stays within ±3 for each unit of position.
 */
export function noise(key: number, position: number): number {
  const index = Math.floor(position);
  const fraction = position - index;
  const from = 2 * uniform(key, index) - 1;
  const to = 2 * uniform(key, index + 1) - 1;
  return from + (to - from) * fraction * fraction * (3 - 2 * fraction);
}

/** The last step of MurmurHash3: each bit of the input changes half of the output. Unsigned, 32 bits. */
function scramble(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
