/** Names and identifiers, formed the way Kubernetes forms them. */

import { hashText, uniform } from './random.js';

/** The characters of generated names: no vowels, no look-alikes (k8s.io/apimachinery, `util/rand`). */
const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** The five random characters at the end of a generated pod name. */
export function podSuffix(key: string): string {
  const hash = hashText(key);
  return Array.from({ length: 5 }, (_, i) => ALPHABET[Math.floor(uniform(hash, i) * ALPHABET.length)]).join('');
}

/**
 * The hash of a pod template, as in the name of a ReplicaSet: a 32-bit number in decimal whose digits are
 * replaced by the letter at (code of the digit) modulo 27 (`SafeEncodeString`). So only ten letters occur.
 */
export function templateHash(key: string): string {
  return Array.from(String(hashText(key)), (digit) => ALPHABET[digit.charCodeAt(0) % ALPHABET.length]).join('');
}

/** A UUID of version 4. */
export function uid(key: string): string {
  const hex = hexadecimal(key, 32);
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-8$4-');
}

/** `length` hexadecimal digits, as in the identifier of a container. */
export function hexadecimal(key: string, length: number): string {
  const hash = hashText(key);
  return Array.from({ length }, (_, i) => Math.floor(uniform(hash, i) * 16).toString(16)).join('');
}
