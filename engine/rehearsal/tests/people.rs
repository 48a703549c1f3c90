//! Questions of probe runbooks from their file to their end: ladders, terms, typed names, waivers, reminders,
//! business days; and the class of a step at its gate.
//!
//! Not here: every rule by itself (core's tests), and the runbooks that people use.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on says where it stopped"
)]

use crate::plain::Plain;
use hostler_api::catalogue::{RunbookRow, Runbooks};
use hostler_core::contract::Contract;
use hostler_core::definition::Definition;
use hostler_estate::{Estate, Known, policies};
use hostler_rehearsal::scaffold::{Case, crash_after_each_commit};
use hostler_rehearsal::{Outcome, Scenario, Stage, Trouble, play};
use hostler_runbook::{Environment, Evaluator, SourceFile};
use promised::promising;
use std::path::Path;
use std::sync::Arc;

#[path = "people/alternate.rs"]
mod alternate;
#[path = "people/calling.rs"]
mod calling;
#[path = "people/chosen.rs"]
mod chosen;
#[path = "people/offered.rs"]
mod offered;
#[path = "people/owned.rs"]
mod owned;
#[path = "common/plain.rs"]
mod plain;
#[path = "people/promised.rs"]
mod promised;
#[path = "people/returned.rs"]
mod returned;
#[path = "people/rolling.rs"]
mod rolling;
#[path = "people/ruled.rs"]
mod ruled;
#[path = "people/spent.rs"]
mod spent;
#[path = "people/told.rs"]
mod told;
#[path = "people/triggered.rs"]
mod triggered;
#[path = "people/turns.rs"]
mod turns;

struct Shelf(Vec<Arc<Definition>>);

impl Runbooks for Shelf {
    fn list(&self) -> Vec<RunbookRow> {
        let row = |definition: &Arc<Definition>| RunbookRow {
            name: definition.runbook.clone(),
            version: definition.version,
            title: definition.title.clone(),
            owner: definition.owner.clone(),
            released: false,
            source: Some(definition.source),
            faults: Vec::new(),
        };
        self.0.iter().map(row).collect()
    }

    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>> {
        let is = |found: &&Arc<Definition>| found.runbook == name && found.version == version;
        self.0.iter().find(is).cloned()
    }
}

