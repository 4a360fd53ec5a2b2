/** The progress of the incidents and their detection, from one observation to the next. Pure: the caller has the clock. */

import type { Reason } from '../../exporter/detection/reasons.js';
import type { NamedPod } from '../../exporter/features/table.js';
import type { Incident } from '../simulation/incidents.js';
import { DATABASE } from '../simulation/workloads.js';

/** A pod that the exporter flags, as `/detect` reports it. */
export interface FlaggedPod extends NamedPod {
  readonly anomaly_score: number;
  readonly features: readonly Required<Reason>[];
}

/** The answer of the exporter at one moment. */
export interface Observation {
  /** Unix time. */
  readonly timeSeconds: number;
  /** `undefined` if the exporter did not answer, for the reason in `status`. */
  readonly flagged: readonly FlaggedPod[] | undefined;
  /** A sentence about the model, or the reason why there are no scores. */
  readonly status: string;
  readonly pods: number;
}

export interface IncidentProgress {
  readonly incident: Incident;
  /** Unix time of the first observation in which its pod was flagged during the incident; `undefined` before. */
  readonly flaggedSeconds: number | undefined;
}

export interface Progress extends Observation {
  readonly incidents: readonly IncidentProgress[];
  /** Unix time of the first observation in which the database was flagged, which is healthy. */
  readonly databaseFlaggedSeconds: number | undefined;
}

export function beginProgress(incidents: readonly Incident[], timeSeconds: number, pods: number): Progress {
  return {
    timeSeconds,
    flagged: undefined,
    status: 'The exporter is starting.',
    pods,
    incidents: incidents.map((incident) => ({ incident, flaggedSeconds: undefined })),
    databaseFlaggedSeconds: undefined,
  };
}

const isSame = (a: NamedPod, b: NamedPod) => a.namespace === b.namespace && a.pod === b.pod;

export function advance(progress: Progress, observation: Observation): Progress {
  const { timeSeconds, flagged = [] } = observation;
  const isFlagged = (wanted: NamedPod) => flagged.some((pod) => isSame(pod, wanted));
  return {
    ...observation,
    incidents: progress.incidents.map(({ incident, flaggedSeconds }) => {
      const runs = incident.startSeconds <= timeSeconds && timeSeconds < incident.endSeconds;
      return {
        incident,
        flaggedSeconds: flaggedSeconds ?? (runs && isFlagged(incident) ? timeSeconds : undefined),
      };
    }),
    databaseFlaggedSeconds: progress.databaseFlaggedSeconds ?? (isFlagged(DATABASE) ? timeSeconds : undefined),
  };
}

export function incidentOf({ incidents, timeSeconds }: Progress, pod: FlaggedPod): Incident | undefined {
  return incidents.find(({ incident }) => isSame(incident, pod) && incident.startSeconds <= timeSeconds)?.incident;
}
