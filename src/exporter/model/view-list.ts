/** What a pod is compared with. */

import { BIN_FIELDS, SIBLING_FIELDS } from '../history/hour-summary.js';

/**
 * Its workload at this time of the day, and its siblings now. Even positions are rises and odd ones falls; deviations of
 * `Long` views last for an hour.
 */
export const VIEWS = ['seasonUp', 'seasonDown', 'seasonLongUp', 'seasonLongDown', ...SIBLING_FIELDS] as const;

export type View = (typeof VIEWS)[number];

/** Where the views of siblings begin; those of the season have the order of `BIN_FIELDS` after the level. */
export const SIBLING_VIEWS = BIN_FIELDS.length - 1;

/** Of a counter, only its rise within an hour is judged; it has the place of the first view. */
export const RISE_VIEW = 0;

export const isFall = (view: number): boolean => view % 2 === 1;

/** The view of the same deviation that lasts for an hour. */
export const longOf = (view: number): number => view | 2;
