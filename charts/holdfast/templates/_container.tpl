{{- /* Our own environment variables: only those that extraEnv does not replace, because a name may be there once. */ -}}
{{- define "holdfast.env" -}}
{{- $env := list -}}
{{- with include "holdfast.configKey" . -}}
{{- $env = append $env (dict "name" "HOLDFAST_CONFIG" "value" (printf "/etc/holdfast/%s" .)) -}}
{{- end -}}
{{- if .Values.benji.enabled -}}
{{- if include "holdfast.benji.usesCrontab" . -}}
{{- $env = append $env (dict "name" "HOLDFAST_CONFIG" "value" "/benji/etc/crontab") -}}
{{- end -}}
{{- $env = append $env (dict "name" "BENJI_INSTANCE" "value" (include "holdfast.benji.instance" .)) -}}
{{- $env = append $env (dict "name" "BENJI_LOG_LEVEL" "value" .Values.benji.logLevel) -}}
{{- with include "holdfast.pushgateway" . -}}
{{- $env = append $env (dict "name" "PROM_PUSH_GATEWAY" "value" (trimPrefix "http://" .)) -}}
{{- end -}}
{{- if .Values.benji.freeze.enabled -}}
{{- $env = append $env (dict "name" "HOLDFAST_KUBELET_ROOT" "value" .Values.benji.freeze.kubeletRoot) -}}
{{- $env = append $env (dict "name" "HOLDFAST_SYS_ROOT" "value" .Values.benji.freeze.sysRoot) -}}
{{- end -}}
{{- end -}}
{{- $env = append $env (dict "name" "HOLDFAST_STATE_DIR" "value" "/var/lib/holdfast") -}}
{{- $grace := printf "%ds" (sub (int .Values.terminationGracePeriodSeconds) 5) -}}
{{- $env = append $env (dict "name" "HOLDFAST_SHUTDOWN_GRACE" "value" $grace) -}}
{{- $env = append $env (dict "name" "HOLDFAST_LOG_LEVEL" "value" .Values.logLevel) -}}
{{- $env = append $env (dict "name" "HOLDFAST_CONTAINER_NAME" "value" "holdfast") -}}
{{- if include "holdfast.leader" . -}}
{{- $env = append $env (dict "name" "HOLDFAST_LEASE" "value" (include "holdfast.fullname" .)) -}}
{{- end -}}
{{- if not (kindIs "invalid" .Values.metrics.port) -}}
{{- $env = append $env (dict "name" "HOLDFAST_LISTEN" "value" (.Values.metrics.port | int | toString)) -}}
{{- end -}}
{{- if include "holdfast.apiToken" . -}}
{{- $env = append $env (dict "name" "HOLDFAST_API_TOKEN_FILE" "value" "/etc/holdfast-api/token") -}}
{{- with .Values.api.hosts -}}
{{- $env = append $env (dict "name" "HOLDFAST_API_HOSTS" "value" (join " " .)) -}}
{{- end -}}
{{- end -}}
{{- range $name, $field := dict "POD_NAME" "metadata.name" "POD_NAMESPACE" "metadata.namespace" "POD_UID" "metadata.uid" -}}
{{- $env = append $env (dict "name" $name "valueFrom" (dict "fieldRef" (dict "fieldPath" $field))) -}}
{{- end -}}
{{- with .Values.sidecar.targetContainer -}}
{{- if eq $.Values.mode "sidecar" -}}
{{- $env = append $env (dict "name" "TARGET_CONTAINER" "value" .) -}}
{{- end -}}
{{- end -}}
{{- with .Values.timeZone -}}
{{- $env = append $env (dict "name" "TZ" "value" .) -}}
{{- end -}}
{{- range $env -}}
{{- if not (include "holdfast.hasEnv" (list $.Values.extraEnv .name)) }}
- {{ toYaml . | nindent 2 | trim }}
{{- end -}}
{{- end -}}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- /* The Secret with the token of the API; empty where nobody may tell us to do anything. */ -}}
{{- define "holdfast.apiToken" -}}
{{- with ((.Values.api).tokenSecret).name -}}
{{- if eq $.Values.mode "cronjob" -}}
{{- fail "api.tokenSecret is for modes deployment and sidecar: pods of CronJobs run one plan each, and nobody asks them anything" -}}
{{- end -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{- /* What we mount, path → mount, without what extraVolumeMounts replaces. */ -}}
{{- define "holdfast.mounts" -}}
{{- $mounts := dict
      "/var/lib/holdfast" (dict "name" "holdfast-state")
      "/tmp" (dict "name" "holdfast-tmp") -}}
{{- if include "holdfast.configKey" . -}}
{{- $_ := set $mounts "/etc/holdfast" (dict "name" "holdfast-config" "readOnly" true) -}}
{{- end -}}
{{- if .Values.benji.enabled -}}
{{- $_ := set $mounts "/benji/etc" (dict "name" "holdfast-benji" "readOnly" true) -}}
{{- if or .Values.benji.ceph.files .Values.benji.ceph.existingSecret -}}
{{- $_ := set $mounts "/etc/ceph" (dict "name" "holdfast-ceph" "readOnly" true) -}}
{{- end -}}
{{- end -}}
{{- if include "holdfast.apiToken" . -}}
{{- $_ := set $mounts "/etc/holdfast-api" (dict "name" "holdfast-api" "readOnly" true) -}}
{{- end -}}
{{- range $directory, $_ := include "holdfast.scriptVolumes" . | fromYaml -}}
{{- $mount := dict "name" (printf "holdfast-scripts-%s" ($directory | replace "_" "-")) "readOnly" true -}}
{{- $_ := set $mounts (printf "/scripts/%s" $directory) $mount -}}
{{- end -}}
{{- range .Values.extraVolumeMounts -}}
{{- $_ := unset $mounts (trimSuffix "/" .mountPath) -}}
{{- end -}}
{{- toYaml $mounts -}}
{{- end -}}

{{- define "holdfast.volumes" -}}
{{- $mounted := list -}}
{{- range $path, $mount := include "holdfast.mounts" . | fromYaml -}}{{- $mounted = append $mounted $mount.name -}}{{- end -}}
{{- if has "holdfast-config" $mounted }}
- name: holdfast-config
  projected:
    sources:
      {{- if .Values.configFrom }}
      - configMap:
          name: {{ .Values.configFrom.configMap }}
      {{- end }}
      {{- if or .Values.config .Values.files }}
      - configMap:
          name: {{ include "holdfast.fullname" . }}
      {{- end }}
{{- end }}
{{- if has "holdfast-benji" $mounted }}
- name: holdfast-benji
  projected:
    sources:
      - secret:
          name: {{ .Values.benji.existingSecret | default (printf "%s-benji" (include "holdfast.fullname" .)) }}
      {{- if include "holdfast.benji.usesCrontab" . }}
      - configMap:
          name: {{ include "holdfast.fullname" . }}-crontab
      {{- end }}
{{- end }}
{{- if has "holdfast-ceph" $mounted }}
- name: holdfast-ceph
  secret:
    secretName: {{ .Values.benji.ceph.existingSecret | default (printf "%s-ceph" (include "holdfast.fullname" .)) }}
{{- end }}
{{- if has "holdfast-api" $mounted }}
- name: holdfast-api
  secret:
    secretName: {{ include "holdfast.apiToken" . }}
    # Without it nobody may do anything, but backups are made.
    optional: true
    items:
      - key: {{ .Values.api.tokenSecret.key }}
        path: token
{{- end }}
{{- if has "holdfast-state" $mounted }}
- name: holdfast-state
  {{- if .Values.state.persistence.enabled }}
  persistentVolumeClaim:
    claimName: {{ .Values.state.persistence.existingClaim | default (include "holdfast.fullname" .) }}
  {{- else }}
  emptyDir: {{ toJson .Values.state.emptyDir }}
  {{- end }}
{{- end }}
{{- if has "holdfast-tmp" $mounted }}
- name: holdfast-tmp
  emptyDir: {}
{{- end }}
{{- range $directory, $sources := include "holdfast.scriptVolumes" . | fromYaml }}
{{- $name := printf "holdfast-scripts-%s" ($directory | replace "_" "-") }}
{{- if has $name $mounted }}
- name: {{ $name }}
  projected:
    # 0755
    defaultMode: 493
    sources:
      {{- toYaml $sources | nindent 6 }}
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Fields of our container that all modes have. The arguments are a program of the image's entry point. */ -}}
{{- define "holdfast.container" -}}
name: holdfast
{{ include "holdfast.containerFields" . }}
{{- end -}}

{{- define "holdfast.containerFields" -}}
image: {{ include "holdfast.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
env:
  {{- include "holdfast.env" . | trim | nindent 2 }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.resources }}
resources:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  {{- range $path, $mount := include "holdfast.mounts" . | fromYaml }}
  - mountPath: {{ $path }}
    {{- toYaml $mount | nindent 4 }}
  {{- end }}
  {{- with .Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "holdfast.probe" -}}
{{- $timing := index . 1 -}}
exec:
  command: [holdfast, health, --{{ index . 0 }}]
{{- with $timing }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* Where a pod of our own runs, and as whom. */ -}}
{{- define "holdfast.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.podSecurityContext }}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if .Values.hostNetwork }}
hostNetwork: true
dnsPolicy: ClusterFirstWithHostNet
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* The rest of a pod of our own. */ -}}
{{- define "holdfast.pod" -}}
serviceAccountName: {{ include "holdfast.serviceAccountName" . }}
terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
{{- with include "holdfast.placement" . | trim }}
{{ . }}
{{- end }}
{{- with include "holdfast.benji.prepare" . | trim }}
{{ . }}
{{- end }}
{{- with .Values.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- /* Without a selector, one would count no pods at all. */}}
  {{- $ours := dict "labelSelector" (dict "matchLabels" (include "holdfast.selectorLabels" $ | fromYaml)) }}
  {{- range . }}
  - {{ ternary . (merge (deepCopy .) $ours) (hasKey . "labelSelector") | toYaml | nindent 4 | trim }}
  {{- end }}
{{- end }}
volumes:
  {{- include "holdfast.volumes" . | trim | nindent 2 }}
{{- end -}}

{{- /* Without the chart's version: a new one of the same image must not end a running backup. */ -}}
{{- define "holdfast.podMetadata" -}}
labels:
  {{- merge (include "holdfast.selectorLabels" . | fromYaml) .Values.podLabels .Values.commonLabels | toYaml | nindent 2 }}
{{- $annotations := deepCopy .Values.podAnnotations }}
{{- $port := include "holdfast.port" . }}
{{- if and .Values.benji.enabled .Values.benji.pushgateway.enabled }}
{{- $annotations = merge $annotations (dict "prometheus.io/scrape" "true" "prometheus.io/port" (.Values.benji.pushgateway.port | int | toString)) }}
{{- else if and (eq .Values.mode "deployment") .Values.metrics.annotations $port (not .Values.metrics.podMonitor.enabled) (not .Values.metrics.serviceMonitor.enabled) }}
{{- $annotations = merge $annotations (dict "prometheus.io/scrape" "true" "prometheus.io/port" $port "prometheus.io/path" "/metrics") }}
{{- end }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
