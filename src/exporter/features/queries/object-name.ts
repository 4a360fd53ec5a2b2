/** What a name in Kubernetes can be, as far as this program depends on it. */

/**
 * Far more than Kubernetes allows, since the label that names a pod can be chosen; but nothing that would make two
 * pods one: the separators of `podKey` and of prom-client, half characters (UTF-8 has none, so that all look the
 * same), and lengths that no server takes as a label. 253 is the length of a DNS subdomain (RFC 1123).
 */
const OBJECT_NAME = /^[^,/\p{Cc}\p{Cs}]{1,253}$/u;

/** What names are made of nearly always; the other expression takes ten times as long. */
const ORDINARY_NAME = /^[a-zA-Z0-9._-]{1,253}$/;

/** Whether a text can name a namespace, a pod or an owner. */
export function isObjectName(text: string): boolean {
  return ORDINARY_NAME.test(text) || OBJECT_NAME.test(text);
}
