/** What can be wrong with rows and values, and what becomes of them. */

/** Reasons, each with words that follow a number. */
export const DEFECTS = Object.freeze({
  field_count: 'rows with another number of fields than the header, left out',
  bad_timestamp: 'rows whose timestamp is not a Unix time in seconds, left out',
  no_name: 'rows without a namespace or a pod, left out',
  bad_name: 'rows whose namespace or pod is no name, left out',
  overlong_line: 'lines longer than 64 Ki characters, left out',
  far_timestamp: 'rows more than a week away from the rest, left out',
  duplicate: 'second rows of a pod in the same second, left out',
  out_of_order: 'rows earlier than the one before of their pod, put in their place',
  empty_value: 'empty values, passed over',
  not_a_number: 'values that are no finite number, passed over',
  negative_value: 'values below 0, passed over',
  unreadable_rest: 'files whose end cannot be decompressed, used up to there',
});

/** A reason. */
export type Defect = keyof typeof DEFECTS;
