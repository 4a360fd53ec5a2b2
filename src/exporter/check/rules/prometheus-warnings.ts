import { counted } from '../../../lib/text/format.js';
import { always, checkOf } from '../check-definition.js';

/** So many of the server's remarks are repeated. */
const SHOWN = 3;

/** What the server remarked beside its answers: parts of the data may be missing. */
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
            ? 'Prometheus remarked nothing on its answers.'
            : `Prometheus gave ${counted(infos.length, 'hint')}: ${shown(infos)}`,
      };
    }
    return {
      severity: 'warning',
      summary: `Prometheus gave ${counted(warnings.length, 'warning')}: ${shown(warnings)}`,
      meaning:
        'Answers may be incomplete: a store behind it may be down. Pods that are left out go unscored.',
      advice: 'Look at what the warning names. Scores are computed from what is answered.',
    };
  },
);
