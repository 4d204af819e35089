//! What the image is: the facts that `cargo image` and the Dockerfile share. How they come about is not said here.

/// The controller's package and its program.
pub const PACKAGE: &str = "launchway";
/// The profile of Cargo.toml that it is compiled with.
pub const PROFILE: &str = "small";
/// Where the program is in the image.
pub const PROGRAM: &str = "launchway";
/// What a container runs when it is given nothing but arguments, as by the chart.
pub const ENTRYPOINT: &str = "/launchway";
/// User and group. In numbers, because there is no /etc/passwd, and because `runAsNonRoot` understands only these.
pub const USER: &str = "65532:65532";
/// Where TLS libraries look for the authorities that they trust.
pub const ROOTS: &str = "etc/ssl/certs/ca-certificates.crt";
/// The licence of our own code, by its SPDX name.
pub const LICENCE: &str = "Apache-2.0";
/// Short, for lists of images.
pub const TITLE: &str = "Launchway";
/// In one sentence.
pub const DESCRIPTION: &str = "A Kubernetes controller that takes git commits to running Amazon ECS services";
