// Command helm renders and lints charts by Helm's own packages, as `helm template` and `helm lint --strict` do. It reads
// one JSON request a line and answers one JSON line each, in order; it talks to no cluster and installs nothing.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type request struct {
	// Do is "render" or "lint".
	Do          string          `json:"do"`
	Chart       string          `json:"chart"`
	Release     string          `json:"release"`
	Namespace   string          `json:"namespace"`
	KubeVersion string          `json:"kubeVersion"`
	Values      json.RawMessage `json:"values"`
}

type answer struct {
	// Objects are the rendered documents.
	Objects []json.RawMessage `json:"objects"`
	// Notes is what a person sees after the installation.
	Notes string `json:"notes"`
	// Findings are those of lint, infos left out.
	Findings []string `json:"findings"`
	// Error is what a person would see in place of all that.
	Error string `json:"error"`
}

func main() {
	// What lint mode would say of values that a chart requires; the render says it too.
	log.SetOutput(io.Discard)
	slog.SetDefault(slog.New(slog.DiscardHandler))
	if err := answerAll(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "helm:", err)
		os.Exit(1)
	}
}

func answerAll(in io.Reader, out io.Writer) error {
	requests := json.NewDecoder(bufio.NewReader(in))
	requests.DisallowUnknownFields()
	answers := json.NewEncoder(out)
	for number := 1; ; number++ {
		var asked request
		if err := requests.Decode(&asked); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("request %d: %w", number, err)
		}
		given, err := asked.answer()
		if err != nil {
			given = answer{Error: err.Error()}
		}
		if err := answers.Encode(given); err != nil {
			return err
		}
	}
}

func (asked request) answer() (answer, error) {
	values, err := common.ReadValues(asked.Values)
	if err != nil {
		return answer{}, fmt.Errorf("values: %w", err)
	}
	version, err := common.ParseKubeVersion(asked.KubeVersion)
	if err != nil {
		return answer{}, err
	}
	switch asked.Do {
	case "render":
		return asked.render(values, version)
	case "lint":
		return answer{Findings: asked.lint(values, version)}, nil
	default:
		return answer{}, fmt.Errorf("%q is neither render nor lint", asked.Do)
	}
}

func (asked request) render(values common.Values, version *common.KubeVersion) (answer, error) {
	loaded, err := loader.Load(asked.Chart)
	if err != nil {
		return answer{}, err
	}
	if wanted := loaded.Metadata.KubeVersion; wanted != "" && !chartutil.IsCompatibleRange(wanted, version.String()) {
		return answer{}, fmt.Errorf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, version)
	}
	files, err := asked.files(loaded, values, version)
	if err != nil {
		return answer{}, err
	}
	var given answer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, "NOTES.txt") {
			given.Notes = files[name]
			continue
		}
		objects, err := documents(files[name])
		if err != nil {
			return answer{}, fmt.Errorf("%s: %w\n%s", name, err, files[name])
		}
		given.Objects = append(given.Objects, objects...)
	}
	return given, nil
}

// files renders every template of a chart. Strict: a template that names a value which is not there is at fault.
func (asked request) files(loaded *chart.Chart, values common.Values, version *common.KubeVersion) (map[string]string, error) {
	release := common.ReleaseOptions{Name: asked.Release, Namespace: asked.Namespace, Revision: 1, IsInstall: true}
	capabilities := common.DefaultCapabilities.Copy()
	capabilities.KubeVersion = *version
	rendered, err := util.ToRenderValues(loaded, values, release, capabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.RenderWithContext(context.Background(), loaded, rendered)
}

// documents reads a rendered file. A key that is there twice is a fault.
func documents(file string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(file)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		object, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return nil, err
		}
		// Comments alone, or what a condition left out.
		if !bytes.Equal(object, []byte("null")) {
			all = append(all, object)
		}
	}
}

func (asked request) lint(values common.Values, version *common.KubeVersion) []string {
	findings := []string{}
	for _, message := range lint.RunAll(asked.Chart, values, asked.Namespace, lint.WithKubeVersion(version)).Messages {
		if message.Severity >= support.WarningSev {
			findings = append(findings, message.Error())
		}
	}
	return findings
}
