/** Values of the Helm chart that are rendered, checked and installed by tests. */

import { readFileSync } from 'node:fs';
import type { ChartValues } from './helm.js';

/** Values that show each option once, by what they are for. */
export const CHART_MATRIX: Readonly<Record<string, ChartValues>> = {
  defaults: {},
  'labels and annotations': {
    commonLabels: { team: 'platform' },
    commonAnnotations: { 'example.org/contact': 'platform' },
    podLabels: { 'example.org/sidecar': 'off' },
    podAnnotations: { 'example.org/log': 'json' },
    workloadLabels: { tier: 'tools' },
    workloadAnnotations: { 'example.org/reload': 'true' },
    service: { labels: { zone: 'a' }, annotations: { 'example.org/probe': 'true' } },
    serviceMonitor: { enabled: true, labels: { release: 'x' }, annotations: { a: 'b' } },
    prometheusRule: { enabled: true, labels: { release: 'x' }, annotations: { a: 'b' } },
    clusterPodMonitoring: { enabled: true, labels: { zone: 'a' }, annotations: { a: 'b' } },
    clusterRules: { enabled: true, labels: { zone: 'a' }, annotations: { a: 'b' } },
    extraObjects: [
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: 'viewer', labels: { zone: 'a' }, annotations: { a: 'b' } },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
        subjects: [{ kind: 'ServiceAccount', name: 'detector', namespace: '{{ .Release.Namespace }}' }],
      },
    ],
    dashboard: { enabled: true, annotations: { grafana_folder: 'Pods' } },
    networkPolicy: { labels: { zone: 'a' }, annotations: { a: 'b' } },
    podDisruptionBudget: { enabled: true, labels: { zone: 'a' }, annotations: { a: 'b' } },
    serviceAccount: { create: true, labels: { zone: 'a' }, annotations: { role: 'arn:example' } },
    persistence: { enabled: true, labels: { zone: 'a' }, annotations: { a: 'b' } },
  },
  'an image by digest': {
    image: {
      repository: 'registry.example.org/detector',
      digest: `sha256:${'0'.repeat(64)}`,
      pullPolicy: 'Always',
      pullSecrets: [{ name: 'registry-login' }],
    },
  },
  files: {
    featureFile: { content: readFileSync('deploy/examples/features.yaml', 'utf8') },
    tuningFile: { content: readFileSync('deploy/examples/tuning.yaml', 'utf8') },
    settingFiles: {
      PROMETHEUS_BEARER_TOKEN_FILE: { secret: 'login', key: 'token' },
      PROMETHEUS_CA_FILE: { configMap: 'ca', key: 'ca.crt' },
    },
    existingSecret: 'more-settings',
  },
  'existing files': {
    featureFile: { existingConfigMap: 'features' },
    tuningFile: { existingConfigMap: 'tuning' },
    webConfig: { existingSecret: 'web', clientCertificates: true },
  },
  'a certificate with a configuration': {
    webConfig: {
      existingSecret: 'certificate',
      content: 'tls_server_config: { cert_file: tls.crt, key_file: tls.key }',
    },
    clusterPodMonitoring: {
      enabled: true,
      tls: { ca: { secret: { name: 'ca', key: 'ca.crt' } }, serverName: 'detector' },
    },
  },
  'a volume': { persistence: { enabled: true, storageClassName: 'fast', accessModes: ['ReadWriteMany'] }, replicas: 2 },
  'an existing volume': { persistence: { enabled: true, existingClaim: 'model' } },
  'shards with volumes': { shards: 4, persistence: { enabled: true, labels: { zone: 'a' }, annotations: { a: 'b' } } },
  'more of everything': {
    extraEnv: [{ name: 'NODE_EXTRA_CA_CERTS', value: '/etc/ca/ca.crt' }],
    extraEnvFrom: [{ secretRef: { name: 'more' } }],
    extraVolumes: [{ name: 'ca', configMap: { name: 'ca' } }],
    extraVolumeMounts: [{ name: 'ca', mountPath: '/etc/ca', readOnly: true }],
    serviceAccount: { name: 'detector', automountToken: true },
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    tolerations: [{ key: 'monitoring', operator: 'Exists', effect: 'NoSchedule' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'monitoring',
    service: { type: 'NodePort', port: 80 },
    networkPolicy: {
      prometheus: [],
      extraIngress: [{ from: [{ ipBlock: { cidr: '192.0.2.0/24' } }], ports: [{ port: 'http', protocol: 'TCP' }] }],
      extraEgress: [{ ports: [{ port: 443, protocol: 'TCP' }] }],
    },
    serviceMonitor: {
      enabled: true,
      relabelings: [{ action: 'labeldrop', regex: 'endpoint' }],
      metricRelabelings: [{ action: 'labeldrop', regex: 'endpoint' }],
    },
  },
  'little of everything': {
    networkPolicy: { enabled: false },
    resources: { limits: null, requests: null },
    podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null },
    serviceMonitor: { enabled: true },
  },
};
