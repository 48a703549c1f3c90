//! Policies from outside: the delivered set, faults with their place and remedy, the digest, defaults.

mod answers;
mod any_text;

use hostler_core::fit::Terms;
use hostler_estate::policies::{
    CLASSES, Consent, Duty, FILES, Freeze, Keep, Known, Policies, RingNotice, Span, StepUp,
    Unproven, Windows, load,
};
use hostler_estate::{Fault, Faults};
use std::collections::{BTreeMap, BTreeSet};

/// The delivered set, in the order of [`FILES`].
pub const EXAMPLES: [(&str, &str); 14] = [
    (
        "budgets.yaml",
        include_str!("../../../examples/policies/budgets.yaml"),
    ),
    (
        "classes.yaml",
        include_str!("../../../examples/policies/classes.yaml"),
    ),
    (
        "consent.yaml",
        include_str!("../../../examples/policies/consent.yaml"),
    ),
    (
        "deadlines.yaml",
        include_str!("../../../examples/policies/deadlines.yaml"),
    ),
    (
        "debts.yaml",
        include_str!("../../../examples/policies/debts.yaml"),
    ),
    (
        "deferrals.yaml",
        include_str!("../../../examples/policies/deferrals.yaml"),
    ),
    (
        "fit.yaml",
        include_str!("../../../examples/policies/fit.yaml"),
    ),
    (
        "ladders.yaml",
        include_str!("../../../examples/policies/ladders.yaml"),
    ),
    (
        "responsibilities.yaml",
        include_str!("../../../examples/policies/responsibilities.yaml"),
    ),
    (
        "retention.yaml",
        include_str!("../../../examples/policies/retention.yaml"),
    ),
    (
        "roles.yaml",
        include_str!("../../../examples/policies/roles.yaml"),
    ),
    (
        "spend.yaml",
        include_str!("../../../examples/policies/spend.yaml"),
    ),
    (
        "texts.yaml",
        include_str!("../../../examples/policies/texts.yaml"),
    ),
    (
        "triggers.yaml",
        include_str!("../../../examples/policies/triggers.yaml"),
    ),
];

/// Reads files of these names from a folder.
pub fn read(folder: &str, files: &[(&str, &str)], known: &Known) -> Result<Policies, Faults> {
    let texts: BTreeMap<String, &str> = files
        .iter()
        .map(|(name, text)| (format!("{folder}/{name}"), *text))
        .collect();
    let paths: Vec<String> = files
        .iter()
        .map(|(name, _)| format!("{folder}/{name}"))
        .collect();
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let text = |path: &str| {
        let text = texts.get(path).map(|text| (*text).to_owned());
        text.ok_or_else(|| "not there".to_owned())
    };
    load(&paths, &text, known)
}

fn names(words: &[&str]) -> Option<BTreeSet<String>> {
    Some(words.iter().map(|word| (*word).to_owned()).collect())
}

/// The people whom the delivered set names.
pub fn staff() -> Known {
    Known {
        people: names(&["carla", "olga", "paul", "sam", "sara", "conrad"]),
        roles: None,
        customers: names(&["chemistry", "physics"]),
    }
}

