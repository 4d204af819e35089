//! What tasks on container instances ask of the host, held to what the AwsAccount allows. On Fargate ECS refuses all of it.

use crate::account::Scope;
use crate::allow::{self, Missing};
use launchway_crds::account::HostAccess;
use launchway_crds::aws::{ContainerDefinition, TaskDefinition, Volume};

/// The capability that ECS lets be added on Fargate, too. Source: the API reference of KernelCapabilities.
const EVERYWHERE: &str = "SYS_PTRACE";
/// The security option that only takes rights away. Source: Docker's reference, `docker run --security-opt`.
const HARDENS: &str = "no-new-privileges";
/// The volume driver that comes with Docker. With options it mounts any path of the host.
const LOCAL: &str = "local";

/// What a task asks of the host and the account does not allow.
pub fn missing(scope: &Scope, task: &TaskDefinition) -> Vec<Missing> {
    let is_host = |mode: Option<&str>| mode == Some("host");
    let all = || task.container_definitions.iter();
    let asked = [
        (HostAccess::NetworkMode, is_host(task.network_mode.as_deref())),
        (HostAccess::PidMode, is_host(task.pid_mode.as_deref())),
        (HostAccess::IpcMode, is_host(task.ipc_mode.as_deref())),
        (HostAccess::Volumes, task.volumes.iter().flat_map(|volumes| volumes.iter()).any(is_the_hosts)),
        (HostAccess::Privileged, all().any(|container| container.privileged == Some(true))),
        (HostAccess::Devices, all().any(has_devices)),
        (HostAccess::Capabilities, all().any(has_capabilities)),
        (HostAccess::SecurityOptions, all().any(has_security_options)),
    ];
    asked
        .into_iter()
        .filter(|(_, is_asked)| *is_asked)
        .filter_map(|(what, _)| allow::host(&scope.allow, what))
        .collect()
}

/// Whether a volume is a path of the host, or one of Docker's that others have too or that mounts what its options say.
fn is_the_hosts(volume: &Volume) -> bool {
    let path = volume.host.as_ref().is_some_and(|host| host.source_path.as_ref().is_some_and(|path| !path.is_empty()));
    let docker = volume.docker_volume_configuration.as_ref().is_some_and(|docker| {
        docker.scope.as_deref() == Some("shared")
            || docker.driver.as_deref().is_some_and(|driver| driver != LOCAL)
            || docker.driver_opts.as_ref().is_some_and(|options| !options.0.is_empty())
    });
    path || docker
}

fn has_devices(container: &ContainerDefinition) -> bool {
    let linux = container.linux_parameters.as_ref();
    linux.and_then(|linux| linux.devices.as_ref()).is_some_and(|devices| !devices.is_empty())
}

fn has_capabilities(container: &ContainerDefinition) -> bool {
    let linux = container.linux_parameters.as_ref().and_then(|linux| linux.capabilities.as_ref());
    let added = linux.and_then(|capabilities| capabilities.add.as_ref());
    added.is_some_and(|added| added.iter().any(|one| &**one != EVERYWHERE))
}

fn has_security_options(container: &ContainerDefinition) -> bool {
    let options = container.docker_security_options.as_ref();
    options.is_some_and(|options| options.iter().any(|one| &**one != HARDENS))
}
