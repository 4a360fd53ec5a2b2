{{/* The data of the ConfigMap with the settings: those of the values, and those that follow from other values. */}}
{{- define "detector.settings" -}}
{{- $settings := dict "MODEL_PATH" "/var/lib/k8s-anomaly-detector/model" -}}
{{- range $name, $value := .Values.settings -}}
{{/* YAML numbers are floating-point here, and would be printed as 6.7108864e+07. */}}
{{- if and (kindIs "float64" $value) (eq (floor $value) $value) -}}
{{- $_ := set $settings $name (int64 $value | toString) -}}
{{- else -}}
{{- $_ := set $settings $name (toString $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $file := .Values.settingFiles -}}
{{- $_ := set $settings $name (printf "%s/%s" (include "detector.settingFileFolder" $name) $file.key) -}}
{{- end -}}
{{- if or .Values.featureFile.content .Values.featureFile.existingConfigMap -}}
{{- $_ := set $settings "FEATURES_FILE" "/etc/features/features.yaml" -}}
{{- end -}}
{{- if or .Values.tuningFile.content .Values.tuningFile.existingConfigMap -}}
{{- $_ := set $settings "TUNING_FILE" "/etc/tuning/tuning.yaml" -}}
{{- end -}}
{{- if .Values.webConfig.existingSecret -}}
{{- $_ := set $settings "WEB_CONFIG_FILE" "/etc/web-config/web-config.yaml" -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* The folder of a setting's file. Its argument is the name of the setting. */}}
{{- define "detector.settingFileFolder" -}}
/etc/setting-files/{{ include "detector.settingFileVolume" . }}
{{- end }}

{{- define "detector.settingFileVolume" -}}
{{ . | lower | replace "_" "-" }}
{{- end }}

{{/* Three quarters of the memory limit, in MiB; nothing without a limit. */}}
{{- define "detector.heapMebibytes" -}}
{{- with dig "limits" "memory" "" (.Values.resources | default dict) -}}
{{- $unit := regexFind "[A-Za-z]+$" . -}}
{{- $bytes := get (dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824) $unit -}}
{{- divf (mulf (trimSuffix $unit . | float64) $bytes 0.75) 1048576 | floor | int64 -}}
{{- end -}}
{{- end }}

{{/* Fails where values contradict each other. */}}
{{- define "detector.validate" -}}
{{- $isSharded := include "detector.isSharded" . -}}
{{- $settings := .Values.settings | default dict -}}
{{- if and $isSharded (gt (int .Values.replicas) 1) -}}
{{- fail "Expected replicas or shards, got both. Each shard has one pod. For replicas of shards, install a second release." -}}
{{- end -}}
{{- if and $isSharded .Values.persistence.existingClaim -}}
{{- fail "Expected no persistence.existingClaim with several shards: each shard has a volume of its own. Remove it." -}}
{{- end -}}
{{- if and .Values.persistence.enabled (gt (int .Values.replicas) 1) (not (has "ReadWriteMany" .Values.persistence.accessModes)) -}}
{{- fail "Expected ReadWriteMany in persistence.accessModes: several replicas share one volume. Set it, or use one replica." -}}
{{- end -}}
{{- if and .Values.webConfig.content (not .Values.webConfig.existingSecret) -}}
{{- fail "Expected webConfig.existingSecret beside webConfig.content: the Secret with the certificate. Set it." -}}
{{- end -}}
{{- range $name := list "PROMETHEUS_PASSWORD" "PROMETHEUS_BEARER_TOKEN" -}}
{{- if hasKey $settings $name -}}
{{- fail (printf "Expected %s in existingSecret or %s_FILE in settingFiles, got it in settings, which become a ConfigMap." $name $name) -}}
{{- end -}}
{{- end -}}
{{- range $name := list "PROMETHEUS_URL" "PROMETHEUS_PROXY_URL" -}}
{{- if regexMatch "^[^/]*//[^/]*@" (get $settings $name | toString) -}}
{{- fail (printf "Expected no password in settings.%s: settings become a ConfigMap. Put %s into existingSecret, or %s_FILE into settingFiles." $name $name $name) -}}
{{- end -}}
{{- end -}}
{{- with get $settings "PROMETHEUS_URL" | toString -}}
{{- if not (regexMatch "^https?://" .) -}}
{{- fail "Expected an http:// or https:// URL in settings.PROMETHEUS_URL, such as http://prometheus-operated.monitoring:9090." -}}
{{- end -}}
{{- end -}}
{{- range $name, $file := .Values.settingFiles -}}
{{- if hasKey $settings $name -}}
{{- fail (printf "Expected %s in settings or in settingFiles, got both. Remove one." $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
