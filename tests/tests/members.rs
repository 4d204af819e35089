//! The Service speaks AWS's own words, all of them: the CRD, the table of members and AWS's model say the same. An SDK that
//! brings a member fails this.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;
use std::sync::Arc;

use launchway_plan::service::canonical::ORDERED;
use launchway_plan::service::members::{Class, Compared, MEMBERS, TAGS};
use launchway_plan::service::wanted::ROLES;
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

#[test]
fn every_member_that_names_a_role_is_known_to_the_account_check() {
    for request in Request::ALL {
        for (path, shape) in input(request.operation()).paths() {
            let name = path.rsplit('.').next().unwrap();
            let is_role =
                matches!(shape, Shape::String) && (name == "role" || name.to_lowercase().ends_with("rolearn"));
            assert_eq!(is_role, ROLES.contains(&name), "{path}");
        }
    }
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
