{{- /* The key of the configuration's file; empty where variables are the configuration. Refuses to do without any. */ -}}
{{- define "holdfast.configKey" -}}
{{- $names := list "holdfast.config.ts" "holdfast.config.mts" "holdfast.config.js" "holdfast.config.mjs" "holdfast.yaml" "holdfast.yml" "crontab" -}}
{{- $found := "" -}}
{{- range $names -}}
{{- if and (not $found) (hasKey $.Values.files .) -}}{{- $found = . -}}{{- end -}}
{{- end -}}
{{- $given := compact (list (ternary "" "config" (empty .Values.config)) (ternary "" "configFrom" (empty .Values.configFrom)) (ternary "" (printf "files.%s" $found) (empty $found)) (ternary "benji.crontab" "" (and .Values.benji.enabled (not (empty .Values.benji.crontab))))) -}}
{{- if gt (len $given) 1 -}}
{{- fail (printf "%s are both a configuration: set one of them" (join " and " $given)) -}}
{{- end -}}
{{- if .Values.config -}}
holdfast.yaml
{{- else if .Values.configFrom -}}
{{- .Values.configFrom.key | default "holdfast.yaml" -}}
{{- else if $found -}}
{{- $found -}}
{{- else if not (or .Values.benji.enabled .Values.envFrom (include "holdfast.hasEnv" (list .Values.extraEnv "CRON_BACKUP_SCHEDULE"))) -}}
{{- fail "there is nothing to back up yet: set config (a holdfast.yaml with plans), configFrom, files.crontab, or CRON_BACKUP_SCHEDULE in extraEnv" -}}
{{- end -}}
{{- end -}}

{{- /* Whether a list of variables has one of that name. */ -}}
{{- define "holdfast.hasEnv" -}}
{{- $name := index . 1 -}}
{{- range index . 0 -}}{{- if eq .name $name -}}yes{{- end -}}{{- end -}}
{{- end -}}

{{- /* The configuration as it is written: what the chart has values of its own for is filled in. */ -}}
{{- define "holdfast.config" -}}
{{- $config := deepCopy .Values.config -}}
{{- if kindIs "bool" $config.undoMirror -}}
{{- $_ := set $config "undoMirror" (ternary "on" "off" $config.undoMirror) -}}
{{- end -}}
{{- if and (eq .Values.mode "deployment") (not $config.replicas) -}}
{{- $_ := set $config "replicas" "leader" -}}
{{- end -}}
{{- include "holdfast.withoutPassword" (list "config.metrics.pushgateway" (get ($config.metrics | default dict) "pushgateway")) -}}
{{- with include "holdfast.pushgateway" . -}}
{{- $metrics := $config.metrics | default dict -}}
{{- if not $metrics.pushgateway -}}
{{- $_ := set $config "metrics" (set $metrics "pushgateway" .) -}}
{{- end -}}
{{- end -}}
{{- toYaml $config -}}
{{- end -}}

{{- /* Whether a Lease decides who schedules: unless the configuration is known to say something else. */ -}}
{{- define "holdfast.leader" -}}
{{- if and (eq .Values.mode "deployment") (ne (get (.Values.config | default dict) "replicas") "each") -}}yes{{- end -}}
{{- end -}}

{{- /* The port of /metrics; empty where there is none. */ -}}
{{- define "holdfast.port" -}}
{{- $listen := get ((.Values.config | default dict).metrics | default dict) "listen" -}}
{{- $port := "9480" -}}
{{- if not (kindIs "invalid" .Values.metrics.port) -}}
{{- $port = .Values.metrics.port | int | toString -}}
{{- else if kindIs "string" $listen -}}
{{- $port = regexFind "[0-9]*$" $listen | default $port -}}
{{- else if not (kindIs "invalid" $listen) -}}
{{- $port = $listen | int | toString -}}
{{- end -}}
{{- if ne $port "0" -}}{{- $port -}}{{- end -}}
{{- end -}}

{{- /* Directories of scripts, each with the sources of its volume. */ -}}
{{- define "holdfast.scriptVolumes" -}}
{{- $sources := dict -}}
{{- range $directory, $_ := .Values.scripts.directories -}}
{{- $source := dict "configMap" (dict "name" (include "holdfast.scriptsName" (list $ $directory))) -}}
{{- $_ := set $sources $directory (list $source) -}}
{{- end -}}
{{- range .Values.scripts.configMaps -}}
{{- $source := dict "configMap" (omit . "directory") -}}
{{- $_ := set $sources .directory (append (get $sources .directory | default list) $source) -}}
{{- end -}}
{{- toYaml $sources -}}
{{- end -}}

{{- define "holdfast.scriptsName" -}}
{{- printf "%s-scripts-%s" (include "holdfast.fullname" (index . 0)) (index . 1 | replace "_" "-") -}}
{{- end -}}
