/** Where the dashboard leads: to itself with a pod selected, to the dashboards of kubernetes-mixin, and to the exporter's page. */

import { placeholder } from './parts.js';

export const UID = 'k8s-anomaly-detector';

/** The dashboards of kubernetes-mixin have the MD5 sum of the name of their file as uid, in every installation. */
export const MIXIN_UIDS = {
  pod: '6581e46e4e5c7ba40a07646395ef7b23',
  namespace: '85a562078cdf77779eaa1add43ccec1e',
  node: '200ac8fdbfbb74b39aff88118e4d1c2c',
};

/** The tag that all of them have. */
export const MIXIN_TAG = 'kubernetes-mixin';

/** A link of a panel, in which Grafana fills in the placeholders. */
export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/** A dashboard with the same data source, cluster and time range. @param variables names of placeholders by variable. */
function dashboardUrl(uid: string, variables: Readonly<Record<string, string>>): string {
  const set = Object.entries(variables).map(([name, value]) => `var-${name}=${placeholder(value)}`);
  const kept = ['datasource:queryparam', 'cluster:queryparam', '__url_time_range'].map(placeholder);
  return `/d/${uid}?${[...set, ...kept].join('&')}`;
}

/** This dashboard for one pod, and the mixin's. @param namespace, pod placeholders of its names. */
export const podLinks = (namespace: string, pod: string): readonly DataLink[] => [
  { title: 'Show this pod', url: dashboardUrl(UID, { namespace, pod }) },
  { title: 'Compute resources of this pod (kubernetes-mixin)', url: dashboardUrl(MIXIN_UIDS.pod, { namespace, pod }) },
];

export const workloadLinks = (namespace: string, workload: string): readonly DataLink[] => [
  { title: 'Show this workload', url: dashboardUrl(UID, { namespace, workload }) },
  {
    title: 'Compute resources of this namespace (kubernetes-mixin)',
    url: dashboardUrl(MIXIN_UIDS.namespace, { namespace }),
  },
];

export const nodeLinks = (node: string): readonly DataLink[] => [
  { title: 'Pods of this node (kubernetes-mixin)', url: dashboardUrl(MIXIN_UIDS.node, { node }) },
];

/** The exporter's page about a pod. @param page placeholder of its address. */
export const pageLinks = (page: string, namespace: string, pod: string): readonly DataLink[] => [
  {
    title: 'What the exporter says of this pod',
    url: `${placeholder(page)}/?namespace=${placeholder(namespace)}&pod=${placeholder(pod)}`,
  },
];
