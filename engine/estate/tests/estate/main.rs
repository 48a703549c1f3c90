//! The estate from outside: examples, faults with their place and remedy, filters, ways and people.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

mod answers;
mod fit;
mod owning;
mod policies;
mod schedules;

use hostler_core::directory::{Auth, Directory, Reach};
use hostler_estate::{Estate, Fault, Faults, Known, load, practice};
use std::collections::{BTreeMap, BTreeSet};

const EXAMPLE: &str = include_str!("../../examples/estate.yaml");
const EXAMPLE_PEOPLE: &str = include_str!("../../examples/people.yaml");
const EXAMPLE_CALENDAR: &str = include_str!("../../examples/calendars/campus.ics");
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
            "datacentre",
            "dns",
            "estate",
            "ipam",
            "purchase",
            "secret",
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
    for line in include_str!("../../src/file.rs").lines().map(str::trim) {
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

/// One case of `faults.yaml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    text: String,
    fault: Expected,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    code: String,
    line: u32,
    column: u32,
    message: String,
    remedy: String,
}

#[test]
fn every_fault_says_where_and_how_to_mend_it() {
    let cases: Vec<Broken> = serde_saphyr::from_str(include_str!("faults.yaml")).unwrap();
    assert!(cases.len() > 60);
    let mut wrong = Vec::new();
    for Broken {
        text,
        fault: expected,
    } in cases
    {
        let Faults(faults) = based(&text).expect_err(&text);
        let fault = &faults[0];
        let place = (fault.code, fault.file.as_str(), fault.line, fault.column);
        let fits = place
            == (
                expected.code.as_str(),
                "more.yaml",
                expected.line,
                expected.column,
            );
        if !fits
            || !fault.message.contains(&expected.message)
            || !fault.remedy.contains(&expected.remedy)
        {
            wrong.push(format!("{text}\n  {fault}\n"));
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
fn a_holiday_that_cannot_be_read_is_not_left_out_in_silence() {
    let more =
        "calendars:\n  c: { business_days: mon-fri, hours: \"08:00-17:00\", file: weekly.ics }";
    let weekly = EXAMPLE_CALENDAR.replace("20261126", "20261126\nRRULE:FREQ=WEEKLY");
    let files = [
        ("base.yaml", BASE),
        ("more.yaml", more),
        ("weekly.ics", &weekly),
    ];
    let Faults(faults) = read(&files, &known()).unwrap_err();
    let told = faults[0].to_string();
    assert!(
        told.contains("line 4: `Thanksgiving` repeats by `FREQ=WEEKLY`"),
        "{told}"
    );
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

#[test]
fn the_practice_estate_has_forty_servers_of_six_customers_who_can_be_told() {
    let estate = practice::estate(4711, &known()).unwrap_or_else(|faults| panic!("{faults}"));
    let count = |selector: &str| estate.select(selector).unwrap().len();
    assert_eq!(
        (count("id=*"), count("service=co-managed patch=monthly")),
        (45, 40)
    );
    // Servers to come have a record, and are in no cycle yet.
    assert_eq!(count("state=planned"), 5);
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
