{{/* The labels of every object but the Pods. */}}
{{- define "launchway.labels" -}}
app.kubernetes.io/name: launchway
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* The label by which the Pods are found. A Deployment's selector cannot change, so it is this one alone for good. */}}
{{- define "launchway.pods" -}}
app.kubernetes.io/name: launchway
{{- end }}

{{/* The image, with its tag, its digest, or both. */}}
{{- define "launchway.image" -}}
{{- $image := .Values.image }}
{{- if eq $image.tag "latest" }}{{ fail "image.tag latest says nothing about what runs: name another tag, or image.digest" }}{{ end }}
{{- if not (or $image.tag $image.digest) }}{{ fail "set image.tag or image.digest" }}{{ end }}
{{- required "set image.repository" $image.repository }}{{ with $image.tag }}:{{ . }}{{ end }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The environment of the container, as a list. */}}
{{- define "launchway.env" -}}
{{- $env := list }}
{{- with .Values.aws.region }}{{ $env = append $env (dict "name" "AWS_REGION" "value" .) }}{{ end }}
{{- with .Values.aws.endpointUrl }}{{ $env = append $env (dict "name" "AWS_ENDPOINT_URL" "value" .) }}{{ end }}
{{- concat $env .Values.extraEnv | toYaml }}
{{- end }}

{{/* Annotations of the Pods. Who has a ServiceMonitor or a PodMonitor would read the same numbers twice by prometheus.io. */}}
{{- define "launchway.podAnnotations" -}}
{{- $found := dict "prometheus.io/scrape" "true" "prometheus.io/port" "8080" }}
{{- if or .Values.serviceMonitor.enabled .Values.podMonitor.enabled }}{{ $found = dict }}{{ end }}
{{- merge (dict) .Values.podAnnotations $found | toYaml }}
{{- end }}
