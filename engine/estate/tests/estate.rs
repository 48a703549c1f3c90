//! The estate from outside: examples, faults with their place and remedy, filters, ways and people.
#![allow(clippy::unwrap_used)]

use hostler_core::directory::{Auth, Directory, Reach};
use hostler_estate::{Estate, Fault, Faults, Known, import, load, practice};
use std::collections::{BTreeMap, BTreeSet};

const EXAMPLE: &str = include_str!("../examples/estate.yaml");
const EXAMPLE_PEOPLE: &str = include_str!("../examples/people.yaml");
const EXAMPLE_CALENDAR: &str = include_str!("../examples/calendars/campus.ics");
/// A small estate to break: without assets, so that a test adds its own.
const BASE: &str = include_str!("base.yaml");

fn read(files: &[(&str, &str)], known: &Known) -> Result<Estate, Faults> {
    let by_path: BTreeMap<&str, &str> = files.iter().copied().collect();
    let paths: Vec<&str> = files
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| path.ends_with(".yaml"))
        .collect();
    let text = |path: &str| {
        by_path
            .get(path)
            .map(|text| (*text).to_owned())
            .ok_or_else(|| "not there".to_owned())
    };
    load(&paths, &text, known)
}

fn example(known: &Known) -> Result<Estate, Faults> {
    let calendar = ("etc/calendars/campus.ics", EXAMPLE_CALENDAR);
    read(
        &[
            ("etc/estate.yaml", EXAMPLE),
            ("etc/people.yaml", EXAMPLE_PEOPLE),
            calendar,
        ],
        known,
    )
}

fn based(rest: &str) -> Result<Estate, Faults> {
    read(&[("base.yaml", BASE), ("more.yaml", rest)], &known())
}

fn known() -> Known {
    let set = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    Known {
        contracts: set(&[
            "compute",
            "guest",
            "guest-patch",
            "backup",
            "monitor",
            "hardware",
            "vulnerability",
            "practice",
        ]),
        plugins: set(&[
            "vcenter",
            "redfish",
            "guest-linux",
            "monitor-alertmanager",
            "restic",
            "probe",
            "practice",
        ]),
    }
}

#[test]
fn the_example_is_a_good_estate() {
    let estate = example(&known()).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(estate.assets.len(), 4);
    assert_eq!(
        Directory::zone(&estate, Some("chemistry")).as_deref(),
        Some("America/Chicago")
    );
}

/// The names of all fields of the format, read from the shapes themselves.
fn fields() -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    let mut renamed = None;
    for line in include_str!("../src/file.rs").lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[serde(rename = \"") {
            renamed = rest.split('"').next().map(str::to_owned);
        } else if let Some((name, _)) = line
            .strip_prefix("pub ")
            .and_then(|rest| rest.split_once(':'))
        {
            fields.insert(renamed.take().unwrap_or_else(|| name.to_owned()));
        }
    }
    fields
}

#[test]
fn the_example_shows_every_field_of_the_format() {
    let fields = fields();
    assert!(
        fields.len() > 60 && fields.contains("match") && fields.contains("ref"),
        "the shapes were read: {fields:?}"
    );
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let shown = |text: &str, field: &str| {
        let key = format!("{field}:");
        text.match_indices(&key)
            .any(|(at, _)| at == 0 || !is_word(text.as_bytes().get(at - 1)))
    };
    let missing: Vec<&String> = fields
        .iter()
        .filter(|field| !shown(EXAMPLE, field) && !shown(EXAMPLE_PEOPLE, field))
        .collect();
    assert!(missing.is_empty(), "not in examples/: {missing:?}");
}

