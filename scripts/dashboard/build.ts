/** Builds the dashboard with Grafana's own SDK, whose types are Grafana's schema. */

import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { MIXIN_TAG, UID } from './links.js';
import { ROWS } from './panels.js';
import { DATASOURCE } from './parts.js';
import { exporterMetric, VARIABLE_QUERIES } from './queries.js';

/** Grafana 10 and later migrate older versions on load; a version newer than their own may be misread. */
const SCHEMA_VERSION = 39;

/** The content of `deploy/grafana/dashboard.json`. */
export function buildDashboard(): Dashboard {
  const builder = new DashboardBuilder('Kubernetes: anomalous pods')
    .uid(UID)
    .description('Which Kubernetes pods misbehave, and why, by k8s-anomaly-detector.')
    .tags(['kubernetes', 'anomaly-detection', 'k8s-anomaly-detector'])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('30s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(variable('cluster', 'Cluster'))
    .withVariable(several('namespace', 'Namespace'))
    .withVariable(several('workload', 'Workload'))
    .withVariable(several('pod', 'Pod'))
    .annotation(
      new AnnotationQueryBuilder()
        .name('Trainings of the model')
        .datasource(DATASOURCE)
        .enable(false)
        .iconColor('blue')
        .expr(`max(${exporterMetric('k8s_anomaly_detector_model_trained_timestamp_seconds')}) * 1000`)
        .useValueForTime(true)
        .titleFormat('Model trained'),
    );
  builder.link(
    new DashboardLinkBuilder('Compute resources (kubernetes-mixin)')
      .type(DashboardLinkType.Dashboards)
      .tags([MIXIN_TAG])
      .asDropdown(true)
      .includeVars(true)
      .keepTime(true),
  );
  for (const { title, collapsed, panels } of ROWS) {
    const row = new RowBuilder(title).collapsed(collapsed);
    if (collapsed) for (const panel of panels) row.withPanel(panel);
    builder.withRow(row);
    if (!collapsed) for (const panel of panels) builder.withPanel(panel);
  }
  const dashboard = builder.build();
  dashboard.schemaVersion = SCHEMA_VERSION;
  let id = 1;
  for (const panel of dashboard.panels ?? []) {
    panel.id = id++;
    for (const inner of 'panels' in panel ? panel.panels : []) inner.id = id++;
  }
  return dashboard;
}

/** One value; queried again when the time range changes, since what is there comes and goes. */
function variable(name: keyof typeof VARIABLE_QUERIES, label: string): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(DATASOURCE)
    .query(VARIABLE_QUERIES[name])
    .definition(VARIABLE_QUERIES[name])
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc);
}

/** One, several or all values. */
function several(name: keyof typeof VARIABLE_QUERIES, label: string): QueryVariableBuilder {
  return variable(name, label)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ selected: true, text: ['All'], value: ['$__all'] });
}
