//! The Service speaks AWS's own words, all of them: the CRD, the table of members and AWS's model say the same. An SDK that
//! brings a member fails this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use launchway_plan::service::bounds::NAMED;
use launchway_plan::service::canonical::ORDERED;
use launchway_plan::service::members::{Class, Compared, MEMBERS, TAGS};
use launchway_test_aws::model::{Presence, Shape, Structure, input, output};
use launchway_tests::members::{LEFT_OUT, OURS, Request, of_crd};
use serde_json::Value;

fn left_out(request: Request, path: &str) -> bool {
    LEFT_OUT.iter().any(|one| one.request == request && one.path == path)
}

#[test]
fn the_crd_has_every_member_of_awss_model_or_says_why_not() {
    for request in Request::ALL {
        let crd = of_crd(request);
        let missing: Vec<_> = input(request.operation())
            .paths()
            .into_keys()
            .filter(|path| !crd.contains_key(path) && !left_out(request, path))
            .collect();
        assert_eq!(
            missing,
            Vec::<String>::new(),
            "{request:?}: add a line to crds/src/aws, or to LEFT_OUT with the reason"
        );
    }
}

#[test]
fn awss_model_has_every_member_of_the_crd_but_for_our_own() {
    for request in Request::ALL {
        let model = input(request.operation()).paths();
        let unknown: Vec<_> = of_crd(request)
            .into_keys()
            .filter(|path| !model.contains_key(path) && !OURS.contains(&path.as_str()))
            .collect();
        assert_eq!(unknown, Vec::<String>::new(), "{request:?}");
    }
}

#[test]
fn what_is_left_out_is_in_the_model_and_not_in_the_crd() {
    for one in LEFT_OUT {
        assert!(input(one.request.operation()).paths().contains_key(one.path), "{one:?}");
        assert!(!of_crd(one.request).contains_key(one.path), "{one:?}");
    }
}

#[test]
fn the_crd_has_awss_words_and_no_others() {
    for request in Request::ALL {
        let crd = of_crd(request);
        for (path, shape) in input(request.operation()).paths() {
            let (shape, schema) = match (&shape, crd.get(&path)) {
                (_, None) => continue,
                (Shape::List(item), Some(schema)) => ((**item).clone(), &schema["items"]),
                (_, Some(schema)) => (shape, schema),
            };
            let Shape::Enum(known) = shape else { continue };
            // Where a null may stand in their place, the words stand one level below.
            let words = [&schema["enum"], &schema["allOf"][0]["enum"]].into_iter().filter_map(Value::as_array);
            let words: BTreeSet<_> = words.flatten().filter_map(|word| word.as_str().map(str::to_owned)).collect();
            assert_eq!(words, known.values.iter().cloned().collect(), "{path}");
        }
    }
}

#[test]
fn the_table_of_members_is_the_crds_and_says_of_each_what_update_service_can_do() {
    let named: BTreeSet<_> =
        of_crd(Request::CreateService).into_keys().filter(|path| !path.contains(['.', '['])).collect();
    let table: BTreeSet<_> = MEMBERS.iter().chain([&TAGS]).map(|member| member.name.to_owned()).collect();
    assert_eq!(table, named);
    let update = &input("UpdateService").members;
    for member in MEMBERS {
        let can = update.contains_key(member.name);
        match member.class {
            Class::Rolls | Class::Adjusts => assert!(can, "{}", member.name),
            // ECS can change a controller in some directions; this version drives one controller only.
            Class::Immutable => assert!(!can || member.name == "deploymentController", "{}", member.name),
            Class::Tags => panic!("{} is tagged", member.name),
        }
    }
}

