{{- define "holdfast.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "holdfast.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "holdfast.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* Names longer than what is left for them end with a digest, so that no two of them become one. */ -}}
{{- define "holdfast.shortened" -}}
{{- $name := regexReplaceAll "[^a-z0-9]+" (lower .name) "-" | trimAll "-" -}}
{{- if and (eq $name .name) (le (len $name) (int .length)) -}}
{{- $name -}}
{{- else -}}
{{- $kept := trunc (int (sub .length 9)) $name | trimSuffix "-" -}}
{{- printf "%s-%s" $kept (sha256sum .name | trunc 8) -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.selectorLabels" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* The same, as kubectl takes them. */ -}}
{{- define "holdfast.selector" -}}
app.kubernetes.io/name={{ include "holdfast.name" . }},app.kubernetes.io/instance={{ .Release.Name }}
{{- end -}}

{{- define "holdfast.labels" -}}
{{- $ours := dict
      "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/version" .Chart.AppVersion
      "app.kubernetes.io/managed-by" .Release.Service -}}
{{- merge (include "holdfast.selectorLabels" . | fromYaml) $ours .Values.commonLabels | toYaml -}}
{{- end -}}

{{- define "holdfast.metadata" -}}
name: {{ include "holdfast.fullname" . }}
namespace: {{ .Release.Namespace }}
labels:
  {{- include "holdfast.labels" . | nindent 2 }}
{{- end -}}

{{- define "holdfast.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "holdfast.fullname" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- /* repository, tag and digest as one name. */ -}}
{{- define "holdfast.imageName" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository (.image.tag | default .root.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{- define "holdfast.image" -}}
{{- include "holdfast.imageName" (dict "root" . "image" (ternary .Values.benji.image .Values.image .Values.benji.enabled)) -}}
{{- end -}}
