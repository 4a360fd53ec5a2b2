{{/* The volumes of the pods. */}}
{{- define "detector.volumes" -}}
{{- $isInstalled := and .Values.code.enabled (eq .Values.code.packages "installed") -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ ternary "256Mi" "64Mi" $isInstalled }}
{{- if not .Values.persistence.enabled }}
# Outlives the container, not the pod.
- name: model
  emptyDir:
    sizeLimit: 256Mi
{{- else if not (include "detector.isSharded" .) }}
- name: model
  persistentVolumeClaim:
    claimName: {{ .Values.persistence.existingClaim | default (include "detector.fullname" .) }}
{{- end }}
{{- if .Values.code.enabled }}
- name: code
  configMap:
    name: {{ .Values.code.configMap }}
- name: app
  emptyDir:
    sizeLimit: {{ ternary "256Mi" "64Mi" $isInstalled }}
{{- end }}
{{- if or .Values.featureFile.content .Values.featureFile.existingConfigMap }}
- name: features
  configMap:
    name: {{ .Values.featureFile.existingConfigMap | default (printf "%s-features" (include "detector.fullname" .)) }}
{{- end }}
{{- if or .Values.tuningFile.content .Values.tuningFile.existingConfigMap }}
- name: tuning
  configMap:
    name: {{ .Values.tuningFile.existingConfigMap | default (printf "%s-tuning" (include "detector.fullname" .)) }}
{{- end }}
{{- with .Values.webConfig }}
{{- if .content }}
- name: web-config
  projected:
    # Readable by the group, which is the fsGroup of the pod.
    defaultMode: 0440
    sources:
      - configMap:
          name: {{ include "detector.fullname" $ }}-web-config
      - secret:
          name: {{ .existingSecret }}
{{- else if .existingSecret }}
- name: web-config
  secret:
    secretName: {{ .existingSecret }}
    defaultMode: 0440
{{- end }}
{{- end }}
{{- range $name, $file := .Values.settingFiles }}
- name: {{ include "detector.settingFileVolume" $name }}
  {{- if $file.secret }}
  secret:
    secretName: {{ $file.secret }}
    defaultMode: 0440
  {{- else }}
  configMap:
    name: {{ $file.configMap }}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}
