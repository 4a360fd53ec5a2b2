import { counted } from '../../../lib/text/format.js';
import { always, checkOf } from '../check-definition.js';

/** How many of the server's warnings are shown. */
const SHOWN = 3;

/** Warnings in the answers of the server: parts of the data may be missing. */
export const prometheusWarnings = checkOf(
  'prometheus_warnings',
  ({ warnings, infos }) => always({ warnings, infos }),
  ({ warnings, infos }) => {
    const shown = (remarks: readonly string[]) =>
      remarks
        .slice(0, SHOWN)
        .map((remark) => `"${remark.slice(0, 300)}"`)
        .join(' ');
    if (warnings.length === 0) {
      return {
        severity: 'ok',
        summary:
          infos.length === 0
            ? 'Prometheus answered without warnings.'
            : `Prometheus gave ${counted(infos.length, 'hint')}: ${shown(infos)}`,
      };
    }
    return {
      severity: 'warning',
      summary: `Prometheus gave ${counted(warnings.length, 'warning')}: ${shown(warnings)}`,
      meaning:
        'Answers may be incomplete: a store behind the server may be down. Pods that are missing are not scored.',
      advice: 'Fix what the warning names. Scores are computed from the data that arrives.',
    };
  },
);
