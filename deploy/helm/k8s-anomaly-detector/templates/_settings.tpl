{{/* The data of the ConfigMap with the settings: those of the values, and those that follow from other values. */}}
{{- define "detector.settings" -}}
{{- $settings := dict "MODEL_PATH" "/var/lib/k8s-anomaly-detector/model" -}}
{{- range $name, $value := .Values.settings -}}
{{/* `null` takes back what an earlier file of values has. */}}
{{- if kindIs "invalid" $value -}}
{{/* YAML numbers are floating-point here, and would be printed as 6.7108864e+07. */}}
{{- else if and (kindIs "float64" $value) (eq (floor $value) $value) -}}
{{- $_ := set $settings $name (int64 $value | toString) -}}
{{- else -}}
{{- $_ := set $settings $name (toString $value) -}}
{{- end -}}
{{- end -}}
{{- range $name, $file := .Values.settingFiles -}}
{{- $_ := set $settings $name (printf "%s/%s" (include "detector.settingFileFolder" $name) $file.key) -}}
{{- end -}}
{{/* The exporter takes one of both, and the values have an address by default. */}}
{{- if hasKey $settings "PROMETHEUS_URL_FILE" -}}
{{- $_ := unset $settings "PROMETHEUS_URL" -}}
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

{{/* Seconds of a duration, such as 1m30s. */}}
{{- define "detector.seconds" -}}
{{- $partOf := dict "h" 0 "m" 0 "s" 0 -}}
{{- range $unit, $_ := $partOf -}}
{{- $_ := regexFind (printf "[0-9]+%s" $unit) $ | trimSuffix $unit | int | set $partOf $unit -}}
{{- end -}}
{{- add (mul 3600 $partOf.h) (mul 60 $partOf.m) $partOf.s -}}
{{- end }}

{{/* Fails where values contradict each other. */}}
{{- define "detector.validate" -}}
{{- $isSharded := include "detector.isSharded" . -}}
{{- $settings := dict -}}
{{- range $name, $value := .Values.settings -}}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $settings $name $value }}{{ end -}}
{{- end -}}
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
{{- with .Values.serviceMonitor -}}
{{- if and .enabled (gt (include "detector.seconds" .scrapeTimeout | int) (include "detector.seconds" .interval | int)) -}}
{{- fail (printf "Expected a serviceMonitor.scrapeTimeout of at most serviceMonitor.interval (%s), got %s. The Prometheus Operator ignores such a ServiceMonitor." .interval .scrapeTimeout) -}}
{{- end -}}
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
{{- if regexMatch "(?i)(^|,)\\s*authorization\\s*=" (get $settings "PROMETHEUS_HEADERS" | toString) -}}
{{- fail "Expected no password in settings.PROMETHEUS_HEADERS: settings become a ConfigMap. Put PROMETHEUS_HEADERS into existingSecret, or PROMETHEUS_HEADERS_FILE into settingFiles." -}}
{{- end -}}
{{- range $name := list "PROMETHEUS_PROXY_URL" "PROMETHEUS_HEADERS" "PROMETHEUS_QUERY_PARAMETERS" -}}
{{- $file := printf "%s_FILE" $name -}}
{{- if and (hasKey $settings $name) (or (hasKey $settings $file) (hasKey ($.Values.settingFiles | default dict) $file)) -}}
{{- fail (printf "Expected %s or %s, got both. Remove one." $name $file) -}}
{{- end -}}
{{- end -}}
{{/* What the schema cannot say, or what it would repeat although it may be secret. */}}
{{- with get $settings "PROMETHEUS_URL" | toString | trim -}}
{{- if not (regexMatch "(?i)^https?://[^?#]+$" .) -}}
{{- fail "Expected an http:// or https:// URL without query and fragment in settings.PROMETHEUS_URL, such as http://prometheus-operated.monitoring:9090." -}}
{{- end -}}
{{- end -}}
{{- with get $settings "PROMETHEUS_PROXY_URL" | toString | trim -}}
{{- if not (regexMatch "(?i)^http://[^/?#]+/?$" .) -}}
{{- fail "Expected an http:// URL without path in settings.PROMETHEUS_PROXY_URL, such as http://proxy.example.org:3128." -}}
{{- end -}}
{{- end -}}
{{- range $name := list "PROMETHEUS_HEADERS" "PROMETHEUS_QUERY_PARAMETERS" -}}
{{- with get $settings $name | toString | trim -}}
{{- if not (regexMatch `^[^=\\]+=(\\[\\,]|[^\\,])*(,[^=\\,]+=(\\[\\,]|[^\\,])*)*$` .) -}}
{{- fail (printf "Expected pairs as name=value,name=value in settings.%s, in which \\, is a comma." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with get $settings "PROMETHEUS_MATCHERS" | toString | trim -}}
{{- if not (regexMatch "[=~]\\s*[\"'`]" .) -}}
{{- fail (printf "Expected label matchers with values in quotes in settings.PROMETHEUS_MATCHERS, such as cluster=\"eu\", got %s" .) -}}
{{- end -}}
{{- end -}}
{{/* Templates have the regular expressions of Prometheus. Whatever is valid matches, because of the alternative. */}}
{{- with get $settings "NAMESPACE_REGEX" | toString -}}
{{- if not (regexMatch (printf "(?:%s)|^" .) "") -}}
{{- fail (printf "Expected a regular expression in RE2 syntax in settings.NAMESPACE_REGEX, such as shop|payments-.*, got %s" .) -}}
{{- end -}}
{{- end -}}
{{- range $name, $limits := .Files.Get "files/setting-limits.yaml" | fromYaml -}}
{{- $value := get $settings $name -}}
{{- if and (kindIs "string" $value) $value -}}
{{- $number := float64 $value -}}
{{- if or (lt $number $limits.minimum) (gt $number $limits.maximum) -}}
{{- fail (printf "Expected %s in settings.%s, got %q." $limits.expected $name $value) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- range $name, $file := .Values.settingFiles -}}
{{- if hasKey $settings $name -}}
{{- fail (printf "Expected %s in settings or in settingFiles, got both. Remove one." $name) -}}
{{- end -}}
{{- end -}}
{{- end }}
