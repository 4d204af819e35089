//! Downloads the archive of programs that the Kubernetes project publishes for envtest. Its bytes are compared with
//! a sum that is pinned here, so it does not matter where they come from.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use sha2::{Digest, Sha512};

use super::Say;
use super::golang::elapsed;

/// The newest archive of the minor version that go/servers pins.
pub(super) const VERSION: &str = "envtest-v1.36.2";

const PUBLISHED_AT: &str = "https://github.com/kubernetes-sigs/controller-tools/releases/download";

/// Where there is no way out, this is soon known; the road over Go then waits no longer than this.
const TO_CONNECT: Duration = Duration::from_secs(5);

/// Some 70 MB; slower than this, building is as quick.
const TO_DOWNLOAD: Duration = Duration::from_secs(180);

/// SHA-512 by system and processor, from envtest-releases.yaml of kubernetes-sigs/controller-tools.
const SUMS: [(&str, &str, &str); 4] = [
    (
        "linux",
        "x86_64",
        "ea743186c8a799f5cf8faf16969f86189d003cb7d130e0ac4b58789f1e5748dcf30ebe91c837a10d5ac415383da3e10b9e64d65785c938c23e739781cfb76f08",
    ),
    (
        "linux",
        "aarch64",
        "2d72ee985a8e262a3c57dc9f7f0fd891f6a8c7bf7ebaa2db6dc6d8eac8ae28181afe51c1f368b67756cdb40b10de9b205609e1726e5f27f7c6d824dd9c6649ac",
    ),
    (
        "macos",
        "x86_64",
        "b4fe9f973cd1992e3880f8b230ed32c0c243b83371591e3e3315f4404df2cdbef8ee94eeb9bb245b7e5feb987d5c4a76c43e0877654ab73f00d7bbc2b9984514",
    ),
    (
        "macos",
        "aarch64",
        "9278f9e5af556b2f1f2d139769c1f0d717c7b4426917fdebdba898bcb725a916e4910d6160886194ff9be9589ea7c5c32c2b8ae0754703874b7c8ba8ddfc41ce",
    ),
];

/// Puts the named programs into `folder`.
pub(super) fn unpack_into(folder: &Path, names: &[&str], say: &Say) -> anyhow::Result<()> {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let (_, _, sum) = SUMS
        .iter()
        .find(|(system, processor, _)| *system == os && *processor == arch)
        .with_context(|| format!("none is published for {os} on {arch}"))?;
    let address = address(os, arch);
    let began = Instant::now();
    say.line(format!("{}: downloading {address}, once …", names.join(", ")));
    let bytes = downloaded(&address)?;
    compare(&bytes, sum)?;
    unpack(&bytes, folder, names)?;
    say.line(format!("{}: downloaded in {}", names.join(", "), elapsed(began)));
    Ok(())
}

fn address(os: &str, arch: &str) -> String {
    let os = if os == "macos" { "darwin" } else { os };
    let arch = if arch == "aarch64" { "arm64" } else { "amd64" };
    format!("{PUBLISHED_AT}/{VERSION}/{VERSION}-{os}-{arch}.tar.gz")
}

/// On a thread of its own: the caller may be inside a runtime, where another one cannot be waited for.
fn downloaded(address: &str) -> anyhow::Result<Vec<u8>> {
    let fetching = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(fetched(address))
    };
    std::thread::scope(|scope| scope.spawn(fetching).join()).unwrap_or_else(|_| bail!("the download ended in a panic"))
}

async fn fetched(address: &str) -> anyhow::Result<Vec<u8>> {
    // An error only says that there is one already.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = reqwest::Client::builder().connect_timeout(TO_CONNECT).timeout(TO_DOWNLOAD).build()?;
    let reply = client.get(address).send().await?.error_for_status()?;
    Ok(reply.bytes().await?.to_vec())
}

fn compare(bytes: &[u8], sum: &str) -> anyhow::Result<()> {
    let actual: String = Sha512::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if actual != sum {
        bail!("its SHA-512 is {actual}, not {sum}");
    }
    Ok(())
}

fn unpack(bytes: &[u8], folder: &Path, names: &[&str]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let scratch = tempfile::tempdir_in(folder)?;
    let archive = scratch.path().join("archive.tar.gz");
    std::fs::write(&archive, bytes)?;
    let tar = Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(scratch.path()).output();
    let tar = tar.context("`tar` does not start")?;
    if !tar.status.success() {
        bail!("tar: {}", String::from_utf8_lossy(&tar.stderr).trim());
    }
    for name in names {
        let inside = scratch.path().join("controller-tools/envtest").join(name);
        std::fs::rename(inside, folder.join(name)).with_context(|| format!("it has no {name}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_bytes_than_the_pinned_ones_are_refused() {
        let refusal = compare(b"something else", SUMS[0].2).unwrap_err().to_string();
        assert!(refusal.contains("SHA-512"), "{refusal}");
    }

    #[test]
    fn programs_are_unpacked_under_their_names_and_nothing_else_stays() {
        let made = tempfile::tempdir().unwrap();
        let inside = made.path().join("controller-tools/envtest");
        std::fs::create_dir_all(&inside).unwrap();
        std::fs::write(inside.join("etcd"), "#!").unwrap();
        let tar = Command::new("tar").args(["-czf", "a.tar.gz", "controller-tools"]).current_dir(&made).status();
        assert!(tar.unwrap().success());
        let folder = made.path().join("out");
        unpack(&std::fs::read(made.path().join("a.tar.gz")).unwrap(), &folder, &["etcd"]).unwrap();
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["etcd"]);
    }
}
