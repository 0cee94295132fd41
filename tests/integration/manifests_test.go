package integration

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// kinds are what deploy may hold, as Kubernetes itself has them.
var kinds = map[string]func() any{
	"v1 ConfigMap":                  func() any { return &corev1.ConfigMap{} },
	"v1 Service":                    func() any { return &corev1.Service{} },
	"v1 PersistentVolumeClaim":      func() any { return &corev1.PersistentVolumeClaim{} },
	"apps/v1 Deployment":            func() any { return &appsv1.Deployment{} },
	"apps/v1 StatefulSet":           func() any { return &appsv1.StatefulSet{} },
	"policy/v1 PodDisruptionBudget": func() any { return &policyv1.PodDisruptionBudget{} },
}

// manifests reads deploy, and refuses every field that Kubernetes does not know, and every value of another type.
func manifests(t *testing.T) (all []any) {
	t.Helper()
	files, err := filepath.Glob("../../deploy/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
		for {
			document, err := documents.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err, file)
			var is metav1.TypeMeta
			require.NoError(t, yaml.Unmarshal(document, &is), file)
			fresh := kinds[is.APIVersion+" "+is.Kind]
			require.NotNil(t, fresh, "%s: %s %s is nothing that is wanted here", file, is.APIVersion, is.Kind)
			object := fresh()
			require.NoError(t, yaml.UnmarshalStrict(document, object), "%s, %s", file, is.Kind)
			all = append(all, object)
		}
	}
	return all
}

// of are the manifests of one kind, by name.
func of[T metav1.Object](t *testing.T) map[string]T {
	t.Helper()
	found := map[string]T{}
	for _, m := range manifests(t) {
		if o, is := m.(T); is {
			require.Empty(t, validation.IsDNS1123Subdomain(o.GetName()))
			require.Empty(t, o.GetNamespace(), "where it goes is for kubectl to say")
			found[o.GetName()] = o
		}
	}
	require.NotEmpty(t, found)
	return found
}

// pipelines are those in the ConfigMap, by file name.
func pipelines(t *testing.T) map[string]string {
	t.Helper()
	return of[*corev1.ConfigMap](t)["benthos-pipedrive-pipelines"].Data
}

// pods are the templates of both workloads.
func pods(t *testing.T) map[string]corev1.PodTemplateSpec {
	t.Helper()
	return map[string]corev1.PodTemplateSpec{
		"poll":    of[*appsv1.Deployment](t)["benthos-pipedrive-poll"].Spec.Template,
		"webhook": of[*appsv1.StatefulSet](t)["benthos-pipedrive-webhook"].Spec.Template,
	}
}

func TestManifestsAreWhatKubernetesKnows(t *testing.T) {
	assert.Len(t, manifests(t), 8)
}

// Two pollers would spend an account's tokens twice, and overwrite each other's checkpoint.
func TestManifestsKeepOnePoller(t *testing.T) {
	poll := of[*appsv1.Deployment](t)["benthos-pipedrive-poll"]
	assert.Equal(t, int32(1), *poll.Spec.Replicas)
	assert.Equal(t, appsv1.RecreateDeploymentStrategyType, poll.Spec.Strategy.Type)
	state := volumeAt(t, poll.Spec.Template, "/state")
	require.NotNil(t, state.PersistentVolumeClaim, "the checkpoint is on a disk")
	assert.Contains(t, of[*corev1.PersistentVolumeClaim](t), state.PersistentVolumeClaim.ClaimName)
}

// A replica comes back to its journal, there is always another one, and a journal that accepts is ready, whatever its
// output does.
func TestManifestsKeepTheWebhookDoorOpen(t *testing.T) {
	door := of[*appsv1.StatefulSet](t)["benthos-pipedrive-webhook"]
	assert.GreaterOrEqual(t, *door.Spec.Replicas, int32(2))
	require.Len(t, door.Spec.VolumeClaimTemplates, 1)
	mounted := ""
	for _, m := range door.Spec.Template.Spec.Containers[0].VolumeMounts {
		if m.Name == door.Spec.VolumeClaimTemplates[0].Name {
			mounted = m.MountPath
		}
	}
	assert.Equal(t, "/state", mounted)
	assert.GreaterOrEqual(t, door.Spec.VolumeClaimTemplates[0].Spec.Resources.Requests.Storage().Value(), int64(2<<30), "twice the default of journal.max_bytes")
	retention := door.Spec.PersistentVolumeClaimRetentionPolicy
	assert.Equal(t, appsv1.RetainPersistentVolumeClaimRetentionPolicyType, retention.WhenScaled)
	assert.Equal(t, appsv1.RetainPersistentVolumeClaimRetentionPolicyType, retention.WhenDeleted)

	budget := of[*policyv1.PodDisruptionBudget](t)["benthos-pipedrive-webhook"]
	assert.Equal(t, intstr.FromInt32(1), *budget.Spec.MaxUnavailable)
	assertSelects(t, budget.Spec.Selector.MatchLabels, door.Spec.Template)

	ready := door.Spec.Template.Spec.Containers[0].ReadinessProbe.HTTPGet
	assert.Equal(t, []any{"/healthz", "hook"}, []any{ready.Path, ready.Port.StrVal})
	services := of[*corev1.Service](t)
	assert.Equal(t, corev1.ClusterIPNone, services[door.Spec.ServiceName].Spec.ClusterIP)
	for _, s := range services {
		assertSelects(t, s.Spec.Selector, door.Spec.Template)
		assert.Contains(t, portsOf(door.Spec.Template), s.Spec.Ports[0].TargetPort.StrVal)
	}
}

