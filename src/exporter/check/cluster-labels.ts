/** Labels by which people tell clusters apart in one Prometheus. */

/** Names in use: kube-prometheus, Thanos, Mimir, Amazon, Google and Grafana Cloud, and home-made ones. */
export const CLUSTER_LABELS: readonly string[] = [
  'cluster',
  'cluster_id',
  'cluster_name',
  'clusterName',
  'k8s_cluster',
  'k8s_cluster_name',
  'kube_cluster',
  'kubernetes_cluster',
  'exported_cluster',
];