#[test]
fn each_member_is_compared_where_ecs_shows_it() {
    let service = output("DescribeServices").item("services");
    let revision = output("DescribeServiceRevisions").item("serviceRevisions");
    for member in MEMBERS.iter().filter(|member| member.compared != Compared::Role) {
        let places = [service, service.item("deployments"), revision].map(|one| one.members.contains_key(member.name));
        let expected = match places {
            [true, _, _] => [Compared::Contained, Compared::UnlessLatest].as_slice(),
            [false, true, _] => &[Compared::InDeployment],
            [false, false, true] => &[Compared::InRevision],
            [false, false, false] => &[],
        };
        assert!(expected.contains(&member.compared), "{}: {places:?}", member.name);
        assert!(member.class != Class::Rolls || places[2], "{}: a revision has to prove it", member.name);
    }
}

/// The members that are texts and name nothing that is another's, each with the member that it is in: names inside the task, texts of
/// the program's, numbers. What is held to the account in other ways is here, too: the family, and what is asked of the host.
const NAMES_NOTHING: [(&str, &str); 70] = [
    ("authorizationConfig", "domain"),
    ("capabilities", "add"),
    ("capabilities", "drop"),
    ("clientAliases", "dnsName"),
    ("containerDefinitions", "command"),
    ("containerDefinitions", "dnsSearchDomains"),
    ("containerDefinitions", "dnsServers"),
    ("containerDefinitions", "dockerSecurityOptions"),
    ("containerDefinitions", "entryPoint"),
    ("containerDefinitions", "hostname"),
    ("containerDefinitions", "links"),
    ("containerDefinitions", "name"),
    ("containerDefinitions", "user"),
    ("containerDefinitions", "workingDirectory"),
    ("dependsOn", "containerName"),
    ("devices", "containerPath"),
    ("devices", "hostPath"),
    ("dockerVolumeConfiguration", "driver"),
    ("efsVolumeConfiguration", "rootDirectory"),
    ("environment", "name"),
    ("environment", "value"),
    ("extraHosts", "hostname"),
    ("extraHosts", "ipAddress"),
    ("fsxWindowsFileServerVolumeConfiguration", "rootDirectory"),
    ("gatewayConnectors", "portName"),
    ("header", "name"),
    ("healthCheck", "command"),
    ("healthCheck", "healthCheckPath"),
    ("host", "sourcePath"),
    ("imageFrom", "image"),
    ("imageFrom", "pipeline"),
    ("imageFrom", "stage"),
    ("inferenceAccelerators", "deviceName"),
    ("inferenceAccelerators", "deviceType"),
    ("loadBalancers", "containerName"),
    ("managedEBSVolume", "volumeType"),
    ("matcher", "grpcCode"),
    ("matcher", "httpCode"),
    ("metricConfigurations", "metricNames"),
    ("mountPoints", "containerPath"),
    ("mountPoints", "sourceVolume"),
    ("placementConstraints", "expression"),
    ("placementStrategy", "field"),
    ("portMappings", "containerPortRange"),
    ("portMappings", "name"),
    ("properties", "name"),
    ("properties", "value"),
    ("proxyConfiguration", "containerName"),
    ("resourceRequirements", "value"),
    ("s3filesVolumeConfiguration", "rootDirectory"),
    ("secretOptions", "name"),
    ("secrets", "name"),
    ("service", "platformVersion"),
    ("serviceRegistries", "containerName"),
    ("services", "discoveryName"),
    ("services", "portName"),
    ("systemControls", "namespace"),
    ("systemControls", "value"),
    ("tags", "key"),
    ("tags", "value"),
    ("taskDefinition", "cpu"),
    ("taskDefinition", "family"),
    ("taskDefinition", "memory"),
    ("tmpfs", "containerPath"),
    ("tmpfs", "mountOptions"),
    ("value", "exact"),
    ("volumeConfigurations", "name"),
    ("volumes", "name"),
    ("volumesFrom", "sourceContainer"),
    ("vpcLatticeConfigurations", "portName"),
];