fn text(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/people");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

fn contracts() -> Vec<Contract> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/contracts");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let contracts = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    contracts
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

fn estate() -> Estate {
    estate_with(|text| text)
}

fn estate_with(change: impl Fn(String) -> String) -> Estate {
    let read = |_: &str| Ok(change(text("estate.yaml")));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    estate.unwrap_or_else(|faults| panic!("{faults}"))
}

/// Of a notice what a check wants; what is sent is not rendered from it.
fn templates() -> std::collections::BTreeMap<String, String> {
    let stages = ["scheduled", "started", "completed", "cancelled"];
    let parts = stages.into_iter().flat_map(|stage| {
        ["subject", "text", "html"]
            .map(|part| (format!("work.{stage}.{part}.hbs"), "words".to_owned()))
    });
    parts.collect()
}

fn definition(name: &str, contracts: &[Contract]) -> Arc<Definition> {
    let source = SourceFile {
        name: format!("workflows/{name}/v1.yaml"),
        text: text(&format!("{name}.yaml")),
        templates: templates(),
    };
    let environment = Environment::default().with_contracts(contracts.to_vec());
    let checked = hostler_runbook::check(&source, &environment);
    Arc::new(
        checked
            .definition
            .unwrap_or_else(|| panic!("{:?}", checked.faults)),
    )
}

fn stage(estate: Estate) -> Stage {
    let contracts = contracts();
    let shelf = [
        "gate",
        "class",
        "duty",
        "told",
        "rolling",
        "chosen",
        "alternate",
    ]
    .map(|name| definition(name, &contracts));
    Stage {
        directory: Arc::new(estate),
        evaluate: Arc::new(Evaluator::new(jiff::tz::TimeZone::UTC)),
        runbooks: Arc::new(Shelf(shelf.to_vec())),
        compose: Arc::new(Plain),
        contracts: Arc::new(contracts),
    }
}

async fn played(estate: Estate, scenario: &str) -> Result<Outcome, Trouble> {
    play(&stage(estate), &Scenario::read(scenario).unwrap()).await
}

async fn as_expected(scenario: &str) -> Outcome {
    let outcome = played(promising(), scenario).await.unwrap();
    assert!(
        outcome.complaints.is_empty(),
        "{}: {:?}\n{}",
        outcome.ended.state,
        outcome.complaints,
        outcome.ledger.join("\n")
    );
    outcome
}

#[tokio::test]
async fn the_second_rung_decides_under_terms_with_a_typed_name_and_a_waiver() {
    let outcome = as_expected(
        r"
scenario: nobody of the board answers
runbook: gate
starter: olga
inputs: { name: web-01 }
people:
  - { step: gate, by: dan, yes: true, typed: web-01, refused: is not among those asked }
  - { step: gate, by: olga, yes: true, typed: web-01, refused: another person must decide }
  - { step: gate, by: dan, after: 16m, yes: true, typed: WEB-01, refused: must type back }
  - { step: gate, by: dan, yes: true, typed: web-01, waive: [approval], refused: cannot be waived }
  - { step: gate, by: dan, yes: true, typed: web-01, waive: [backup] }
  - { step: lessons, by: carla, after: 20h, answer: { note: none } }
expect:
  result: succeeded
  notices: { report: 2 }
  ledger: [rung 1 of 3, rung 2 of 3, '\u0022waive\u0022:[\u0022backup\u0022]', '\u0022waived\u0022:[\u0022backup\u0022]']
"
        .replace(r"\u0022", "\"")
        .as_str(),
    )
    .await;
    let reached_3 = outcome
        .ledger
        .iter()
        .any(|entry| entry.contains("rung 3 of 3"));
    assert!(!reached_3, "nobody else is asked once it is decided");
}

#[tokio::test]
async fn whatever_commit_is_lost_the_question_goes_on_and_is_settled() {
    let scenario = Scenario::read(
        "scenario: scaffold\nrunbook: gate\nstarter: olga\ninputs: { name: web-01 }\npeople: [{ step: gate, by: dan, after: 16m, yes: true, typed: web-01 }]\nexpect: { result: succeeded }\n",
    );
    let (stage, scenario) = (stage(promising()), scenario.unwrap());
    let cases = crash_after_each_commit(&stage, &scenario).await.unwrap();
    assert!(cases.len() > 4, "{}", cases.len());
    for Case { what, outcome } in cases {
        assert_eq!(outcome.ended.state, "succeeded", "{what}");
    }
}

#[tokio::test]
async fn the_end_of_the_ladder_denies_and_everybody_on_the_way_was_asked() {
    as_expected(
        r"
scenario: nobody answers at all
runbook: gate
starter: olga
inputs: { name: web-01 }
expect:
  result: expired
  notices: { report: 2 }
  ledger: [rung 1 of 3, rung 2 of 3, rung 3 of 3, expired]
",
    )
    .await;
}

#[tokio::test]
async fn a_question_to_staff_ends_after_business_days_of_the_realm() {
    let outcome = as_expected(
        r"
scenario: the lessons are never told
runbook: gate
starter: olga
inputs: { name: web-01 }
people: [{ step: gate, by: carla, yes: true, typed: web-01, waive: [backup] }]
expect: { result: expired }
",
    )
    .await;
    let asked = outcome
        .ledger
        .iter()
        .find(|entry| entry.contains("without a backup"))
        .unwrap();
    let asked: serde_json::Value = serde_json::from_str(asked).unwrap();
    let person = &asked["entry"]["person"];
    let ms = |name: &str| person[name].as_i64().unwrap();
    let estate = promising();
    let then =
        hostler_core::directory::Directory::business_days_after(&estate, None, 2, ms("asked_ms"));
    assert_eq!(Some(ms("expires_ms")), then);
}

#[tokio::test]
async fn a_run_whose_ladder_nobody_has_is_not_accepted() {
    let scenario = r"
scenario: no policies
runbook: gate
starter: olga
inputs: { name: web-01 }
expect: { result: succeeded }
";
    let refusal = played(estate(), scenario).await.unwrap_err().to_string();
    for part in [
        "gate needs the ladder `outage`",
        "no policies are configured",
        "[policies]",
    ] {
        assert!(refusal.contains(part), "{refusal}");
    }
}

fn grown(asset: &str, people: &str, result: &str) -> String {
    format!(
        "scenario: grow\nrunbook: duty\nstarter: olga\ninputs: {{ asset: {asset} }}\npeople: [{people}]\nexpect: {{ result: {result} }}\n"
    )
}

fn calls(outcome: &Outcome, action: &str) -> usize {
    let of = outcome.seen.iter().filter(|seen| seen.action == action);
    of.count()
}

#[tokio::test]
async fn a_change_that_the_customer_owes_is_handed_to_the_customer_and_the_run_goes_on_behind_it() {
    let people = "{ step: grow, by: carla, answer: { done: resize2fs }, refused: is not among those asked }, \
                  { step: grow, by: ada, after: 20h, answer: { done: resize2fs ran clean } }";
    let outcome = as_expected(&grown("web1", people, "succeeded")).await;
    assert_eq!(
        ["guest.fs-size", "guest.fs-grow", "guest.rescan"].map(|action| calls(&outcome, action)),
        [1, 0, 1],
        "what is read and what is ours is done by the platform"
    );
    let told = |part: &str| outcome.ledger.iter().any(|entry| entry.contains(part));
    assert!(told("Grow the filesystem on web1 is yours to do"));
    assert!(told("resize2fs ran clean"));
}

#[tokio::test]
async fn a_hand_off_that_nobody_takes_ends_with_the_time_of_its_class() {
    let outcome = as_expected(&grown("web1", "", "expired")).await;
    assert_eq!(calls(&outcome, "guest.fs-grow"), 0);
    let asked = outcome
        .ledger
        .iter()
        .find(|entry| entry.contains("yours to do"));
    let asked: serde_json::Value = serde_json::from_str(asked.unwrap()).unwrap();
    let person = &asked["entry"]["person"];
    let ms = |name: &str| person[name].as_i64().unwrap();
    let ten_days = hostler_core::directory::Directory::business_days_after(
        &promising(),
        Some("chem"),
        10,
        ms("asked_ms"),
    );
    assert_eq!(Some(ms("expires_ms")), ten_days);
}

#[tokio::test]
async fn a_run_with_a_change_that_nobody_does_is_not_accepted() {
    for (asset, parts) in [
        (
            "vault",
            ["vault is not done here", "Level 4 is not available"],
        ),
        ("win1", ["up to network", "nobody can be asked"]),
    ] {
        let refused = played(promising(), &grown(asset, "", "succeeded")).await;
        let refusal = refused.unwrap_err().to_string();
        for part in parts {
            assert!(refusal.contains(part), "{refusal}");
        }
    }
    // Without policies the platform does everything.
    let done = played(estate(), &grown("vault", "", "succeeded"))
        .await
        .unwrap();
    assert!(done.complaints.is_empty(), "{:?}", done.complaints);
}

async fn restarted(how: &str, result: &str) -> Outcome {
    let scenario = format!(
        "scenario: restart\nrunbook: class\nstarter: olga\ninputs: {{ asset: web1, how: {how} }}\nexpect: {{ result: {result} }}\n"
    );
    as_expected(&scenario).await
}

#[tokio::test]
async fn the_class_of_a_step_decides_at_its_gates() {
    let held = |outcome: &Outcome| {
        outcome
            .ledger
            .iter()
            .any(|entry| entry.contains("step_held"))
    };
    let planned = restarted("planned", "succeeded").await;
    assert!(held(&planned), "planned work waits for the window");
    let emergency = restarted("emergency", "succeeded").await;
    assert!(
        !held(&emergency),
        "an emergency does not, although the runbook is planned"
    );
}

#[tokio::test]
async fn a_computed_class_that_is_none_fails_the_step_with_a_reason() {
    let outcome = restarted("tomorrow", "failed").await;
    let why = outcome.ended.note.unwrap();
    assert!(why.contains("`tomorrow`, which is no class"), "{why}");
    assert!(why.contains("planned-high"), "{why}");
}
