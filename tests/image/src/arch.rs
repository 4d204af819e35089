//! The processors that there is an image for, and what each is called by whom.

use anyhow::bail;
use clap::ValueEnum;

/// A processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit ARM: Graviton.
    Arm64,
}

impl Arch {
    /// All of them.
    pub const ALL: [Arch; 2] = [Arch::Amd64, Arch::Arm64];

    /// That of this machine.
    ///
    /// # Errors
    /// There is no image for it.
    pub fn of_this_machine() -> anyhow::Result<Arch> {
        let this = std::env::consts::ARCH;
        match Arch::ALL.into_iter().find(|arch| arch.machine() == this) {
            Some(arch) => Ok(arch),
            None => bail!("there is no image for {this}: choose one with --arch"),
        }
    }

    /// What OCI and Kubernetes call it.
    pub fn name(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }

    /// What Rust and C compilers call it.
    pub fn machine(self) -> &'static str {
        match self {
            Arch::Amd64 => "x86_64",
            Arch::Arm64 => "aarch64",
        }
    }

    /// Rust's target: static, with musl as its C library.
    pub fn target(self) -> String {
        format!("{}-unknown-linux-musl", self.machine())
    }
}