/// A text that the account check does not know could name what is another's. Words to choose from name nothing, but for the
/// launch type, which says on whose machines tasks run.
#[test]
fn every_member_that_is_a_text_names_something_that_the_account_bounds_or_nothing() {
    let mut texts = BTreeSet::from([("service".to_owned(), "launchType".to_owned())]);
    for request in Request::ALL {
        for (path, schema) in of_crd(request) {
            let schema = if schema["items"].is_object() { &schema["items"] } else { &schema };
            let is_text = schema["type"] == "string" || schema["x-kubernetes-int-or-string"] == true;
            let has_words = schema["enum"].is_array() || schema["allOf"][0]["enum"].is_array();
            if is_text && !has_words {
                let mut names = path.rsplit('.').map(|name| name.trim_end_matches("[]").to_owned());
                let member = names.next().unwrap();
                texts.insert((names.next().unwrap_or_else(|| request.field().to_owned()), member));
            }
        }
    }
    let all = |rows: Vec<(&str, &str)>| -> BTreeSet<(String, String)> {
        rows.into_iter().map(|(parent, member)| (parent.to_owned(), member.to_owned())).collect()
    };
    let named = all(NAMED.map(|(parent, member, _)| (parent, member)).to_vec());
    let nothing = all(NAMES_NOTHING.to_vec());
    assert!(named.is_disjoint(&nothing));
    let known: BTreeSet<_> = named.union(&nothing).cloned().collect();
    let unknown: Vec<_> = texts.difference(&known).collect();
    assert!(unknown.is_empty(), "add them to NAMED in plan/src/service/bounds.rs, or to NAMES_NOTHING: {unknown:?}");
    let gone: Vec<_> = known.difference(&texts).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn the_lists_whose_order_means_something_are_lists_of_awss() {
    let mut lists = BTreeSet::new();
    for request in Request::ALL {
        let paths = input(request.operation()).paths();
        lists.extend(paths.into_iter().filter(|(_, shape)| matches!(shape, Shape::List(_))).map(|(path, _)| path));
    }
    for name in ORDERED {
        assert!(lists.iter().any(|path| path.rsplit('.').next() == Some(name)), "{name}");
    }
}

#[test]
fn the_crd_demands_no_member_that_the_model_does_not() {
    for request in Request::ALL {
        let crd = of_crd(request);
        let demanded = |path: &str, schema: &serde_json::Value| -> Vec<String> {
            let names = schema["required"].as_array().into_iter().flatten();
            names.map(|name| format!("{path}.{}", name.as_str().unwrap())).collect()
        };
        let all: Vec<_> = crd
            .iter()
            .flat_map(|(path, schema)| {
                let own = demanded(path, schema);
                own.into_iter().chain(demanded(&format!("{path}[]"), &schema["items"]))
            })
            .collect();
        let paths = input(request.operation()).paths();
        let too_much: Vec<_> = all
            .iter()
            .filter(|path| !OURS.contains(&path.as_str()))
            .filter(|path| {
                let (parent, name) = path.rsplit_once('.').unwrap();
                let structure = structure(paths.get(parent.trim_end_matches("[]")).unwrap());
                structure.members[name].presence != Presence::Required && !MERGED_BY.contains(&name)
            })
            .collect();
        assert_eq!(too_much, Vec::<&String>::new());
    }
}

/// What lists are merged by must be there, although AWS's model does not say so.
const MERGED_BY: [&str; 2] = ["name", "key"];

fn structure(shape: &Shape) -> Arc<Structure> {
    match shape {
        Shape::Structure(inner) | Shape::Union(inner) => inner.clone(),
        Shape::List(item) => structure(item),
        Shape::String
        | Shape::Integer
        | Shape::Long
        | Shape::Float
        | Shape::Double
        | Shape::Boolean
        | Shape::Timestamp
        | Shape::Document
        | Shape::Enum(_)
        | Shape::Map(_) => panic!("{shape:?} has no members"),
    }
}
