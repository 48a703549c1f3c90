//! What the estate answers: filters, records, ways, people, differences.

use crate::based;
use hostler_core::directory::Directory;
use hostler_estate::import;
use std::collections::BTreeSet;

const SERVERS: &str = "
defaults:
  - { match: 'kind=virtual', set: { ring: rest, patch: monthly, tags: [vm], via: { monitor: web } } }
  - { match: 'os=debian-*', set: { ring: early } }
groups:
  pair: { kind: redundancy, members: [web1, web2] }
assets:
  web1: { customer: chem, kind: virtual, os: debian-13, ring: canary, via: { guest: ssh }, tags: [dmz], address: 192.0.2.1, host_key: 'SHA256:jnzzJ3gTvVVPjvDkJKiYmXMM6QPgNQ0Y0m4tEXAMPLE' }
  web2: { customer: chem, kind: virtual, os: debian-12, parent: esx-1 }
  lab1: { customer: phys, kind: physical, owner: eve, window: sun, ref: { web: L-1 } }
  old1: { customer: phys, kind: physical, state: retired }
";

#[test]
fn filters_see_defaults_groups_lists_and_stars() {
    let estate = based(SERVERS).unwrap_or_else(|faults| panic!("{faults}"));
    for (selector, expected) in [
        ("id=*", vec!["lab1", "web1", "web2"]),
        ("ring=canary", vec!["web1"]),
        ("ring=early", vec!["web2"]),
        ("ring=canary,early", vec!["web1", "web2"]),
        ("ring=*", vec!["web1", "web2"]),
        ("!ring=*", vec!["lab1"]),
        ("!customer=chem", vec!["lab1"]),
        ("id=web-*", vec![]),
        ("id=web*", vec!["web1", "web2"]),
        ("id=web2,lab1", vec!["lab1", "web2"]),
        ("id=web2,lab1 kind=physical", vec!["lab1"]),
        ("group=pair", vec!["web1", "web2"]),
        ("hypervisor=esx-1", vec!["web2"]),
        ("os_family=debian tag=dmz", vec!["web1"]),
        ("tag=vm", vec!["web1", "web2"]),
        ("via=ssh", vec!["web1"]),
        ("state=retired", vec!["old1"]),
        ("window=sun", vec!["lab1"]),
        ("  ring=canary\n  kind=virtual ", vec!["web1"]),
    ] {
        assert_eq!(
            estate.select(selector).as_deref(),
            Ok(&expected
                .iter()
                .map(|id| (*id).to_owned())
                .collect::<Vec<_>>()[..]),
            "{selector}"
        );
        for id in ["web1", "web2", "lab1"] {
            assert_eq!(
                estate.matches(id, selector),
                Ok(expected.contains(&id)),
                "{id}: {selector}"
            );
        }
    }
}

#[test]
fn a_mistyped_value_is_refused_instead_of_selecting_nothing() {
    let estate = based(SERVERS).unwrap();
    for (selector, remedy) in [
        ("customer=chen", "did you mean `chem`?"),
        ("id=web9", "did you mean `web"),
        ("group=pairs", "did you mean `pair`?"),
        ("state=retird", "did you mean `retired`?"),
        ("!window=son", "did you mean `sun`?"),
    ] {
        let fault = estate.select(selector).unwrap_err();
        assert!(fault.remedy.contains(remedy), "{selector}: {fault}");
    }
}

#[test]
fn a_record_has_every_field_and_no_credential() {
    let estate = based(SERVERS).unwrap();
    let web1 = estate.asset("web1").unwrap();
    assert_eq!(web1["groups"]["redundancy_group"], "pair");
    assert_eq!(web1["redundancy_group"], "pair");
    assert_eq!(web1["can"]["snapshot"], false, "no way for compute");
    assert_eq!(web1["has"]["stop_hook"], false);
    assert_eq!(web1["via"]["monitor"], "web", "from the default");
    let lab1 = estate.asset("lab1").unwrap();
    assert_eq!(
        web1.as_object().unwrap().keys().collect::<Vec<_>>(),
        lab1.as_object().unwrap().keys().collect::<Vec<_>>()
    );
    assert!(lab1["ring"].is_null() && lab1["hypervisor"].is_null());
    for asset in ["web1", "web2", "lab1"] {
        assert!(
            !estate.asset(asset).unwrap().to_string().contains("file:"),
            "{asset}"
        );
    }
    assert_eq!(estate.asset("gone"), None);
}

