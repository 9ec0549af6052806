{{/* The part of a Job that both forms share: how it fails, and the pod. */}}
{{- define "irsa-migrator.job" -}}
activeDeadlineSeconds: {{ .Values.activeDeadlineSeconds }}
{{- if eq .Values.mode "workers" }}
completionMode: Indexed
completions: {{ .Values.workers.count }}
parallelism: {{ .Values.workers.count }}
# One worker that ends badly does not end the others
backoffLimitPerIndex: 0
{{- else }}
backoffLimit: 0
{{- end }}
podFailurePolicy:
  rules:
    # A pod that had to leave its node stopped at a checkpoint: another one goes on
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
template:
  metadata:
    labels:
      {{- include "irsa-migrator.selector" . | nindent 6 }}
      {{- with .Values.podLabels }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    annotations:
      checksum/fleet: {{ include "irsa-migrator.fleet" . | sha256sum }}
      {{- with .Values.podAnnotations }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
  spec:
    {{- include "irsa-migrator.pod" . | nindent 4 }}
{{- end -}}

{{- define "irsa-migrator.pod" -}}
restartPolicy: Never
serviceAccountName: {{ include "irsa-migrator.serviceAccount" . }}
# EKS Pod Identity brings a token of its own; clusters are reached with that role, not as this ServiceAccount
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .Values.terminationGracePeriodSeconds }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.plans.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
containers:
  - name: migrate
    image: {{ include "irsa-migrator.image" . }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    command: [migrate]
    args:
      {{- include "irsa-migrator.args" . | nindent 6 }}
    env:
      - name: MIGRATE_FLEET
        value: /etc/irsa-migrator/fleet.yaml
      - name: MIGRATE_PLANS
        value: /plans
      {{- with .Values.extraEnv }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
    resources:
      {{- toYaml .Values.resources | nindent 6 }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      privileged: false
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: fleet
        mountPath: /etc/irsa-migrator
        readOnly: true
      - name: plans
        mountPath: /plans
        readOnly: true
        {{- with .Values.plans.subPath }}
        subPath: {{ . }}
        {{- end }}
      {{- if eq .Values.state.store "sqlite" }}
      - name: state
        mountPath: /state
      {{- end }}
      - name: tmp
        mountPath: /tmp
      {{- with .Values.extraVolumeMounts }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
volumes:
  - name: fleet
    configMap:
      name: {{ include "irsa-migrator.name" . }}
  - name: plans
    {{- toYaml .Values.plans.volume | nindent 4 }}
  {{- if eq .Values.state.store "sqlite" }}
  - name: state
    persistentVolumeClaim:
      claimName: {{ include "irsa-migrator.claim" . }}
  {{- end }}
  - name: tmp
    emptyDir:
      sizeLimit: 128Mi
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* What is run. A run that leaves work to the next one (3), or finds another at work (5), has not failed. */}}
{{- define "irsa-migrator.args" -}}
- batch
{{- if eq .Values.mode "workers" }}
- --worker
{{- end }}
- --log-format
- json
{{- range .Values.batch.exitZeroFor }}
- --exit-zero-for
- {{ . | int | quote }}
{{- end }}
{{- with .Values.batch.extraArgs }}
{{ toYaml . }}
{{- end }}
{{- end -}}