// What both have in common: selectors that find their pods, ports that exist, no rights that nobody needs, and everything
// that the pipelines take from the environment.
func TestManifestsGiveThePipelinesWhatTheyAskFor(t *testing.T) {
	assertSelects(t, of[*appsv1.Deployment](t)["benthos-pipedrive-poll"].Spec.Selector.MatchLabels, pods(t)["poll"])
	assertSelects(t, of[*appsv1.StatefulSet](t)["benthos-pipedrive-webhook"].Spec.Selector.MatchLabels, pods(t)["webhook"])
	assert.Len(t, pipelines(t), 2)
	required := regexp.MustCompile(`\$\{([A-Z_]+)\}`)
	scaling, err := os.ReadFile("../../docs/scaling.md")
	require.NoError(t, err)
	for name, pod := range pods(t) {
		t.Run(name, func(t *testing.T) {
			require.Len(t, pod.Spec.Containers, 1)
			c := pod.Spec.Containers[0]
			assert.Equal(t, []string{"run", "/etc/benthos-pipedrive/" + name + ".yaml"}, c.Args)
			assert.Equal(t, "benthos-pipedrive-pipelines", volumeAt(t, pod, "/etc/benthos-pipedrive").ConfigMap.Name)

			given := map[string]bool{}
			for _, from := range c.EnvFrom {
				values := of[*corev1.ConfigMap](t)[from.ConfigMapRef.Name]
				require.NotNil(t, values, from.ConfigMapRef.Name)
				for key := range values.Data {
					given[key] = true
				}
			}
			for _, e := range c.Env {
				given[e.Name] = true
				if e.ValueFrom != nil {
					assert.Contains(t, string(scaling), "--from-literal="+e.ValueFrom.SecretKeyRef.Key+"=", "docs/scaling.md makes the Secret")
					assert.Contains(t, string(scaling), "secret generic "+e.ValueFrom.SecretKeyRef.Name)
				}
			}
			for _, wanted := range required.FindAllStringSubmatch(pipelines(t)[name+".yaml"], -1) {
				assert.True(t, given[wanted[1]], "%s is not given", wanted[1])
			}

			for _, probe := range []*corev1.Probe{c.ReadinessProbe, c.LivenessProbe} {
				assert.Contains(t, portsOf(pod), probe.HTTPGet.Port.StrVal)
			}
			assert.Equal(t, "/ping", c.LivenessProbe.HTTPGet.Path, "an outage of others starts nothing again")
			assert.True(t, *pod.Spec.SecurityContext.RunAsNonRoot)
			assert.Equal(t, []int64{65532, 65532}, []int64{*pod.Spec.SecurityContext.RunAsUser, *pod.Spec.SecurityContext.FSGroup}, "the user of the image owns the disk")
			assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem)
			assert.False(t, *c.SecurityContext.AllowPrivilegeEscalation)
			assert.Greater(t, *pod.Spec.TerminationGracePeriodSeconds, int64(20), "longer than shutdown_timeout")
		})
	}
}

func assertSelects(t *testing.T, selector map[string]string, pod corev1.PodTemplateSpec) {
	t.Helper()
	assert.True(t, labels.SelectorFromSet(selector).Matches(labels.Set(pod.Labels)), "%v does not select %v", selector, pod.Labels)
}

func portsOf(pod corev1.PodTemplateSpec) (names []string) {
	for _, p := range pod.Spec.Containers[0].Ports {
		names = append(names, p.Name)
	}
	return names
}

func volumeAt(t *testing.T, pod corev1.PodTemplateSpec, path string) corev1.Volume {
	t.Helper()
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		for _, v := range pod.Spec.Volumes {
			if m.Name == v.Name && m.MountPath == path {
				return v
			}
		}
	}
	require.Fail(t, "nothing is mounted there", path)
	return corev1.Volume{}
}
