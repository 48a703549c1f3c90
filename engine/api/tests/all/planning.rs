//! What a plan has, and what it is refused for before the first step.

use crate::support::{RUNBOOK, ask, world, world_with};
use hostler_api::Code;
use hostler_api::services::start::preview;
use serde_json::json;

#[tokio::test]
async fn a_plan_pins_routes_plugins_and_limits() {
    let world = world();
    let plan = preview(
        &world.api,
        &world.subject("olga"),
        ask(json!({ "times": 3 })),
    )
    .await
    .unwrap();
    assert_eq!(plan.targets, ["web1", "web2"]);
    assert_eq!(
        plan.inputs,
        json!({ "targets": ["web1", "web2"], "times": 3 })
    );
    assert_eq!(plan.connections, [("one".to_owned(), 7)].into());
    assert_eq!(plan.plugins.keys().collect::<Vec<_>>(), ["practice"]);
    assert_eq!(plan.customers, [("chemistry".to_owned(), 2)].into());
    let waves: Vec<_> = plan
        .waves
        .iter()
        .map(|wave| (wave.wave.as_str(), wave.assets.clone()))
        .collect();
    assert_eq!(
        waves,
        [
            ("canary", vec!["web1".to_owned()]),
            ("rest", vec!["web2".to_owned()])
        ]
    );
}

#[tokio::test]
async fn a_plan_says_when_each_wave_opens_and_for_how_long_it_soaks() {
    let timed = RUNBOOK
        .replace(
            "ring=canary\" }",
            "ring=canary\", soak: 5d, opens: anchor + 0d }",
        )
        .replace(
            "{ wave: rest }",
            "{ wave: rest, opens: \"${{ inputs.others }}\" }",
        )
        .replace(
            "  times:",
            "  others: { type: duration, default: 3d }\n  times:",
        );
    let world = world_with(&timed);
    let wish = ask(json!({ "others": "9d" }));
    let plan = preview(&world.api, &world.subject("olga"), wish).await;
    let waves = plan.unwrap().waves;
    let terms: Vec<_> = waves.iter().map(|wave| wave.terms.to_string()).collect();
    assert_eq!(
        terms,
        ["opens at once, soaks 5d", "opens 9d after the start"]
    );
    let told = serde_json::to_value(&waves[1]).unwrap();
    assert_eq!(
        (&told["wave"], &told["opens"]),
        (&json!("rest"), &json!("9d"))
    );
    let plain = preview(
        &world_with(RUNBOOK).api,
        &world.subject("olga"),
        ask(json!({})),
    )
    .await;
    let plain = serde_json::to_value(&plain.unwrap().waves).unwrap();
    assert!(
        plain[1].get("opens").is_none() && plain[0].get("soak").is_none(),
        "{plain}"
    );
}

#[tokio::test]
async fn a_plan_says_which_customers_people_a_channel_does_not_reach() {
    let told = "      on_failure: stop\n    notices: { template: note, channels: all }\n";
    let runbook = RUNBOOK.replace("      on_failure: stop\n", told);
    let world = world_with(&runbook);
    let wish = ask(json!({}));
    let plan = preview(&world.api, &world.subject("olga"), wish).await;
    let told = plan.unwrap().told.into_iter();
    let told: Vec<_> = told
        .map(|it| (it.customer, it.channel, it.people, it.reached))
        .collect();
    let row = |channel: &str, reached| ("chemistry".to_owned(), channel.to_owned(), 1, reached);
    assert_eq!(told, [row("mail", 1), row("webhook", 0)]);
    let letters = preview(
        &world_with(RUNBOOK).api,
        &world.subject("olga"),
        ask(json!({})),
    )
    .await;
    assert!(letters.unwrap().told.is_empty());
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_its_code_with_a_remedy() {
    let world = world();
    let cases = [
        (
            json!({ "target": "id=web1" }),
            Code::InputInvalid,
            "did you mean targets?",
        ),
        (json!({ "times": "many" }), Code::InputInvalid, "times"),
        (
            json!({ "targets": "rng=canary" }),
            Code::InputInvalid,
            "targets",
        ),
        (
            json!({ "targets": "os=rhel-10" }),
            Code::NothingSelected,
            "widen",
        ),
        (json!({ "targets": ["web9"] }), Code::InputInvalid, "web9"),
        (json!({ "targets": "id=bare" }), Code::NoRoute, "via"),
        (
            json!({ "targets": "id=lost" }),
            Code::NoPlugin,
            "cargo xtask plugins",
        ),
        (json!([1]), Code::InputInvalid, "not an object"),
    ];
    for (inputs, code, part) in cases {
        let problem = preview(&world.api, &world.subject("olga"), ask(inputs.clone()))
            .await
            .unwrap_err();
        let text = format!(
            "{} {}",
            problem.detail,
            problem.remedy.clone().unwrap_or_default()
        );
        assert_eq!(problem.code, code, "{inputs}: {text}");
        assert!(text.contains(part), "{inputs}: {text}");
    }
}

#[tokio::test]
async fn all_faults_of_the_inputs_are_told_together() {
    let world = world();
    let inputs = json!({ "tims": 1, "times": "x" });
    let problem = preview(&world.api, &world.subject("olga"), ask(inputs))
        .await
        .unwrap_err();
    assert_eq!(
        problem.more["faults"].as_array().unwrap().len(),
        2,
        "{problem}"
    );
}

#[tokio::test]
async fn a_route_that_only_a_condition_needs_may_be_missing() {
    let conditional = RUNBOOK.replace("id: noop,", "id: noop, if: \"${{ inputs.times > 1 }}\",");
    let world = world_with(&conditional);
    let plan = preview(
        &world.api,
        &world.subject("olga"),
        ask(json!({ "targets": "id=bare,web1" })),
    )
    .await
    .unwrap();
    assert_eq!(plan.targets, ["bare", "web1"]);
}

#[tokio::test]
async fn a_version_with_faults_cannot_be_started_and_the_good_one_is_taken() {
    let world = world();
    let mut wish = ask(json!({}));
    assert_eq!(
        preview(&world.api, &world.subject("olga"), wish.clone())
            .await
            .unwrap()
            .version,
        1
    );
    wish.version = Some(2);
    let problem = preview(&world.api, &world.subject("olga"), wish.clone())
        .await
        .unwrap_err();
    assert_eq!(
        (
            problem.code,
            problem.more["faults"].as_array().unwrap().len()
        ),
        (Code::RunbookInvalid, 1)
    );
    wish.runbook = "tuch".into();
    let problem = preview(&world.api, &world.subject("olga"), wish)
        .await
        .unwrap_err();
    assert_eq!(
        (problem.code, problem.remedy.as_deref()),
        (Code::NotFound, Some("did you mean touch?"))
    );
}
