//! Facts about evaluation, each a row.

use super::super::parse::NotRead;
use super::super::{BUDGET, Why, parse};
use super::*;
use serde_json::json;

fn scope() -> Scope {
    let value = json!({
        "inputs": { "n": 3, "big": 9_007_199_254_740_993_i64, "soak": "5d", "empty": null },
        "steps": { "scan": { "state": "succeeded", "count": 0, "done": [{ "id": "web1", "ring": "canary" }, { "id": "web2", "ring": "rest" }],
                             "by": { "web1": { "set": "a=1>2" } } },
                   "triage": { "leave_out": ["web2"] } },
        "asset": { "id": "web1", "ring": "canary" },
        "now": "2026-03-06T15:00:00Z",
        "many": (0..2000).collect::<Vec<_>>(),
    });
    let serde_json::Value::Object(scope) = value else {
        unreachable!("it is an object")
    };
    scope
}

fn eval(text: &str) -> Result<Value, String> {
    let zone = TimeZone::get("America/Chicago").unwrap();
    Evaluator::new(zone)
        .evaluate(&Expression(text.to_owned()), &scope())
        .map_err(|failed| failed.why)
}

#[test]
fn expressions_give_these_values() {
    for (text, value) in [
        ("inputs.n", json!(3)),
        (" steps.scan.state ", json!("succeeded")),
        ("inputs.n * 2 + 1", json!(7)),
        ("inputs.n - 5", json!(-2)),
        ("inputs.big == 9007199254740993", json!(true)),
        ("inputs.n > 2.5", json!(true)),
        (
            "size(steps.scan.done) == 2 && steps.scan.count == 0",
            json!(true),
        ),
        (
            "steps.scan.done.filter(a, a.ring == 'canary').map(a, a.id)",
            json!(["web1"]),
        ),
        (
            "steps.scan.done.filter(a, !(a in steps.triage.leave_out)).map(a, a.id)",
            json!(["web1"]),
        ),
        ("steps.scan.by[asset.id].set", json!("a=1>2")),
        ("steps.scan.by[asset].set", json!("a=1>2")),
        ("has(steps.scan.set)", json!(false)),
        ("has(inputs.empty)", json!(false)),
        ("has(steps.scan.by)", json!(true)),
        ("'web1' in steps.scan.by", json!(true)),
        ("steps.scan.done[1].id", json!("web2")),
        ("steps.scan.done.exists(a, a.id == 'web2')", json!(true)),
        ("steps.scan.done.all(a, has(a.ring))", json!(true)),
        (
            "steps.scan.done.exists_one(a, a.ring == 'rest')",
            json!(true),
        ),
        (
            "{'a': inputs.n, 'b': [1, 'x']}",
            json!({"a": 3, "b": [1, "x"]}),
        ),
        ("inputs.n == 3 ? 'yes' : 'no'", json!("yes")),
        ("missing.thing || true", json!(true)),
        ("has(steps.never.set)", json!(false)),
        ("steps.never.state", json!("unreached")),
        ("steps.never.state == 'unreached'", json!(true)),
        ("asset in steps.scan.done", json!(true)),
        ("{'id': 'web1', 'set': 'x'} in steps.scan.done", json!(true)),
        ("{'id': 'web3'} in steps.scan.done", json!(false)),
        ("false && missing.thing", json!(false)),
        ("'id=' + asset.id", json!("id=web1")),
        ("days(5)", json!("5d")),
        ("duration('5d')", json!("5d")),
        ("timestamp(now) + days(5)", json!("2026-03-11T15:00:00Z")),
        ("now > timestamp('2026-03-06T14:00:00Z')", json!(true)),
        ("now < '2026-03-06T10:00:00-06:00'", json!(true)),
        // Friday plus one business day is Monday, at the same time of day over the change to summer time.
        ("timestamp(now) + bdays(1)", json!("2026-03-09T14:00:00Z")),
        ("timestamp(now) - bdays(1)", json!("2026-03-05T15:00:00Z")),
        ("endOfDay('2026-03-06')", json!("2026-03-07T06:00:00Z")),
        (
            "endOfDay('2026-03-06', 'UTC')",
            json!("2026-03-07T00:00:00Z"),
        ),
        ("daysBetween('2026-03-01', '2026-03-09')", json!(8)),
        ("string(inputs.n) + '!'", json!("3!")),
        ("'chem-web1'.startsWith('chem')", json!(true)),
        ("-inputs.n", json!(-3)),
        ("7 % 3", json!(1)),
        ("[1] + [2]", json!([1, 2])),
    ] {
        assert_eq!(eval(text), Ok(value), "{text}");
    }
}

