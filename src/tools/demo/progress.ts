/** What has come of the script so far, from one look at the exporter to the next. Pure: the clock is the caller's. */

import type { Incident } from '../simulation/incidents.js';
import { DATABASE } from '../simulation/workloads.js';

/** A pod that the exporter flags, as `/detect` tells it. */
export interface FlaggedPod {
  readonly namespace: string;
  readonly pod: string;
  readonly anomaly_score: number;
  readonly features: readonly {
    readonly feature: string;
    readonly unit: string;
    readonly actual: number;
    readonly expected: number;
    readonly deviation: number;
    readonly share: number;
  }[];
}

/** What one look at the exporter found. */
export interface Observation {
  /** Unix time. */
  readonly timeSeconds: number;
  /** `undefined`: the exporter gave no answer, for the reason in `status`. */
  readonly flagged: readonly FlaggedPod[] | undefined;
  /** A sentence about the model, or about what is missing. */
  readonly status: string;
  /** Pods in the cluster. */
  readonly pods: number;
}

export interface IncidentProgress {
  readonly incident: Incident;
  /** Unix time of the first look that found its pod flagged while it ran; `undefined` until then. */
  readonly flaggedSeconds: number | undefined;
}

export interface Progress extends Observation {
  readonly incidents: readonly IncidentProgress[];
  /** Unix time of the first look that found the database flagged, which must not be. */
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

export function advance(progress: Progress, observation: Observation): Progress {
  const { timeSeconds, flagged = [] } = observation;
  const isFlagged = (wanted: { namespace: string; pod: string }) =>
    flagged.some(({ namespace, pod }) => namespace === wanted.namespace && pod === wanted.pod);
  return {
    ...observation,
    incidents: progress.incidents.map(({ incident, flaggedSeconds }) => {
      const runs = incident.startSeconds <= timeSeconds && timeSeconds < incident.endSeconds;
      return {
        incident,
        flaggedSeconds: flaggedSeconds ?? (runs && isFlagged(incident) ? timeSeconds : undefined),
      };
    }),
    databaseFlaggedSeconds:
      progress.databaseFlaggedSeconds ?? (isFlagged(DATABASE) ? timeSeconds : undefined),
  };
}

/** The incident that hit a pod, if any has begun. */
export function incidentOf(progress: Progress, { namespace, pod }: FlaggedPod): Incident | undefined {
  return progress.incidents.find(
    ({ incident }) =>
      incident.namespace === namespace &&
      incident.pod === pod &&
      incident.startSeconds <= progress.timeSeconds,
  )?.incident;
}