#[test]
fn the_example_shows_every_way_to_sign_in() {
    let estate = example(&known()).unwrap();
    let auth = |name: &str| match &estate.connections[name].reach {
        Reach::Http { auth, .. } | Reach::Network { auth, .. } => auth.clone(),
        other => panic!("{name}: {other:?}"),
    };
    assert!(matches!(auth("vc-main"), Auth::Credential { .. }));
    assert!(matches!(auth("bmc-row-a"), Auth::Session { .. }));
    assert!(matches!(auth("alerts"), Auth::Basic { .. }));
    assert!(matches!(auth("metrics"), Auth::Header { .. }));
    assert!(matches!(auth("restic-1"), Auth::MutualTls { .. }));
}

/// Each case: what is added to the base, the code, line and column of the first fault, and a part of
/// its message and of its remedy.
const BROKEN: &[(&str, &str, u32, u32, &str, &str)] = &[
    (
        "assets:\n  a: { custmer: chem }",
        "HE002",
        2,
        8,
        "custmer",
        "did you mean `customer`?",
    ),
    (
        "asets:\n  a: 1",
        "HE002",
        1,
        1,
        "asets",
        "did you mean `assets`?",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual }\n  a: { customer: chem, kind: virtual }",
        "HE011",
        3,
        3,
        "`a` stands there twice",
        "rename",
    ),
    (
        "assets:\n  a: { kind: virtual, kind: virtual }",
        "HE011",
        2,
        23,
        "kind",
        "rename",
    ),
    (
        "assets:\n  a: { customer: chen, kind: virtual }",
        "HE020",
        2,
        18,
        "no customer `chen`",
        "did you mean `chem`?",
    ),
    (
        "assets:\n  a: { kind: virtual }",
        "HE040",
        2,
        3,
        "no customer",
        "add `customer:`",
    ),
    (
        "assets:\n  a: { customer: chem }",
        "HE040",
        2,
        3,
        "no kind",
        "virtual",
    ),
    (
        "assets:\n  a: { customer: chem, kind: vitual }",
        "HE030",
        2,
        30,
        "vitual",
        "physical",
    ),
    (
        "assets:\n  A: { customer: chem, kind: virtual }",
        "HE010",
        2,
        3,
        "`A` is no id",
        "a-z",
    ),
    (
        "assets:\n  chem: { customer: chem, kind: virtual }",
        "HE011",
        2,
        3,
        "an asset and a customer",
        "rename",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, window: mon }",
        "HE020",
        2,
        47,
        "no window `mon`",
        "windows",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, address: 127.1 }",
        "HE030",
        2,
        48,
        "127.1",
        "IPv4",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, via: { guset: web } }",
        "HE020",
        2,
        46,
        "no contract `guset`",
        "did you mean `guest`?",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, via: { guest: wbe2 } }",
        "HE020",
        2,
        53,
        "no connection `wbe2`",
        "connections",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, address: 192.0.2.1, via: { guest: ssh } }",
        "HE040",
        2,
        3,
        "no host_key",
        "ssh_host_ed25519_key.pub",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, via: { guest: ssh }, host_key: nonsense }",
        "HE030",
        2,
        70,
        "nonsense",
        "SHA256:",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, data_level: 7 }",
        "HE030",
        2,
        51,
        "7",
        "1 (public)",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, data_level: high }",
        "HE001",
        2,
        51,
        "",
        "examples",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, owner: nobody }",
        "HE020",
        2,
        46,
        "no person `nobody`",
        "people",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, hooks: { stop: stop.sh } }",
        "HE030",
        2,
        54,
        "stop.sh",
        "/etc/hostler/stop",
    ),
    (
        "assets:\n  a: &x { customer: chem, kind: virtual }",
        "HE050",
        2,
        9,
        "",
        "anchors",
    ),
    (
        "assets:\n  a: { customer: chem, kind: virtual, legal_hold: yes }",
        "HE001",
        2,
        51,
        "",
        "examples",
    ),
    (
        "defaults:\n  - { match: \"custmer=chem\", set: { ring: rest } }",
        "HE030",
        2,
        14,
        "custmer",
        "did you mean `customer`?",
    ),
    (
        "defaults:\n  - { match: \"customer=chen\", set: { ring: rest } }",
        "HE030",
        2,
        14,
        "chen",
        "did you mean `chem`?",
    ),
    (
        "defaults:\n  - { set: { ring: rest } }",
        "HE040",
        2,
        7,
        "`match` is missing",
        "add `match:`",
    ),
    (
        "groups:\n  g: { kind: redundancy, members: [a, b] }",
        "HE020",
        2,
        36,
        "no asset `a`",
        "assets",
    ),
    (
        "groups:\n  g: { kind: redundancy, members: [a], keep_up: 1 }\nassets:\n  a: { customer: chem, kind: virtual }",
        "HE030",
        2,
        49,
        "keep_up",
        "at most 0",
    ),
    (
        "groups:\n  g: { kind: redundancy, members: [a, b] }\n  h: { kind: redundancy, members: [b] }\nassets:\n  a: { customer: chem, kind: virtual }\n  b: { customer: chem, kind: virtual }",
        "HE030",
        3,
        36,
        "group `g` as well",
        "keep it in one",
    ),
    (
        "windows:\n  w: { when: second tuseday, at: \"02:00\", lasts: 4h }",
        "HE030",
        2,
        14,
        "tuseday",
        "second tuesday",
    ),
    (
        "windows:\n  w: { when: daily, at: \"2am\", lasts: 4h }",
        "HE030",
        2,
        25,
        "2am",
        "02:00",
    ),
    (
        "windows:\n  w: { when: daily, at: \"02:00\", lasts: 4 }",
        "HE030",
        2,
        41,
        "4",
        "90m",
    ),
    (
        "windows:\n  w: { when: daily, at: \"02:00\", lasts: 30d }",
        "HE030",
        2,
        41,
        "longer than 7 days",
        "shorter",
    ),
    (
        "windows:\n  w: { when: daily, at: \"02:00\", lasts: 4h, zone: CST }",
        "HE030",
        2,
        51,
        "CST",
        "IANA",
    ),
    (
        "freezes:\n  - { id: f, from: 2026-12-23, to: 2026-12-11, applies: \"id=*\" }",
        "HE030",
        2,
        36,
        "not after `from`",
        "mend the date",
    ),
    (
        "freezes:\n  - { id: f, from: 2026-12-01, to: 2026-12-11, applies: \"\" }",
        "HE030",
        2,
        57,
        "empty",
        "id=*",
    ),
    (
        "calendars:\n  c: { business_days: mon-fri, hours: \"17:00-08:00\" }",
        "HE030",
        2,
        39,
        "17:00-08:00",
        "08:00-17:00",
    ),
    (
        "calendars:\n  c: { business_days: mon-fri, hours: \"08:00-17:00\", file: gone.ics }",
        "HE030",
        2,
        60,
        "cannot be read",
        ".ics",
    ),
    (
        "calendars:\n  c: { business_days: mon-fri, hours: \"08:00-17:00\", file: ../x.ics }",
        "HE030",
        2,
        60,
        "leads out",
        ".ics",
    ),
    (
        "customers:\n  c: { name: C, people: [{ id: x, mail: x, roles: [owner, notices] }] }",
        "HE030",
        2,
        41,
        "`x` is no mail address",
        "name@domain.example",
    ),
    (
        "customers:\n  c: { name: C, people: [{ id: x, mail: x@c.example, roles: [owner] }] }",
        "HE040",
        2,
        3,
        "`notices`",
        "roles: [notices]",
    ),
    (
        "customers:\n  c: { name: C, people: [{ id: x, mail: x@c.example, roles: [notices] }] }",
        "HE040",
        2,
        3,
        "`owner`",
        "roles: [owner]",
    ),
    (
        "customers:\n  c: { name: C, people: [{ id: ada, mail: other@c.example, roles: [owner, notices] }] }",
        "HE011",
        2,
        43,
        "another mail address",
        "different ids",
    ),
    (
        "customers:\n  c: { name: C, people: [{ id: x, mail: x@c.example, roles: [owner, notice] }] }",
        "HE030",
        2,
        69,
        "notice",
        "notices",
    ),
    (
        "customers:\n  c: { name: C, contract: { service: s, consent: silent }, people: [{ id: x, mail: x@c.example, roles: [owner, notices] }] }",
        "HE030",
        2,
        50,
        "silent",
        "tacit-5bd",
    ),
    (
        "people:\n  p: { name: P, mail: p@x.example, roles: [operater] }",
        "HE020",
        2,
        44,
        "no role `operater`",
        "did you mean `operator`?",
    ),
    (
        "connections:\n  c: { plugin: restik, url: \"https://a.example/\" }",
        "HE020",
        2,
        16,
        "no plugin `restik`",
        "did you mean `restic`?",
    ),
    (
        "connections:\n  c: { plugin: restic }",
        "HE040",
        2,
        3,
        "exactly one of",
        "keep the one",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", user: x }",
        "HE040",
        2,
        3,
        "exactly one of",
        "keep the one",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://u:p@a.example/\" }",
        "HE030",
        2,
        29,
        "names a user",
        "`auth`",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", key: file:x }",
        "HE030",
        2,
        56,
        "`key` has no meaning",
        "remove",
    ),
    (
        "connections:\n  c: { plugin: guest-linux, user: u }",
        "HE040",
        2,
        3,
        "no `key`",
        "file:",
    ),
    (
        "connections:\n  c: { plugin: guest-linux, user: u, key: hunter2 }",
        "HE030",
        2,
        43,
        "no reference to a secret",
        "file:",
    ),
    (
        "connections:\n  c: { plugin: guest-linux, user: u, key: file:k, jump: gone }",
        "HE020",
        2,
        57,
        "no asset `gone`",
        "assets",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", auth: { basic: { user: u, password: hunter2 } } }",
        "HE030",
        2,
        57,
        "`auth`",
        "file:",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", auth: { bsic: { user: u, password: \"file:p\" } } }",
        "HE003",
        2,
        59,
        "bsic",
        "did you mean `basic`?",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", auth: none, credential: file:x }",
        "HE011",
        2,
        57,
        "both",
        "keep one",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", limits: { at_once: 0 } }",
        "HE030",
        2,
        70,
        "out of range",
        "1 to",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", handles: { other: gone } }",
        "HE020",
        2,
        69,
        "no connection `gone`",
        "connections",
    ),
    (
        "connections:\n  c: { plugin: restic, url: \"https://a.example/\", auth: { session: { path: /s, user: u, password: \"file:p\", token_body: /t } } }",
        "HE030",
        2,
        57,
        "`send_as`",
        "examples",
    ),
    (
        "via: { guest: gone }",
        "HE020",
        1,
        15,
        "no connection `gone`",
        "connections",
    ),
    ("realm: other", "HE011", 1, 8, "two files", "keep one"),
    ("assets: [", "HE001", 1, 9, "", "examples"),
];