#[test]
fn what_cannot_be_evaluated_says_why() {
    for (text, part) in [
        ("steps.nothing.done", "no `nothing`"),
        ("steps.scan.done.id", "a list has no field `id`"),
        ("inputs.n.x", "a number has no field"),
        ("1 / 0", "division by zero"),
        ("inputs.big * inputs.big", "out of range"),
        ("inputs.n && true", "true or false"),
        ("inputs.n < 'a'", "no order"),
        ("duration('5 days')", "no duration"),
        ("timestamp('2026-03-01')", "no instant"),
        ("endOfDay('2026-03-01', 'Mars/Olympus')", "no zone"),
        ("timestamp(now) + bdays(1000000)", "business days"),
        ("many.map(a, many.map(b, b))", "takes more than"),
        ("1 +", "unexpected end"),
    ] {
        let error = eval(text).expect_err(text);
        assert!(error.contains(part), "{text}: {error}");
    }
}

#[test]
fn work_is_counted_and_bounded() {
    let evaluator = Evaluator::default();
    let error = evaluator
        .evaluate(
            &Expression("many.all(a, many.all(b, a + b >= 0))".into()),
            &scope(),
        )
        .expect_err("two nested loops over 2,000");
    assert!(error.why.contains(&BUDGET.to_string()), "{error}");
}

#[test]
fn expressions_over_their_bounds_are_not_read() {
    let deep = format!("{}1{}", "(".repeat(40), ")".repeat(40));
    let long = format!("'{}'", "x".repeat(3_000));
    for (text, why) in [
        (deep.as_str(), Why::Bounds),
        (long.as_str(), Why::Bounds),
        ("many.map(a, many.map(b, many.map(c, c)))", Why::Bounds),
        ("many.map(a, many.map(b, b in many))", Why::Bounds),
        ("nonsense(1)", Why::Function),
        ("size(1, 2)", Why::Function),
        ("1u", Why::Syntax),
        ("b'x'", Why::Syntax),
        ("a ? b", Why::Syntax),
        ("has(1)", Why::Syntax),
        ("", Why::Syntax),
    ] {
        assert!(
            matches!(parse(text), Err(NotRead { why: found, .. }) if found == why),
            "{text}: {:?}",
            parse(text)
        );
    }
}

#[test]
fn the_cache_never_grows_beyond_two_generations() {
    let evaluator = Evaluator::default();
    for number in 0..(2 * GENERATION_MAX + 100) {
        let value = evaluator.evaluate(&Expression(format!("{number} + 1")), &scope());
        assert_eq!(value, Ok(json!(number + 1)));
        if number > 300 && number % 1_000 != 0 {
            continue;
        }
        let cache = evaluator.cache.lock().unwrap();
        assert!(cache.young.len() <= GENERATION_MAX && cache.old.len() <= GENERATION_MAX);
    }
    let cache = evaluator.cache.lock().unwrap();
    assert!(cache.young.len() <= GENERATION_MAX && cache.old.len() <= GENERATION_MAX);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]
    #[test]
    fn no_text_brings_the_reader_down(text in "[a-z0-9 .'\"()\\[\\]{}?:!&|<>=+*/%,_-]{0,60}") {
        let _ = eval(&text);
    }
}
