// Command deploycheck reads the deployment files of docs/deploy as those who run them do: compose.yaml by the Compose specification's
// own loader and schema, Kubernetes manifests field by field into the API's own types.
//
//	deploycheck DIR
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: deploycheck DIR")
		os.Exit(2)
	}
	if err := errors.Join(compose(filepath.Join(os.Args[1], "compose.yaml")), kubernetes(filepath.Join(os.Args[1], "kubernetes"))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// secrets are what compose.yaml takes from the .env beside it.
var secrets = []string{"POSTGRES_PASSWORD=p", "S3_PASSWORD=s", "SECRET_KEY=k"}

// compose loads the file with its schema, and looks that every service is there, and that it cannot be loaded without secrets.
func compose(file string) error {
	if _, err := load(file, nil); err == nil {
		return fmt.Errorf("%s: it can be started without secrets", file)
	}
	project, err := load(file, secrets)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, name := range []string{"postgres", "redis", "s3", "migrate", "web", "worker", "clock"} {
		if _, err := project.GetService(name); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Printf("ok    %s: %d services\n", file, len(project.Services))
	return nil
}

func load(file string, env []string) (*types.Project, error) {
	options, err := cli.NewProjectOptions([]string{file}, cli.WithName("beagle"), cli.WithEnv(env))
	if err != nil {
		return nil, err
	}
	return options.LoadProject(context.Background())
}

// kinds are the types of what we ask Kubernetes for. What is another's, such as KEDA's, is only read as YAML.
var kinds = map[string]func() any{
	"v1/ConfigMap":                  func() any { return &corev1.ConfigMap{} },
	"v1/Secret":                     func() any { return &corev1.Secret{} },
	"v1/Service":                    func() any { return &corev1.Service{} },
	"apps/v1/Deployment":            func() any { return &appsv1.Deployment{} },
	"batch/v1/Job":                  func() any { return &batchv1.Job{} },
	"policy/v1/PodDisruptionBudget": func() any { return &policyv1.PodDisruptionBudget{} },
	"keda.sh/v1alpha1/ScaledObject": func() any { return &map[string]any{} },
}

func kubernetes(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s: no manifests (%v)", dir, err)
	}
	for _, file := range files {
		if err := manifest(file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	return nil
}

// manifest decodes every document of a file strictly: a field that the API does not know is an error.
func manifest(file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	documents := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(body)))
	defer documents.Close()
	n := 0
	for buf := make([]byte, len(body)+1); ; n++ {
		size, err := documents.Read(buf)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		var head struct{ APIVersion, Kind string }
		if err := strict.Unmarshal(buf[:size], &head); err != nil {
			return err
		}
		kind, ok := kinds[head.APIVersion+"/"+head.Kind]
		if !ok {
			return fmt.Errorf("document %d is a %s of %s, which is not known here", n+1, head.Kind, head.APIVersion)
		}
		if err := strict.UnmarshalStrict(buf[:size], kind()); err != nil {
			return fmt.Errorf("document %d: %w", n+1, err)
		}
	}
	fmt.Printf("ok    %s: %d documents\n", file, n)
	return nil
}
