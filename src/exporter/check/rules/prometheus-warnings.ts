import { counted } from '../../../lib/text/format.js';
import { always, checkOf } from '../check-definition.js';

/** How many of the server's warnings are shown, and how many characters of each. */
const SHOWN = 3;
const SHOWN_CHARACTERS = 300;

/** Warnings in the answers of the server: parts of the data may be missing. */
export const prometheusWarnings = checkOf('prometheus_warnings', always, (_, { warnings, infos }) => {
  const gave = (remarks: readonly string[], kind: string) => {
    const shown = remarks.slice(0, SHOWN).map((remark) => `"${remark.slice(0, SHOWN_CHARACTERS)}"`);
    return `Prometheus gave ${counted(remarks.length, kind)}: ${shown.join(' ')}`;
  };
  if (warnings.length === 0) {
    const summary = infos.length === 0 ? 'Prometheus answered without warnings.' : gave(infos, 'hint');
    return { severity: 'ok', summary };
  }
  return {
    severity: 'warning',
    summary: gave(warnings, 'warning'),
    meaning:
      'Answers may be incomplete: a store behind the server may be down. Pods that are missing are not scored.',
    advice: 'Fix what the warning names. Scores are computed from the data that arrives.',
  };
});