#[test]
fn a_way_is_the_assets_own_then_its_familys_then_the_realms() {
    let estate = based(SERVERS).unwrap();
    let way = |asset: Option<&str>, contract: &str| {
        estate.route(asset, contract).map(|route| route.connection)
    };
    assert_eq!(way(Some("web1"), "guest").as_deref(), Some("ssh"));
    assert_eq!(way(Some("web1"), "guest-patch").as_deref(), Some("ssh"));
    assert_eq!(way(Some("web2"), "guest"), None);
    assert_eq!(way(Some("lab1"), "vulnerability").as_deref(), Some("web"));
    assert_eq!(way(None, "vulnerability").as_deref(), Some("web"));
    assert_eq!(way(None, "guest"), None);
    assert_eq!(way(Some("gone"), "vulnerability"), None);
    let route = estate.route(Some("web1"), "guest-patch").unwrap();
    assert_eq!(
        (route.plugin.as_str(), route.address.as_deref()),
        ("guest-linux", Some("192.0.2.1"))
    );
    assert!(route.host_key.is_some());
    assert_eq!(
        estate
            .route(Some("lab1"), "vulnerability")
            .unwrap()
            .reference
            .as_deref(),
        Some("L-1")
    );
    assert_eq!(
        estate.route(None, "vulnerability").unwrap().handles["other"],
        "ssh"
    );
}

#[test]
fn people_are_found_by_what_they_may_decide() {
    let estate = based(SERVERS).unwrap();
    for (qualification, people) in [
        ("role:operator", vec!["olga"]),
        ("role:nobody", vec![]),
        ("person:ada", vec!["ada"]),
        ("customer:chem", vec!["ada", "bo"]),
        ("owner-of:chem", vec!["ada"]),
        ("owner-of:web1", vec!["ada"]),
        ("owner-of:lab1", vec!["eve"]),
        ("owner-of:phys", vec!["dave"]),
        ("owner-of:old1", vec!["dave"]),
        ("nonsense", vec![]),
    ] {
        assert_eq!(estate.people_with(qualification), people, "{qualification}");
        for person in estate.people() {
            let fits = people.contains(&person.id.as_str());
            assert_eq!(
                estate.holds(&person.id, qualification),
                fits,
                "{}: {qualification}",
                person.id
            );
            assert_eq!(
                estate.qualifications(&person.id).contains(qualification),
                fits,
                "{}: {qualification}",
                person.id
            );
        }
    }
    let names = |kind: &str| {
        estate
            .contacts("chem", kind)
            .into_iter()
            .map(|contact| contact.person)
            .collect::<Vec<_>>()
    };
    assert_eq!(names("notices"), ["ada"]);
    assert_eq!(names("technical"), ["bo"]);
    assert_eq!(names("any"), ["ada", "bo", "cy"]);
    assert_eq!(names("alternate"), [] as [&str; 0]);
    let text = format!(
        "{SERVERS}customers:\n  law: {{ name: Law, people: [{{ id: lea, mail: lea@law.example, roles: [owner, notices] }}, {{ id: lou, mail: lou@law.example, roles: [alternate, budget] }}] }}\n"
    );
    let estate = based(&text).unwrap_or_else(|faults| panic!("{faults}"));
    let alternates = estate.contacts("law", "alternate").into_iter();
    let ids: Vec<_> = alternates.map(|contact| contact.person).collect();
    assert_eq!(ids, ["lou"], "whoever stands in decides nothing by it");
    assert_eq!(estate.people_with("customer:law"), ["lea"]);
    assert!(estate.contacts("gone", "any").is_empty());
}

#[test]
fn an_import_tells_the_difference_and_removes_nothing_in_silence() {
    let old = based(SERVERS).unwrap();
    let edited = SERVERS.replace("parent: esx-1", "parent: esx-2").replace(
        "  old1: { customer: phys, kind: physical, state: retired }\n",
        "  new1: { customer: phys, kind: physical }\n",
    );
    let refused = import(&old, based(&edited).unwrap(), &BTreeSet::new()).unwrap_err();
    assert_eq!(refused.0, ["assets/old1"]);
    let confirmed = BTreeSet::from(["assets/old1".to_owned()]);
    let taken = import(&old, based(&edited).unwrap(), &confirmed).unwrap();
    let ids = |changes: &[hostler_estate::Change]| {
        changes
            .iter()
            .map(|change| format!("{}/{}", change.section, change.id))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&taken.difference.added), ["assets/new1"]);
    assert_eq!(ids(&taken.difference.removed), ["assets/old1"]);
    assert_eq!(ids(&taken.difference.changed), ["assets/web2"]);
    let field = &taken.difference.changed[0].fields[0];
    assert_eq!(
        (
            field.name.as_str(),
            field.before.as_str(),
            field.after.as_str()
        ),
        ("parent", Some("esx-1"), Some("esx-2"))
    );
    assert_ne!(old.digest(), taken.estate.digest());
    assert!(old.difference(&based(SERVERS).unwrap()).is_empty());
    assert_eq!(old.digest(), based(SERVERS).unwrap().digest());
}
