/** The edge at which texts of a server come in: behind it they are bounded, harmless and without secrets. */

import { escapeControlCharacters } from '../../lib/text/control-characters.js';
import { formatNumber } from '../../lib/text/format.js';
import { isPartial, LANGUAGE_REMARK, type Labels } from './api.js';
import { Redactor } from './redaction.js';

/** Texts are looked at up to here: a body may be large. */
const LOOKED_AT = 10_000;

/** Enough of a remark to act on it. */
const REMARK_LENGTH = 500;

/** Of many remarks beside one answer, the first say enough. */
const MOST_REMARKS = 10;

/** Beyond this number, remarks are counted and not looked at. */
const COMPARED_REMARKS = 1_000;

/** More than the longest value that the exporter reads, which are 1,000 characters of an annotation. */
const LONGEST_LABEL = 2_048;

/** What needs no look at each character: printable ASCII without what begins an escape. */
const PLAIN = /^[\x20-\x7e]*$/;
const ESCAPE_MARKS = /[%&\\]/;

/** Control characters and half characters, which no name has. */
const CONTROLS = /[\p{Cc}\p{Cs}]/u;

/** Labels in which people write on several lines, as kube-state-metrics names them. */
const OF_PEOPLE = /^annotation_/;

/** Instead of a label with such characters. The comma keeps it from being taken for a name. */
const UNPRINTABLE = '[unprintable, not a name]';

/** Makes what a server says safe to keep, to log and to show. */
export class ServerTexts {
  readonly #redactor: Redactor;

  /** @param secrets that it was sent, and may repeat. */
  constructor(secrets: readonly string[]) {
    this.#redactor = new Redactor(secrets);
  }

  /** The start of a text, at most `length` characters, on one line. */
  quote(text: string, length: number): string {
    const looked = text.slice(0, LOOKED_AT);
    const safe = this.#redactor.redact(looked, text.length > LOOKED_AT);
    return harmless(safe.replace(/\s+/g, ' ').trim().slice(0, length), length);
  }

  /**
   * What stands beside an answer: the first remarks, each once, and how many there are besides. Those by which the answer
   * is partial come first. What is no list of texts is no reason to refuse an answer.
   */
  remarks(value: unknown): readonly string[] {
    if (!Array.isArray(value)) return [];
    const all = [...new Set(value.slice(0, COMPARED_REMARKS).filter((item) => typeof item === 'string'))];
    const isGrave = (remark: string) => isPartial({ warnings: [remark] });
    const ordered = [...all.filter(isGrave), ...all.filter((remark) => !isGrave(remark))];
    const shown = ordered.slice(0, MOST_REMARKS).map((remark) => this.quote(remark, REMARK_LENGTH));
    const more = all.length - shown.length + Math.max(0, value.length - COMPARED_REMARKS);
    if (more === 0) return shown;
    // About the language only, unless one is about the data: those come first.
    const kind = ordered.some(isGrave) ? '' : LANGUAGE_REMARK;
    return [...shown, `${kind}${formatNumber(more)} more, which are not listed.`];
  }

  /** The labels of a series. */
  labels(labels: Labels): Labels {
    const isSafe = Object.entries(labels).every(([name, value]) => this.#isSafe(name) && this.#isSafe(value));
    if (isSafe) return labels;
    // Changed in place: objects of this kind are small, and nobody else has them yet.
    const made = labels as Record<string, string>;
    for (const [name, value] of Object.entries(labels)) {
      delete made[name];
      const lines = OF_PEOPLE.test(name) ? value.replace(/[\n\t]/g, ' ') : value;
      made[this.#label(name)] = CONTROLS.test(lines) ? UNPRINTABLE : this.#label(value);
    }
    return made;
  }

  /** Whether the labels in a JSON text are safe as they are. */
  areSafe(json: string): boolean {
    return json.length <= LONGEST_LABEL && this.#isSafe(json);
  }

  #isSafe(text: string): boolean {
    return text.length <= LONGEST_LABEL && PLAIN.test(text) && !ESCAPE_MARKS.test(text) && this.#redactor.isFree(text);
  }

  #label(text: string): string {
    return harmless(this.#redactor.redactName(text.slice(0, LONGEST_LABEL)), LONGEST_LABEL);
  }
}

/** A server may send what moves the cursor of a terminal. Escapes are longer than what they stand for. */
function harmless(text: string, length: number): string {
  return escapeControlCharacters(text)
    .slice(0, length)
    .replace(/[\ud800-\udbff]$/, '');
}
