import type { IncidentKind, ScriptedIncident } from '../../src/tools/simulation/incidents.js';

/** An incident in the simulated cluster that began some minutes ago and lasts for another hour. */
export const incidentUnderWay = (
  kind: IncidentKind,
  [namespace, workload, replica]: readonly [string, string, number],
  minutesAgo: number,
): ScriptedIncident => ({
  kind,
  namespace,
  workload,
  replica,
  startOffsetSeconds: -60 * minutesAgo,
  endOffsetSeconds: 3600,
});
