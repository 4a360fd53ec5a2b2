/** The progress of the incidents and their detection, from one observation to the next. Pure: the caller has the clock. */

import type { Reason } from '../../exporter/detection/reasons.js';
import type { NamedPod } from '../../exporter/features/table.js';
import type { DetectResponse } from '../../exporter/http/schemas.js';
import type { Incident } from '../simulation/incidents.js';
import { BACKUP, DATABASE } from '../simulation/workloads.js';

/** A pod that the exporter flags, as `/detect` reports it. */
export interface FlaggedPod extends NamedPod {
  readonly anomaly_score: number;
  readonly features: readonly Required<Reason>[];
}

/** An anomaly that has ended, as `/detect` reports it. */
export type EndedPod = DetectResponse['ended'][number];

/** The answer of the exporter at one moment. */
export interface Observation {
  /** Unix time. */
  readonly timeSeconds: number;
  /** `undefined` if the exporter did not answer, for the reason in `status`. */
  readonly flagged: readonly FlaggedPod[] | undefined;
  /** The anomalies that ended in the last half hour, the newest first. */
  readonly ended: readonly EndedPod[];
  /** A sentence about the model, or the reason why there are no scores. */
  readonly status: string;
  readonly pods: number;
  /** What the exporter has read of the last days; `undefined` if it did not say. */
  readonly history: { readonly knownDays: number; readonly isComplete: boolean } | undefined;
}

export interface IncidentProgress {
  readonly incident: Incident;
  /** Unix time of the first observation in which its pod was flagged during the incident; `undefined` before. */
  readonly flaggedSeconds: number | undefined;
  /** Unix time of the first observation after its end in which its pod was not flagged any more. */
  readonly resolvedSeconds: number | undefined;
}

/** A pod that is healthy, and when it was first flagged nevertheless. */
export interface HealthyPod extends NamedPod {
  /** Unix time of that observation. */
  readonly flaggedSeconds: number | undefined;
}

export interface Progress extends Observation {
  /** When the demo began, Unix time. */
  readonly startSeconds: number;
  /** Unix time of the first observation in which all of the last days were known. */
  readonly historySeconds: number | undefined;
  readonly incidents: readonly IncidentProgress[];
  /** The largest pod, and the one with the daily job. */
  readonly database: HealthyPod;
  readonly backup: HealthyPod;
}

export function beginProgress(incidents: readonly Incident[], timeSeconds: number, pods: number): Progress {
  return {
    timeSeconds,
    startSeconds: timeSeconds,
    flagged: undefined,
    ended: [],
    status: 'The exporter is starting.',
    pods,
    history: undefined,
    historySeconds: undefined,
    incidents: incidents.map((incident) => ({ incident, flaggedSeconds: undefined, resolvedSeconds: undefined })),
    database: { ...DATABASE, flaggedSeconds: undefined },
    backup: { ...BACKUP, flaggedSeconds: undefined },
  };
}

const isSame = (a: NamedPod, b: NamedPod) => a.namespace === b.namespace && a.pod === b.pod;

export function advance(progress: Progress, observation: Observation): Progress {
  const { timeSeconds, flagged, history } = observation;
  const isFlagged = (wanted: NamedPod) => flagged?.some((pod) => isSame(pod, wanted));
  const nowIf = (condition: boolean | undefined) => (condition ? timeSeconds : undefined);
  const watch = (pod: HealthyPod) => ({ ...pod, flaggedSeconds: pod.flaggedSeconds ?? nowIf(isFlagged(pod)) });
  return {
    ...observation,
    startSeconds: progress.startSeconds,
    historySeconds: progress.historySeconds ?? nowIf(history?.isComplete),
    incidents: progress.incidents.map(({ incident, flaggedSeconds, resolvedSeconds }) => {
      const { startSeconds, endSeconds } = incident;
      const runs = startSeconds <= timeSeconds && timeSeconds < endSeconds;
      const isOver = flaggedSeconds !== undefined && timeSeconds >= endSeconds;
      return {
        incident,
        flaggedSeconds: flaggedSeconds ?? nowIf(runs && isFlagged(incident)),
        resolvedSeconds: resolvedSeconds ?? nowIf(isOver && isFlagged(incident) === false),
      };
    }),
    database: watch(progress.database),
    backup: watch(progress.backup),
  };
}

export function incidentOf({ incidents, timeSeconds }: Progress, pod: FlaggedPod): Incident | undefined {
  return incidents.find(({ incident }) => isSame(incident, pod) && incident.startSeconds <= timeSeconds)?.incident;
}
