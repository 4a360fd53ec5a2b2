/** Rules about what people tuned: by the file, and by annotations. */

import { counted, examples } from '../../../lib/text/format.js';
import { always, checkOf } from '../check-definition.js';

/** Whether the file is valid as it is now, and each of its rules matches a pod. */
export const tuningFile = checkOf(
  'tuning_file',
  () => always(undefined),
  (_, { idleRules }, { tuningFile: file }) => {
    if (file === undefined) return { severity: 'ok', summary: 'There is no tuning file (TUNING_FILE).' };
    const idle = idleRules.known ? idleRules.value : [];
    if (file.failure === undefined && idle.length > 0) {
      const match = idle.length === 1 ? 'matches' : 'match';
      return {
        severity: 'warning',
        summary: `${counted(idle.length, 'rule')} of the tuning file ${match} no pod that is there now: ${examples(idle)}.`,
        meaning: 'They have no effect.',
        advice: 'Correct or remove them; an expression must match the whole name (docs/tuning.md).',
      };
    }
    if (file.failure === undefined) {
      return {
        severity: 'ok',
        summary: `The tuning file is valid and has ${counted(file.file?.rules.length ?? 0, 'rule')}.`,
      };
    }
    return brokenTuningFile(file.failure);
  },
);

/** What is known of a file with mistakes, also without Prometheus. */
export function brokenTuningFile(failure: string) {
  return {
    severity: 'error',
    summary: `The tuning file is invalid. ${failure}`,
    meaning: 'A running exporter keeps the rules that it had; one that is started ends at once.',
    advice: 'Correct the file (docs/tuning.md). It is read again without a restart.',
  } as const;
}

/** Whether all annotations are valid, and none of them has served its time. */
export const tuningAnnotations = checkOf(
  'tuning_annotations',
  (facts) => facts.tuningAnnotations,
  ({ objects, mistakes, ends }, _, { nowSeconds }) => {
    const past = ends.filter(({ untilSeconds }) => untilSeconds <= nowSeconds);
    if (mistakes.length === 0 && past.length === 0) {
      const summary =
        objects === 0
          ? 'No object has a k8s-anomaly-detector annotation or label that kube-state-metrics exports.'
          : `The k8s-anomaly-detector annotations and labels of ${counted(objects, 'object')} are valid.`;
      return { severity: 'ok', summary };
    }
    const invalid = mistakes.map(({ object, sentence }) => `${object} (${sentence})`);
    const over = past.map(({ object, untilSeconds }) => `${object} (${isoTime(untilSeconds)})`);
    return {
      severity: 'warning',
      summary: [
        ...(invalid.length > 0 ? [`${counted(invalid.length, 'invalid value')}: ${examples(invalid)}.`] : []),
        ...(over.length > 0 ? [`The mute-until of ${counted(over.length, 'object')} is over: ${examples(over)}.`] : []),
      ].join(' '),
      meaning: [
        ...(invalid.length > 0 ? ['An invalid value counts as not set.'] : []),
        ...(over.length > 0 ? ['These pods are not muted any more.'] : []),
      ].join(' '),
      advice: 'Correct or remove the annotation (docs/tuning.md).',
    };
  },
);

const isoTime = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
