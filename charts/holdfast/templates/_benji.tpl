{{- /* Refuses what can't work. */ -}}
{{- define "holdfast.benji.check" -}}
{{- if .Values.benji.enabled -}}
{{- if eq .Values.mode "sidecar" -}}
{{- fail "benji.enabled is for modes deployment and cronjob: a sidecar backs up what is in its own pod" -}}
{{- end -}}
{{- if and .Values.benji.pushgateway.enabled (ne .Values.mode "deployment") -}}
{{- fail "benji.pushgateway is for mode deployment: what pods of CronJobs push must outlive them. Set metrics.pushgateway to one that does" -}}
{{- end -}}
{{- if and .Values.benji.ceph.existingSecret .Values.benji.ceph.files -}}
{{- fail "benji.ceph.files and benji.ceph.existingSecret are both /etc/ceph: set one of them" -}}
{{- end -}}
{{- if hasPrefix "sqlite:////tmp/" (.Values.benji.configuration.databaseEngine | default "" | toString) -}}
{{- fail "benji.configuration.databaseEngine is in /tmp, which each pod has for itself and loses: use /var/lib/holdfast/benji with state.persistence, or PostgreSQL" -}}
{{- end -}}
{{- if and (include "holdfast.benji.sqlite" .) (gt (int .Values.replicaCount) 1) -}}
{{- fail "benji.configuration has SQLite, which is one pod's own, and replicaCount is more: use PostgreSQL, or set replicaCount to 1" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Whether Benji's database is known to be a file. */ -}}
{{- define "holdfast.benji.sqlite" -}}
{{- if and .Values.benji.enabled (not .Values.benji.existingSecret) (hasPrefix "sqlite" (.Values.benji.configuration.databaseEngine | default "" | toString)) -}}yes{{- end -}}
{{- end -}}

{{- /* Whether that file goes with the pod. */ -}}
{{- define "holdfast.benji.loses" -}}
{{- if and (include "holdfast.benji.sqlite" .) (not .Values.state.persistence.enabled) -}}
{{- range $path, $mount := include "holdfast.mounts" . | fromYaml -}}
{{- if and (eq $mount.name "holdfast-state") (contains (printf "%s/" $path) $.Values.benji.configuration.databaseEngine) -}}yes{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Whether the configuration is a crontab at /benji/etc: also an empty one, so that there is something to exec into. */ -}}
{{- define "holdfast.benji.usesCrontab" -}}
{{- if and .Values.benji.enabled (not (include "holdfast.configKey" .)) -}}yes{{- end -}}
{{- end -}}

{{- define "holdfast.benji.instance" -}}
{{- .Values.benji.instance | default .Release.Name -}}
{{- end -}}

{{- /* The crontab as it is written. */ -}}
{{- define "holdfast.benji.crontab" -}}
{{- if kindIs "string" .Values.benji.crontab -}}
{{- .Values.benji.crontab -}}
{{- else -}}
{{- range .Values.benji.crontab -}}
{{- $command := .command -}}
{{- if not (kindIs "string" $command) -}}
{{- $words := list -}}
{{- range $command -}}{{- $words = append $words (include "holdfast.benji.word" .) -}}{{- end -}}
{{- $command = join " " $words -}}
{{- end -}}
# holdfast: name={{ .name }}
{{ .schedule }} holdfast {{ $command }}
{{ end -}}
{{- end -}}
{{- end -}}

{{- /* A word for the shell, in a crontab, where a percent sign is a line break. */ -}}
{{- define "holdfast.benji.word" -}}
{{- if regexMatch "^[-+.,:=@/\\w]+$" . -}}
{{- . -}}
{{- else -}}
{{- printf "'%s'" (. | replace "'" "'\\''" | replace "%" "\\%") -}}
{{- end -}}
{{- end -}}

{{- /* Where everything is pushed to; empty where nothing is. */ -}}
{{- define "holdfast.pushgateway" -}}
{{- if and .Values.benji.enabled .Values.benji.pushgateway.enabled -}}
{{- printf "http://127.0.0.1:%d" (int .Values.benji.pushgateway.port) -}}
{{- else -}}
{{- include "holdfast.withoutPassword" (list "metrics.pushgateway" .Values.metrics.pushgateway) -}}
{{- .Values.metrics.pushgateway -}}
{{- end -}}
{{- end -}}

{{- /* Refuses an address with a password, which everybody could read who may read ConfigMaps. */ -}}
{{- define "holdfast.withoutPassword" -}}
{{- $address := index . 1 -}}
{{- if and (kindIs "string" $address) (regexMatch "^([hH][tT][tT][pP][sS]?://)?[^/]*:[^/]*@" ($address | toString)) -}}
{{- fail (printf "%s holds a password, and would end up in a ConfigMap: set config.metrics.pushgateway to { env: NAME }, and the variable from a Secret in extraEnv" (index . 0)) -}}
{{- end -}}
{{- end -}}

{{- /*
Benji's database is made, and brought up to date, by each pod before anything else. A hook of Helm's would run before the
volume claim, the Secret and perhaps PostgreSQL are there, and could not have a claim that a running pod has.
*/ -}}
{{- define "holdfast.benji.prepare" -}}
{{- if and .Values.benji.enabled .Values.benji.prepareDatabase }}
initContainers:
  - name: prepare-database
    {{- include "holdfast.containerFields" . | nindent 4 }}
    args: [/usr/local/share/holdfast/benji/prepare-database, /var/lib/holdfast/benji]
    {{- with .Values.securityContext }}
    securityContext:
      {{- toYaml . | nindent 6 }}
    {{- end }}
{{- end }}
{{- end -}}

{{- define "holdfast.benji.pushgateway" -}}
{{- with .Values.benji.pushgateway }}
{{- if and $.Values.benji.enabled .enabled }}
- name: pushgateway
  image: {{ include "holdfast.imageName" (dict "root" $ "image" .image) | quote }}
  imagePullPolicy: {{ $.Values.image.pullPolicy }}
  args: ['--web.listen-address=:{{ int .port }}']
  {{- with .resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $.Values.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $.Values.probes.enabled }}
  livenessProbe:
    httpGet: { path: /-/healthy, port: {{ int .port }} }
  readinessProbe:
    httpGet: { path: /-/ready, port: {{ int .port }} }
  {{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "holdfast.benji.agentName" -}}
{{- include "holdfast.shortened" (dict "name" (printf "%s-freeze" (include "holdfast.fullname" .)) "length" 63) -}}
{{- end -}}

{{- /* Rules of the ClusterRole. */ -}}
{{- define "holdfast.benji.clusterRules" -}}
{{- $rules := list -}}
{{- if .Values.benji.enabled -}}
{{- $permissions := (.Files.Get "files/permissions.yaml" | fromYaml).benji -}}
{{- $rules = $permissions.cluster -}}
{{- if or .Values.benji.freeze.enabled .Values.benji.restore.namespaces -}}
{{- $rules = concat $rules $permissions.pods -}}
{{- end -}}
{{- if .Values.benji.restore.namespaces -}}
{{- $rules = concat $rules $permissions.storageClasses -}}
{{- end -}}
{{- end -}}
{{- toYaml $rules -}}
{{- end -}}
