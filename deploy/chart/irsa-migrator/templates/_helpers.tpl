{{/* The name of everything: that of the release, with the chart's unless the release says it already. */}}
{{- define "irsa-migrator.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "irsa-migrator.labels" -}}
{{ include "irsa-migrator.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "irsa-migrator.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "irsa-migrator.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "irsa-migrator.name" .) -}}
{{- end -}}

{{- define "irsa-migrator.claim" -}}
{{- .Values.state.sqlite.claim | default (printf "%s-state" (include "irsa-migrator.name" .)) -}}
{{- end -}}

{{- define "irsa-migrator.image" -}}
{{- $tag := printf ":%s" (.Values.image.tag | default .Chart.AppVersion) -}}
{{- .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}{{ $tag }}{{ end -}}
{{- end -}}

{{/* The fleet file: what the values say, with the state store and the folder of the plans as they are in the pod. */}}
{{- define "irsa-migrator.fleet" -}}
{{- $dynamodb := dict -}}
{{- range $key, $value := .Values.state.dynamodb -}}
{{- if $value -}}{{- $_ := set $dynamodb $key $value -}}{{- end -}}
{{- end -}}
{{- $state := eq .Values.state.store "sqlite" | ternary (dict "sqlite" "/state/state.db") (dict "dynamodb" $dynamodb) -}}
{{- mergeOverwrite (deepCopy .Values.fleet) (dict "state" $state "plans" "/plans") | toYaml -}}
{{- end -}}
