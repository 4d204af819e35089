//! What an account lacks in a region. Unless a test says so, there is everything that a request names.

use crate::faults::glob;

/// Something that is not there. Names and ARNs may be globs, e.g. `subnet-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A subnet, by its ID.
    Subnet(String),
    /// A security group, by its ID.
    SecurityGroup(String),
    /// A subnet's NAT gateway and endpoints: tasks there reach AWS and the internet only with a public IP address.
    WayOut(String),
    /// A secret of Secrets Manager, by its name or its ARN.
    Secret(String),
    /// A parameter of SSM, by its name or its ARN.
    Parameter(String),
    /// A log group.
    LogGroup(String),
    /// A capacity provider of the cluster.
    CapacityProvider(String),
    /// Capacity: of `FARGATE`, `FARGATE_SPOT`, `EC2`, or of a capacity provider.
    Capacity(String),
    /// vCPUs beyond so many, of Fargate's On-Demand and Spot together (AWS counts the two apart).
    FargateVcpus {
        /// How many may be in use at a time.
        beyond: u32,
    },
    /// A namespace of Cloud Map that Service Connect names.
    Namespace(String),
    /// Health behind a target group: every target there fails its health checks.
    HealthyTargets(String),
}

/// All that is lacking.
#[derive(Clone, Debug, Default)]
pub(super) struct Lacks {
    all: Vec<Lack>,
}

impl Lacks {
    pub(super) fn add(&mut self, lack: Lack) {
        self.all.push(lack);
    }

    pub(super) fn remove(&mut self, lack: &Lack) {
        self.all.retain(|other| other != lack);
    }

    fn any(&self, is: impl Fn(&Lack) -> bool) -> bool {
        self.all.iter().any(is)
    }

    pub(super) fn subnet(&self, id: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::Subnet(of) if glob(of, id)))
    }

    pub(super) fn security_group(&self, id: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::SecurityGroup(of) if glob(of, id)))
    }

    pub(super) fn way_out(&self, subnet: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::WayOut(of) if glob(of, subnet)))
    }

    pub(super) fn secret(&self, arn: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::Secret(of) if named(of, arn, ":secret:")))
    }

    pub(super) fn parameter(&self, arn: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::Parameter(of) if named(of, arn, ":parameter/")))
    }

    pub(super) fn log_group(&self, name: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::LogGroup(of) if glob(of, name)))
    }

    pub(super) fn capacity_provider(&self, name: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::CapacityProvider(of) if glob(of, name)))
    }

    pub(super) fn capacity(&self, of: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::Capacity(lacking) if glob(lacking, of)))
    }

    pub(super) fn namespace(&self, name: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::Namespace(of) if glob(of, name)))
    }

    pub(super) fn healthy_targets(&self, group: &str) -> bool {
        self.any(|lack| matches!(lack, Lack::HealthyTargets(of) if glob(of, group)))
    }

    /// How many vCPUs Fargate gives, if there is a bound.
    pub(super) fn most_vcpus(&self) -> Option<u32> {
        let bounds = self.all.iter().filter_map(|lack| match lack {
            Lack::FargateVcpus { beyond } => Some(*beyond),
            Lack::Subnet(_)
            | Lack::SecurityGroup(_)
            | Lack::WayOut(_)
            | Lack::Secret(_)
            | Lack::Parameter(_)
            | Lack::LogGroup(_)
            | Lack::CapacityProvider(_)
            | Lack::Capacity(_)
            | Lack::Namespace(_)
            | Lack::HealthyTargets(_) => None,
        });
        bounds.min()
    }
}

/// Whether a glob over names or ARNs means this ARN, whose name stands behind `mark`.
fn named(pattern: &str, arn: &str, mark: &str) -> bool {
    let name = arn.split_once(mark).map_or(arn, |(_, name)| name);
    glob(pattern, arn) || glob(pattern.trim_start_matches('/'), name.trim_start_matches('/'))
}
