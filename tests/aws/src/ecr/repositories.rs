//! DescribeRepositories: what a repository says of itself. Its images are in `images`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Mutability, Repository, bad_token, counted, no_repository, page_size, registry, repository_arn};
use crate::call::{epoch, page, with_token};
use crate::{Answer, Call, Refusal, World};

/// repositoryNames in one call, at most [API_DescribeRepositories].
const NAMES: usize = 100;

/// DescribeRepositories.
pub fn describe(world: &mut World, call: &Call) -> Answer {
    let names = call.texts("repositoryNames");
    if call.member("repositoryNames").is_some() {
        counted("repositoryNames", names.len(), NAMES)?;
    }
    allow_each(world, call, &names)?;
    let account = registry(call);
    let empty = BTreeMap::new();
    let held = world.ecr.get(&(account.clone(), call.region.clone())).map_or(&empty, |state| &state.repositories);
    if let Some(missing) = names.iter().find(|name| !held.contains_key(*name)) {
        return Err(no_repository(missing, &account));
    }
    let wanted: Vec<_> = held.iter().filter(|(name, _)| names.is_empty() || names.contains(name)).collect();
    let (page, next) = page(&wanted, call, page_size(call)?).ok_or_else(bad_token)?;
    let rendered: Vec<Value> =
        page.into_iter().map(|(name, repository)| render(call, &account, name, repository)).collect();
    Ok(with_token(json!({ "repositories": rendered }), next))
}

fn allow_each(world: &mut World, call: &Call, names: &[String]) -> Result<(), Refusal> {
    if names.is_empty() {
        return world.allow(call, "ecr:DescribeRepositories", &repository_arn(call, &registry(call), "*"), &[]);
    }
    names.iter().try_for_each(|name| {
        world.allow(call, "ecr:DescribeRepositories", &repository_arn(call, &registry(call), name), &[])
    })
}

fn render(call: &Call, account: &str, name: &str, repository: &Repository) -> Value {
    let mut view = json!({
        "repositoryArn": repository_arn(call, account, name),
        "registryId": account,
        "repositoryName": name,
        "repositoryUri": format!("{account}.dkr.ecr.{}.amazonaws.com/{name}", call.region),
        "createdAt": epoch(repository.created_at),
        "imageTagMutability": repository.mutability.name(),
        "imageScanningConfiguration": { "scanOnPush": false },
        "encryptionConfiguration": { "encryptionType": "AES256" },
    });
    if let Mutability::ImmutableExcept(filters) = &repository.mutability {
        let excluded = filters.iter().map(|filter| json!({ "filterType": "WILDCARD", "filter": filter }));
        view["imageTagMutabilityExclusionFilters"] = excluded.collect();
    }
    view
}