pub fn delivered() -> Policies {
    read("policies", &EXAMPLES, &staff()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[test]
fn the_delivered_set_is_sound_and_complete() {
    assert_eq!(EXAMPLES.map(|(name, _)| name), FILES);
    let read = delivered();
    let standard = read.class("standard-patch").unwrap();
    assert_eq!(standard.lead.to_string(), "7d");
    assert_eq!(standard.rings["canary"], RingNotice::Calendar);
    assert_eq!(
        read.class("planned-high").unwrap().remind,
        [Span::BusinessDays(5), Span::Elapsed(172_800_000)]
    );
    let emergency = read.class("emergency").unwrap();
    assert_eq!((emergency.quorum, emergency.floor_ms), (2, 3_600_000));
    assert_eq!(
        (emergency.freeze, emergency.windows),
        (Freeze::Passes, Windows::Free)
    );
    assert_eq!(emergency.unproven, Unproven::Debt);
    assert_eq!(emergency.step_up, StepUp::Totp);
    assert_eq!(standard.step_up, StepUp::None);
    assert_eq!(read.ladders["emergency"].rungs.len(), 4);
    assert_eq!(read.spend.limits["dean_cents"], 2_500_000);
    assert_eq!(read.deadlines["high"].class, "standard-patch");
    let silence = Consent::Tacit { business_days: 5 };
    assert_eq!(read.consent("planned"), Some(silence));
    assert_eq!(read.retention["ledger"], Keep::Forever);
    assert!(read.text("ownership").unwrap().contains("paid for before"));
}

#[test]
fn the_delivered_set_shows_every_field_of_the_format() {
    let all: String = EXAMPLES.iter().map(|(_, text)| *text).collect();
    let shown = |name: &str| {
        let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
        let key = format!("{name}:");
        all.match_indices(&key)
            .any(|(at, _)| !all[..at].ends_with(is_word))
    };
    let mut fields = 0;
    for line in include_str!("../../../src/policies/file.rs").lines() {
        let field = line.trim().strip_prefix("pub ");
        if let Some((name, _)) = field.and_then(|rest| rest.split_once(':')) {
            assert!(shown(name), "not in examples/policies: {name}");
            fields += 1;
        }
    }
    assert!(fields > 50, "the shapes were read: {fields}");
}

/// One case of `faults.yaml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Broken {
    file: String,
    text: String,
    #[serde(default)]
    beside: BTreeMap<String, String>,
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

impl Expected {
    fn is(&self, fault: &Fault, file: &str) -> bool {
        let place = (fault.code, fault.file.as_str(), fault.line, fault.column);
        place == (&self.code, &format!("etc/{file}"), self.line, self.column)
            && fault.message.contains(&self.message)
            && fault.remedy.contains(&self.remedy)
    }
}

fn cases() -> Vec<Broken> {
    serde_saphyr::from_str(include_str!("faults.yaml")).unwrap()
}

impl Broken {
    /// What is found instead of the one fault.
    fn wrong(&self, known: &Known) -> Option<String> {
        let beside = self.beside.iter();
        let beside = beside.map(|(name, text)| (name.as_str(), text.as_str()));
        let files: Vec<(&str, &str)> = beside.chain([(&*self.file, &*self.text)]).collect();
        match read("etc", &files, known) {
            Err(Faults(one)) if one.len() == 1 && self.fault.is(&one[0], &self.file) => None,
            Err(faults) => Some(format!("{}\n{faults}\n", self.text)),
            Ok(_) => Some(format!("{}\n  is taken for good\n", self.text)),
        }
    }
}

#[test]
fn every_fault_of_a_policy_says_where_and_how_to_mend_it_and_comes_alone() {
    let known = Known {
        people: names(&["ada", "bo", "cy"]),
        roles: None,
        customers: names(&["chemistry", "physics"]),
    };
    let cases = cases();
    assert!(cases.len() > 90, "{}", cases.len());
    let wrong: Vec<String> = cases.iter().filter_map(|case| case.wrong(&known)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_check_across_values_has_a_case() {
    let cases = cases();
    let codes: BTreeSet<&str> = cases.iter().map(|case| case.fault.code.as_str()).collect();
    for number in 101..=113 {
        let code = format!("HP{number}");
        assert!(codes.contains(code.as_str()), "no case of {code}");
    }
}

#[test]
fn other_files_are_refused_by_name() {
    let fault = |name: &str| {
        let Faults(faults) = read("etc", &[(name, "")], &Known::default()).unwrap_err();
        (faults[0].code, faults[0].remedy.clone())
    };
    let near = "did you mean `classes.yaml`?".to_owned();
    assert_eq!(fault("clases.yaml"), ("HP020", near));
    assert!(fault("README.md").1.contains("there are: budgets.yaml"));
}

#[test]
fn a_file_that_is_missing_too_long_or_there_twice_is_a_fault() {
    let code = |paths: &[&str], text: Result<String, String>| {
        let Faults(faults) = load(paths, &|_| text.clone(), &Known::default()).unwrap_err();
        faults[0].code
    };
    assert_eq!(code(&["a/fit.yaml"], Err("gone".to_owned())), "HP060");
    assert_eq!(
        code(&["a/fit.yaml", "b/fit.yaml"], Ok(String::new())),
        "HP011"
    );
    let long = "#".repeat(256 * 1024 + 1);
    assert_eq!(code(&["a/fit.yaml"], Ok(long)), "HP050");
}

#[test]
fn all_faults_of_all_files_are_told_at_once() {
    let files = [
        (
            "consent.yaml",
            "consent: { planned: maybe, request: perhaps }",
        ),
        ("fit.yaml", "fit: { default: soon }"),
    ];
    let Faults(faults) = read("etc", &files, &Known::default()).unwrap_err();
    assert_eq!(faults.len(), 3, "{}", Faults(faults));
}

#[test]
fn a_file_that_cannot_be_read_hides_no_faults_and_makes_none() {
    let files = [
        (
            "classes.yaml",
            "classes:\n  planned: { ladder: change, quorum: 99 }",
        ),
        ("ladders.yaml", "ladders: ["),
        ("roles.yaml", "rolls: {}"),
        (
            "deferrals.yaml",
            "deferrals: { planned: { times: 1, until: 1d, longest: 7d } }",
        ),
    ];
    let Faults(faults) = read("etc", &files, &Known::default()).unwrap_err();
    let found: Vec<_> = faults
        .iter()
        .map(|fault| (fault.code, &*fault.file))
        .collect();
    let expected = [
        ("HP001", "etc/ladders.yaml"),
        ("HP002", "etc/roles.yaml"),
        ("HP030", "etc/classes.yaml"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn without_files_the_defaults_hold() {
    let none = read("etc", &[], &Known::default()).unwrap();
    assert_eq!(none.digest(), Policies::default().digest());
    assert_eq!(none.classes.len(), CLASSES.len());
    assert_eq!(none.class("planned").unwrap().lead, Span::BusinessDays(5));
    assert_eq!(none.consent("planned"), None);
    assert_eq!(none.consent("emergency"), Some(Consent::NotifyOnly));
    assert_eq!(
        none.duty("guest.reboot", &Default::default()).duty,
        Duty::Platform
    );
    assert_eq!(none.fit("guest.reboot"), Terms::default());
    assert_eq!(none.verb_ms("approve"), None);
    assert!(none.deferrals.is_empty() && none.triggers.is_empty());
    let all = |class: &hostler_estate::policies::Class| {
        class
            .remind
            .iter()
            .all(|remind| remind.shorter_than(class.lead))
    };
    assert!(
        none.classes.values().all(all),
        "a reminder lies before its lead"
    );
}

#[test]
fn a_class_keeps_what_its_file_leaves_out() {
    let text = "classes:\n  standard-patch: { lead: 24h }\n  expedited: { lead: 30m }";
    let read = read("etc", &[("classes.yaml", text)], &Known::default()).unwrap();
    let class = read.class("standard-patch").unwrap();
    assert_eq!(class.expires, Span::BusinessDays(3));
    assert!(
        class.remind.is_empty(),
        "48h before does not go with a lead of 24h"
    );
    assert_eq!(read.class("expedited").unwrap().floor_ms, 1_800_000);
}

#[test]
fn the_digest_is_of_names_and_bytes_and_not_of_folders_and_order() {
    let files = [("fit.yaml", "fit: {}"), ("consent.yaml", "consent: {}")];
    let digest = |folder: &str, files: &[(&str, &str)]| {
        read(folder, files, &Known::default()).unwrap().digest()
    };
    let first = digest("etc", &files);
    assert_eq!(first, digest("a/b", &[files[1], files[0]]));
    assert_ne!(first, digest("etc", &[("fit.yaml", "fit: {} "), files[1]]));
    assert_ne!(first, digest("etc", &files[..1]));
    assert_ne!(
        digest("etc", &[("fit.yaml", "")]),
        digest("etc", &[("spend.yaml", "")])
    );
}
