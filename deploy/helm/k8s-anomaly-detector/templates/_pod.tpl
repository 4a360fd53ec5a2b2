{{/* The image of the container. */}}
{{- define "detector.image" -}}
{{- if .Values.code.enabled -}}
{{- .Values.code.image -}}
{{- else if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* What a probe does: `dict "context" $ "path" …`. */}}
{{- define "detector.probe" -}}
{{- if and .context.Values.webConfig.existingSecret .context.Values.webConfig.clientCertificates -}}
tcpSocket:
  port: http
{{- else -}}
httpGet:
  path: {{ .path }}
  port: http
  {{- if include "detector.isHttps" .context }}
  # The kubelet does not verify certificates.
  scheme: HTTPS
  {{- end }}
{{- end -}}
{{- end }}

{{/* The template of the pods of a Deployment or StatefulSet. */}}
{{- define "detector.podTemplate" -}}
{{- $isSharded := include "detector.isSharded" . -}}
{{- $isInstalled := and .Values.code.enabled (eq .Values.code.packages "installed") -}}
metadata:
  labels:
    {{- $standard := include "detector.standardLabels" . | fromYaml }}
    {{- mergeOverwrite (dict) (.Values.commonLabels | default dict) (.Values.podLabels | default dict) $standard | toYaml | nindent 4 }}
  annotations:
    # New settings, features or code replace the pods.
    checksum/settings: {{ include "detector.settings" . | sha256sum }}
    {{- with .Values.featureFile.content }}
    checksum/features: {{ sha256sum . }}
    {{- end }}
    {{- if .Values.code.enabled }}
    {{- with .Values.code.checksum }}
    checksum/code: {{ . | quote }}
    {{- end }}
    {{- end }}
    {{- with mergeOverwrite (dict) (.Values.commonAnnotations | default dict) (.Values.podAnnotations | default dict) }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  # The exporter queries Prometheus, never the Kubernetes API.
  automountServiceAccountToken: {{ .Values.serviceAccount.automountToken }}
  # Otherwise every Service of the namespace adds environment variables beside the settings.
  enableServiceLinks: false
  {{- with include "detector.serviceAccountName" . }}
  serviceAccountName: {{ . }}
  {{- end }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- range . }}
    {{- $selector := dict "matchLabels" (include "detector.selectorLabels" $ | fromYaml) }}
    - {{- merge (dict) . (dict "labelSelector" $selector) | toYaml | nindent 6 }}
    {{- end }}
  {{- end }}
  {{- with .Values.podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: exporter
      image: {{ include "detector.image" . | quote }}
      {{- with .Values.image.pullPolicy }}
      imagePullPolicy: {{ . }}
      {{- end }}
      {{- if .Values.code.enabled }}
      workingDir: /app
      command:
        - /bin/sh
        - -ec
        - |
          rm -rf /app/dist
          node -e 'fs.writeFileSync("/app/code.tar", zlib.brotliDecompressSync(fs.readFileSync("/config/code.tar.br")))'
          tar -xf /app/code.tar -C /app
          rm /app/code.tar
          {{- if $isInstalled }}
          npm ci --omit=dev --ignore-scripts --prefer-offline --no-audit --no-fund --no-update-notifier
          {{- end }}
          exec node --enable-source-maps dist/src/main.js serve
      {{- end }}
      envFrom:
        - configMapRef:
            name: {{ include "detector.fullname" . }}-settings
        # This Secret takes precedence over the ConfigMap.
        - secretRef:
            {{- if .Values.existingSecret }}
            name: {{ .Values.existingSecret }}
            {{- else }}
            name: {{ include "detector.fullname" . }}
            optional: true
            {{- end }}
        {{- with .Values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- $env := list }}
      {{- $ownNames := list }}
      {{- range .Values.extraEnv }}{{ $ownNames = append $ownNames .name }}{{ end }}
      {{- if .Values.code.enabled }}
      {{- $env = append $env (dict "name" "NODE_ENV" "value" "production") }}
      {{- end }}
      {{- if $isInstalled }}
      {{- /* npm keeps its cache and its logs in the home folder. A restarted container finds the packages there. */}}
      {{- $env = append $env (dict "name" "HOME" "value" "/tmp") }}
      {{- end }}
      {{- with include "detector.heapMebibytes" . }}
      {{- /* The rest of the memory is for buffers, typed arrays and Node.js itself. */}}
      {{- if not (has "NODE_OPTIONS" $ownNames) }}
      {{- $env = append $env (dict "name" "NODE_OPTIONS" "value" (printf "--max-old-space-size=%s" .)) }}
      {{- end }}
      {{- end }}
      {{- if $isSharded }}
      {{- /* The default version, but a second field manager (Argo CD beside Helm) conflicts where it is not written. */}}
      {{- $podName := dict "fieldRef" (dict "apiVersion" "v1" "fieldPath" "metadata.name") }}
      {{- $env = append $env (dict "name" "POD_NAME" "valueFrom" $podName) }}
      {{- $env = append $env (dict "name" "TOTAL_SHARDS" "value" (.Values.shards | int | toString)) }}
      {{- end }}
      {{- with concat $env (.Values.extraEnv | default list) }}
      env:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      ports:
        - name: http
          containerPort: 8000
      # No probe depends on Prometheus: restarting the exporter, or removing it from the Service, would not bring Prometheus
      # back and would hide the metrics about the outage. These two paths never need a password.
      startupProbe:
        {{- include "detector.probe" (dict "context" . "path" "/-/ready") | nindent 8 }}
        # With the installation of packages: five minutes.
        periodSeconds: {{ ternary 5 2 $isInstalled }}
        timeoutSeconds: 3
        failureThreshold: {{ ternary 60 30 $isInstalled }}
      livenessProbe:
        {{- include "detector.probe" (dict "context" . "path" "/-/healthy") | nindent 8 }}
        periodSeconds: 20
        # A scrape with many thousand pods keeps the process busy for a moment.
        timeoutSeconds: 5
        failureThreshold: 3
      readinessProbe:
        {{- include "detector.probe" (dict "context" . "path" "/-/ready") | nindent 8 }}
        periodSeconds: 10
        timeoutSeconds: 3
        failureThreshold: 3
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .Values.securityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        # Contains MODEL_PATH.
        - name: model
          mountPath: /var/lib/k8s-anomaly-detector
        {{- if .Values.code.enabled }}
        - name: code
          mountPath: /config
          readOnly: true
        - name: app
          mountPath: /app
        {{- end }}
        {{- /* Folders, not single files: those would not be updated when their source changes. */}}
        {{- if or .Values.featureFile.content .Values.featureFile.existingConfigMap }}
        - name: features
          mountPath: /etc/features
          readOnly: true
        {{- end }}
        {{- if or .Values.tuningFile.content .Values.tuningFile.existingConfigMap }}
        - name: tuning
          mountPath: /etc/tuning
          readOnly: true
        {{- end }}
        {{- if .Values.webConfig.existingSecret }}
        - name: web-config
          mountPath: /etc/web-config
          readOnly: true
        {{- end }}
        {{- range $name, $file := .Values.settingFiles }}
        - name: {{ include "detector.settingFileVolume" $name }}
          mountPath: {{ include "detector.settingFileFolder" $name }}
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "detector.volumes" . | nindent 4 }}
{{- end }}
