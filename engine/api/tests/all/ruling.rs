//! Rules of inputs and of forms at their doors, and the reasons that a form wants.

use crate::deciding::{signs, turn};
use crate::support::{World, ask, definition, world_with};
use hostler_api::services::decide::{FormAsk, answer};
use hostler_api::services::outcome::Settled;
use hostler_api::services::planning::definition_blob;
use hostler_api::services::start::{preview, start};
use hostler_api::services::{rules, runs};
use hostler_api::{Code, Problem, read};
use hostler_core::command::{AskEntry, Entry, Input};
use hostler_core::definition::{Ask, OnDeny, OnExpire, Verb};
use hostler_core::id::LaneId;
use hostler_core::lane::{Clause, Must, PersonKind, Phase, Rules};
use serde_json::{Map, Value, json};

const RULED: &str = r#"
runbook: touch
version: 1
title: Touch servers
owner: tests
inputs:
  targets: { type: selector, default: "id=web1,web2", must: "${{ size(value) < 3 }}" }
  times: { type: integer, default: 1, label: How often, must: "${{ value < 5 }}" }
  agreed: { type: boolean, default: true, must: "${{ value || inputs.times == 1 }}" }
  ring: { type: string, required: false, must: "${{ inputs.targets.all(a, a.ring == value) }}" }
  share: { type: integer, required: false, must: "${{ 10 / value > 1 }}" }
policy: { class: standard-patch, start: [operator], four_eyes: true }
steps:
  - id: go
    ask:
      who: role:change-board
      form:
        many: { type: integer, label: How many, must: "${{ value <= inputs.times }}" }
        leave_out: { type: assets, required: false, from: inputs.targets, label: Not now, reason: required, must: "${{ value.all(a, a.customer == 'chemistry') }}" }
      expires: 5d
      on_expire: deny
"#;

#[tokio::test]
async fn inputs_that_break_a_rule_start_nothing_and_are_told_together_with_label_and_rule() {
    let world = world_with(RULED);
    let olga = world.subject("olga");
    let often = "times (How often) breaks its rule `value < 5`";
    let agreed = "agreed breaks its rule `value || inputs.times == 1`";
    let size = "targets breaks its rule `size(value) < 3`";
    for (inputs, told) in [
        (json!({ "times": 7 }), vec![often]),
        (json!({ "times": 7, "agreed": false }), vec![often, agreed]),
        (json!({ "targets": "customer=chemistry" }), vec![size]),
        // web2 is in no ring.
        (json!({ "ring": "canary" }), vec!["ring breaks its rule"]),
        // What cannot be computed does not hold.
        (
            json!({ "share": 0 }),
            vec!["share breaks its rule", "which cannot be computed"],
        ),
    ] {
        let problem = start(&world.api, &olga, ask(inputs.clone()), None).await;
        let problem = problem.unwrap_err();
        assert_eq!(problem.code, Code::InputInvalid, "{problem}");
        for part in told {
            assert!(problem.detail.contains(part), "{problem}");
        }
        let seen = preview(&world.api, &olga, ask(inputs)).await.unwrap_err();
        assert_eq!(seen.detail, problem.detail);
    }
    assert_eq!(world.api.store.counts().await.unwrap().ready, 0);
    let listed = runs::list(&world.api, &olga, "", 10, None).await.unwrap();
    assert!(listed.runs.is_empty(), "nothing is recorded");
    for inputs in [
        json!({ "times": 1, "agreed": false }),
        json!({ "ring": "canary", "targets": "id=web1" }),
    ] {
        start(&world.api, &olga, ask(inputs), None).await.unwrap();
    }
}

#[test]
fn another_rule_is_another_definition() {
    let other = definition(&RULED.replace("value < 5", "value < 6"));
    let mut own = definition(RULED);
    // The text differs, too: only what was compiled of it is compared.
    own.source = other.source;
    assert_ne!(definition_blob(&own).digest, definition_blob(&other).digest);
}

fn question(times: u32) -> Input {
    let definition = definition(RULED);
    let Verb::Ask(Ask { form, rules, .. }) = &definition.find(0, "go").unwrap().verb else {
        panic!("go asks")
    };
    let must = rules.must.iter().map(|(field, rule)| {
        let inputs = json!({ "times": times });
        let sees = match rule.sees[..] {
            [] => Map::new(),
            _ => Map::from_iter([("inputs".to_owned(), inputs)]),
        };
        let rule = rule.rule.clone();
        (field.clone(), Must { rule, sees })
    });
    Input::Enter(Entry::Person(Box::new(AskEntry {
        kind: PersonKind::Ask,
        title: "How many?".into(),
        clauses: vec![Clause {
            any_of: vec!["role:change-board".into()],
            at_least: 1,
        }],
        quorum: 1,
        form: form.clone(),
        shown: None,
        signs: signs(),
        excluded: Vec::new(),
        expires_ms: None,
        on_expire: OnExpire::Deny,
        on_deny: OnDeny::Stop,
        rules: Rules {
            must: must.collect(),
            ..Rules::default()
        },
        debt: None,
    })))
}

async fn asked() -> (World, LaneId) {
    let world = world_with(RULED);
    let run = world.started().await;
    let lane = turn(&world, vec![question(3)]).await;
    assert!(matches!(lane.phase, Phase::Person(_)), "{:?}", lane.phase);
    (world, run.root())
}

async fn answers(world: &World, lane: LaneId, given: Value) -> Result<Settled, Problem> {
    let ask = FormAsk {
        signs: signs(),
        answer: given,
    };
    answer(&world.api, &world.subject("carla"), lane, ask, None).await
}

#[tokio::test]
async fn an_answer_that_breaks_a_rule_or_lacks_its_reason_is_refused_by_name_and_never_sent() {
    let (world, lane) = asked().await;
    for (given, told) in [
        (
            json!({ "many": 4 }),
            "many (How many) breaks its rule `value <= inputs.times`",
        ),
        (
            json!({ "many": 1, "leave_out": ["nobody-knows"], "leave_out_reason": "x" }),
            "leave_out (Not now) breaks its rule",
        ),
        (
            json!({ "many": 1, "leave_out": ["web1"] }),
            "leave_out_reason",
        ),
        (
            json!({ "many": 1, "leave_out": ["web1"], "leave_out_reason": "  " }),
            "leave_out_reason",
        ),
        (
            json!({ "many": 1, "leave_out": ["web1"], "leave_out_reason": "x".repeat(2_001) }),
            "leave_out_reason",
        ),
    ] {
        let problem = answers(&world, lane, given).await.unwrap_err();
        assert_eq!(problem.code, Code::AnswerInvalid, "{problem}");
        assert!(problem.detail.contains(told), "{problem}");
    }
    let reading = read::lane(&world.api, lane).await.unwrap();
    assert!(reading.waiting.is_empty() && matches!(reading.lane.phase, Phase::Person(_)));
    let nothing = json!({ "many": 3, "leave_out": [] });
    rules::answer(&world.api, &reading, &nothing).await.unwrap();
}

#[tokio::test]
async fn the_reason_is_kept_with_the_answer() {
    let (world, lane) = asked().await;
    let given = json!({ "many": 3, "leave_out": ["web1"], "leave_out_reason": "exam week" });
    let (settled, after) = tokio::join!(
        answers(&world, lane, given.clone()),
        turn(&world, Vec::new())
    );
    assert_eq!(settled.unwrap(), Settled::Done);
    assert_eq!(after.results["go"].output, given);
}
