{{/* Groups of rules without the alerts that are left out: `dict "context" $ "disabledAlerts" …`. */}}
{{- define "detector.rules" -}}
{{- $text := .context.Files.Get "files/rules.yaml" -}}
{{- if .disabledAlerts -}}
{{- $disabled := .disabledAlerts -}}
{{- $groups := list -}}
{{- range $group := (fromYaml $text).groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- if not (has (get $rule "alert") $disabled) }}{{ $rules = append $rules $rule }}{{ end -}}
{{- end -}}
{{- $groups = append $groups (set $group "rules" $rules) -}}
{{- end -}}
{{- dict "groups" $groups | toYaml -}}
{{- else -}}
{{- $text -}}
{{- end -}}
{{- end }}
