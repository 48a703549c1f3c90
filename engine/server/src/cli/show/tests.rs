//! What is said of plans and runs, as lines. Not here: what they are made of.

use super::*;
use serde_json::json;

#[test]
fn a_plan_says_of_each_wave_when_it_opens_and_soaks_and_what_customers_may_put_off() {
    let wave = |name: &str, terms: Value| {
        let mut wave = json!({ "step": "patch", "wave": name, "assets": ["web1"], "gate": false });
        let terms = terms.as_object().cloned().unwrap_or_default();
        wave.as_object_mut().unwrap().extend(terms);
        wave
    };
    let waves = [
        wave("canary", json!({ "opens": "0d", "soak": "5d" })),
        wave("early", json!({ "opens": "9d" })),
        wave("rest", json!({})),
    ];
    let view: PlanView = serde_json::from_value(json!({
        "digest": "0".repeat(64), "runbook": "patch", "version": 1, "title": "Patch",
        "inputs": {}, "targets": [], "customers": {}, "waves": waves, "steps": [],
        "connections": {}, "plugins": {},
        "defers": [
            { "customer": "chem", "terms": { "left": 1, "times": 2, "until_ms": 172_800_000, "longest_ms": 1_209_600_000 } },
            { "customer": "law" },
        ],
    }))
    .unwrap();
    let text = plan(&view);
    let defers: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("defers"))
        .collect();
    assert_eq!(
        defers,
        [
            "  defers  chem: 1 of 2 times left in this quarter, until 2d before the slot, by 14d at most",
            "  defers  law: nothing, for nothing was agreed",
        ]
    );
    let (_, waves) = text
        .split_once("waves, if every server takes part:\n")
        .unwrap();
    let lines: Vec<&str> = waves.lines().collect();
    assert_eq!(
        lines,
        [
            "  canary      1  web1  opens at once, soaks 5d",
            "  early       1  web1  opens 9d after the start",
            "  rest        1  web1",
        ]
    );
}

#[test]
fn a_run_says_until_when_it_waits_and_which_waves_are_ahead() {
    let opens_ms = 1_796_083_200_000_i64;
    let row: ChildrenRow = serde_json::from_value(json!({
        "total": 3, "live": 0, "ended": 1, "failed": 0, "wave": "early", "opens_ms": opens_ms,
        "ahead": [
            { "wave": "next", "items": 1, "opens_ms": opens_ms, "soak_ms": 43_200_000 },
            { "wave": "rest", "items": 2 },
        ],
    }))
    .unwrap();
    let opens = times::local(opens_ms);
    let says = format!("1 of 3 ended, 0 live, 0 failed, wave early, opens {opens}");
    assert_eq!(children(&row), says);
    let ahead: Vec<String> = row.ahead.iter().map(wave_ahead).collect();
    assert_eq!(
        ahead,
        [
            format!("wave next (1): opens {opens}, soaks 12h"),
            "wave rest (2): opens when the wave before it is over".to_owned(),
        ]
    );
}

#[test]
fn a_run_says_who_was_told_instead_of_those_who_are_not_reached() {
    let at_ms = 1_796_083_200_000_i64;
    let at = times::local(at_ms);
    let line = |to: Value| {
        let told = json!({ "customer": "chem", "to": to, "at_ms": at_ms });
        crate::cli::notice::instead(&serde_json::from_value(told).unwrap())
    };
    let nobody = "nobody who has the notices was reached";
    assert_eq!(
        line(json!(["bob", "cleo"])),
        format!("chem: bob, cleo told at {at}, for {nobody}")
    );
    assert_eq!(
        line(json!([])),
        format!("chem: {nobody}, nor any alternate contact, at {at}")
    );
}

#[test]
fn a_run_says_who_agreed_who_objects_and_for_whom_it_waits() {
    let at_ms = 1_796_083_200_000_i64;
    let at = times::local(at_ms);
    let said = |agrees: bool, reason: Option<&str>| {
        let consent = json!({ "customer": "chem", "agrees": agrees, "by": "olga", "word_of": "ada", "reason": reason });
        json!({ "consent": consent, "at_ms": at_ms })
    };
    let line = |mut view: Value, now_ms: i64| {
        view["customer"] = Value::from("chem");
        let view: ConsentView = serde_json::from_value(view).unwrap();
        consent_line(&view, now_ms)
    };
    let explicit = json!({ "rule": "explicit by the contract of chem", "needs_yes": true });
    let tacit = |silent_ms: Option<i64>, needs_yes: bool| {
        json!({
            "rule": "tacit-5bd by the contract of chem", "by_silence": true,
            "silent_ms": silent_ms, "needs_yes": needs_yes,
        })
    };
    let says = |text: &str| format!("chem: {text}");
    let of_tacit = |text: &str| says(&format!("{text} (tacit-5bd by the contract of chem)"));
    let cases = [
        (
            explicit,
            says("nobody has agreed yet (explicit by the contract of chem)"),
        ),
        (
            json!({ "said": said(true, None) }),
            says(&format!("olga (on the word of ada) agrees since {at}")),
        ),
        (
            json!({ "said": said(false, Some("the term ends")) }),
            says(&format!(
                "olga (on the word of ada) objects since {at}: the term ends; what has not begun is held"
            )),
        ),
        (
            tacit(None, false),
            of_tacit("nobody is known to have the notice yet"),
        ),
        (
            tacit(Some(at_ms), false),
            of_tacit(&format!("silence agrees since {at}")),
        ),
        (
            tacit(Some(at_ms), true),
            of_tacit(&format!(
                "silence agrees since {at}, what no notice tells of waits for a yes"
            )),
        ),
    ];
    for (view, expected) in cases {
        assert_eq!(line(view, at_ms), expected);
    }
    assert_eq!(
        line(tacit(Some(at_ms), false), at_ms - 1),
        of_tacit(&format!("silence agrees at {at}"))
    );
}
