{{/* Names and labels. */}}

{{- define "detector.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains "k8s-anomaly-detector" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-k8s-anomaly-detector" (.Release.Name | trunc 31 | trimSuffix "-") -}}
{{- end -}}
{{- end }}

{{/* Never change: they are in selectors. The alerts select the job by the name, so it is the same in every release. */}}
{{- define "detector.selectorLabels" -}}
app.kubernetes.io/name: k8s-anomaly-detector
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "detector.standardLabels" -}}
{{ include "detector.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: exporter
app.kubernetes.io/part-of: k8s-anomaly-detector
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* Labels of an object: `dict "context" $ "labels" …`. */}}
{{- define "detector.labels" -}}
{{- $context := .context -}}
{{- $standard := include "detector.standardLabels" $context | fromYaml }}
{{- $chart := dict "helm.sh/chart" (printf "%s-%s" $context.Chart.Name $context.Chart.Version | replace "+" "_" | trunc 63) }}
{{- mergeOverwrite (dict) ($context.Values.commonLabels | default dict) (.labels | default dict) $standard $chart | toYaml }}
{{- end }}

{{/*
Metadata of an object: `dict "context" $ "labels" … "annotations" …`, and its `name` or the `suffix` of its name; `"isOfCluster" true`
for a kind that has no namespace.
*/}}
{{- define "detector.metadata" -}}
{{- $context := .context -}}
name: {{ .name | default (printf "%s%s" (include "detector.fullname" $context) (.suffix | default "")) }}
{{- if not .isOfCluster }}
namespace: {{ $context.Release.Namespace }}
{{- end }}
labels:
  {{- include "detector.labels" . | nindent 2 }}
{{- with mergeOverwrite (dict) ($context.Values.commonAnnotations | default dict) (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "detector.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "detector.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{/* Shards have a Service of another name: the address of an existing one cannot be removed in an upgrade. */}}
{{- define "detector.serviceName" -}}
{{- include "detector.fullname" . }}{{ if include "detector.isSharded" . }}-shards{{ end -}}
{{- end }}

{{/* `true` where several pods share the namespaces, else nothing. */}}
{{- define "detector.isSharded" -}}
{{- if gt (int .Values.shards) 1 -}}true{{- end -}}
{{- end }}

{{/* `true` where the exporter speaks HTTPS, else nothing. */}}
{{- define "detector.isHttps" -}}
{{- if and .Values.webConfig.existingSecret .Values.webConfig.tls -}}true{{- end -}}
{{- end }}
