//! What a person can try once the first commit runs: commands to copy, with the addresses of this run in them.

use super::{NAME, NAMESPACE, Parts, STAGES, service};

/// The text.
pub(super) fn text(parts: &Parts) -> String {
    let kubeconfig = parts.cluster.kubeconfig();
    let programs = parts.cluster.kubectl_path().parent().map(|folder| folder.display().to_string()).unwrap_or_default();
    let health = parts.health.url();
    let (staging, prod) = (service(STAGES[0]), service(STAGES[1]));
    let git = parts.git.url(NAME);
    let folder = parts.folder().join("greeter");
    let folder = folder.display();
    let first = parts.head().unwrap_or_default();
    format!(
        r#"Next. In another terminal:

  export KUBECONFIG={kubeconfig} PATH="{programs}:$PATH"
  kubectl config set-context --current --namespace {NAMESPACE}

Look:

  kubectl get launchway -A
  kubectl describe lwp {NAME}
  kubectl explain pipeline.spec.stages
  kubectl wait --for=condition=Released pipeline/{NAME}
  curl {health}/{prod}/

Push a commit that runs; one whose build fails; one that crash-loops in {staging} and is rolled back:

  git clone -c user.name=you -c user.email=you@example.com {git} {folder} && cd {folder}
  echo '{{"greeting": "Ahoy", "port": 5000}}' > app/settings.json && git commit -qam 'Say ahoy' && git push -q
  echo '{{"greeting": "", "port": 5000}}' > app/settings.json && git commit -qam 'Say nothing' && git push -q
  echo '{{"greeting": "Ahoy"}}' > app/settings.json && git commit -qam 'Forget the port' && git push -q

See each of them end, and why:

  kubectl get lwp,esvc,lwr

Release the first commit again:

  kubectl create -f - <<END
  {{apiVersion: launchway.dev/v1alpha1, kind: Release, metadata: {{name: again}}, spec: {{pipeline: {NAME}, commit: {first}, reason: Manual}}}}
  END

The sample's manifests are in {manifests}. Ctrl-C ends all of it.
"#,
        kubeconfig = kubeconfig.display(),
        manifests = parts.manifests().display(),
    )
}
