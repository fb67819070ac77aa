{{- /*
For pods of other charts, which have this one as a dependency in mode sidecar. In theirs:

    spec:
      initContainers:
        {{- include "holdfast.sidecar" .Subcharts.holdfast | nindent 8 }}
      volumes:
        {{- include "holdfast.sidecar.volumes" .Subcharts.holdfast | nindent 8 }}

With sidecar.native: false it belongs to `containers`.
*/ -}}
{{- define "holdfast.sidecar" -}}
- {{ include "holdfast.container" . | nindent 2 | trim }}
  args: [holdfast, daemon]
  {{- if .Values.sidecar.native }}
  restartPolicy: Always
  {{- end }}
  {{- /* The pod has its own securityContext. */}}
  {{- $user := pick .Values.podSecurityContext "runAsNonRoot" "runAsUser" "runAsGroup" "seccompProfile" }}
  {{- with merge (deepCopy .Values.securityContext) $user }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- /* No readiness: an application whose backups don't run serves all the same. */}}
  {{- if .Values.probes.enabled }}
  livenessProbe:
    {{- include "holdfast.probe" (list "live" .Values.probes.liveness) | nindent 4 }}
  {{- end }}
{{- end -}}

{{- define "holdfast.sidecar.volumes" -}}
{{- include "holdfast.volumes" . | trim -}}
{{- end -}}

{{- /* What `kubectl patch` adds to a Deployment, a StatefulSet or a DaemonSet. */ -}}
{{- define "holdfast.sidecar.patch" -}}
spec:
  template:
    spec:
      {{- if or .Values.serviceAccount.create .Values.serviceAccount.name }}
      serviceAccountName: {{ include "holdfast.serviceAccountName" . }}
      {{- end }}
      {{- with .Values.imagePullSecrets }}
      imagePullSecrets:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{ ternary "initContainers" "containers" .Values.sidecar.native }}:
        {{- include "holdfast.sidecar" . | nindent 8 }}
      volumes:
        {{- include "holdfast.sidecar.volumes" . | nindent 8 }}
{{- end -}}