#[test]
fn every_fault_says_where_and_how_to_mend_it() {
    let mut wrong = Vec::new();
    for (text, code, line, column, message, remedy) in BROKEN {
        let Faults(faults) = based(text).expect_err(text);
        let fault = &faults[0];
        let place = (fault.code, fault.file.as_str(), fault.line, fault.column);
        let said = fault.message.contains(message) && fault.remedy.contains(remedy);
        if place != (*code, "more.yaml", *line, *column) || !said {
            wrong.push(format!(
                "{text}\n  wanted {code} {line}:{column} {message} / {remedy}\n  {fault}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_secret_written_in_place_of_its_reference_is_not_shown() {
    let text = "connections:\n  c: { plugin: restic, url: \"https://a.example/\", auth: { basic: { user: u, password: hunter2 } } }";
    assert!(!based(text).unwrap_err().to_string().contains("hunter2"));
}

#[test]
fn all_faults_are_told_at_once_and_their_number_is_bounded() {
    let Faults(two) =
        based("assets:\n  a: { customer: x1, kind: virtual }\n  b: { customer: chem, kind: y1 }")
            .unwrap_err();
    assert_eq!(
        two.iter()
            .map(|fault: &Fault| fault.line)
            .collect::<Vec<_>>(),
        [2, 3]
    );
    let many: String = (0..500)
        .map(|n| format!("  a{n}: {{ customer: gone, kind: virtual }}\n"))
        .collect();
    let Faults(bounded) = based(&format!("assets:\n{many}")).unwrap_err();
    assert_eq!(bounded.len(), 100);
}

#[test]
fn a_missing_file_is_a_fault_of_that_file() {
    let Faults(faults) =
        load(&["gone.yaml"], &|_| Err("not there".to_owned()), &known()).unwrap_err();
    assert_eq!(
        (faults[0].code, faults[0].file.as_str()),
        ("HE060", "gone.yaml")
    );
}

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

#[test]
fn the_practice_estate_has_forty_servers_of_six_customers_who_can_be_told() {
    let estate = practice::estate(4711, &known()).unwrap_or_else(|faults| panic!("{faults}"));
    let count = |selector: &str| estate.select(selector).unwrap().len();
    assert_eq!(
        (count("id=*"), count("service=co-managed patch=monthly")),
        (40, 40)
    );
    assert_eq!(
        (
            count("ring=canary"),
            count("ring=early"),
            count("ring=rest")
        ),
        (4, 8, 28)
    );
    assert_eq!(estate.customers().len(), 6);
    for customer in estate.customers() {
        let contacts = estate.contacts(&customer, "notices");
        assert_eq!(contacts.len(), 2, "{customer}");
        assert!(contacts.iter().all(|contact| {
            contact
                .mail
                .ends_with(&format!("@{customer}.practice.example"))
        }));
        assert!(
            !estate
                .people_with(&format!("owner-of:{customer}"))
                .is_empty()
        );
    }
    for role in Directory::roles(&estate).keys() {
        assert!(
            !estate.people_with(&format!("role:{role}")).is_empty(),
            "nobody is {role}"
        );
    }
    assert!(
        estate.people_with("role:change-board").len() >= 2,
        "a quorum of two"
    );
    for contract in [
        "guest-patch",
        "guest",
        "compute",
        "backup",
        "monitor",
        "practice",
        "vulnerability",
    ] {
        let route = estate.route(Some("chem-web1"), contract).unwrap();
        assert_eq!(route.connection, "practice", "{contract}");
    }
    let Reach::Http { url, .. } = &estate.connections["practice"].reach else {
        panic!("practice is spoken over http")
    };
    assert_eq!(url, "http://127.0.0.1:4711/");
}

#[test]
fn ten_thousand_assets_are_read_indexed_and_selected() {
    let mut text = String::from("assets:\n");
    for n in 0..10_000 {
        let ring = ["canary", "early", "rest"][n % 3];
        text.push_str(&format!(
            "  srv-{n:05}: {{ customer: chem, kind: virtual, os: debian-13, platform: vmware, parent: esx-{:02}, ring: {ring}, window: sun, exposure: campus, via: {{ compute: web, monitor: web }}, ref: {{ web: vm-{n} }}, address: 10.{}.{}.{} }}\n",
            n % 40, n / 65_536, n / 256 % 256, n % 256
        ));
    }
    let estate = based(&text).unwrap_or_else(|faults| panic!("{faults}"));
    assert_eq!(
        estate.select("ring=canary customer=chem").unwrap().len(),
        3334
    );
    let ids: Vec<String> = estate.select("id=*").unwrap();
    assert_eq!(
        estate.select(&format!("id={}", ids.join(","))).unwrap(),
        ids,
        "a list of all ids fits a filter"
    );
}
