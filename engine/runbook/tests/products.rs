//! What is made of a runbook: the definition, the lock, pictures, renderings, the editor's schema.

use crate::common::{environment, root, source};
use hostler_core::definition::{OnFailure, Ramp, Spawn, Verb};
use hostler_core::expression::{Dynamic, Evaluate, Expression};
use hostler_runbook::release::{ReleaseRefused, Releases, Standing};
use hostler_runbook::{Evaluator, SourceFile, check, graph, render, schema};

fn monthly() -> SourceFile {
    source(
        &root().join("workflows/monthly-patch/v1.yaml"),
        "workflows/monthly-patch/v1.yaml",
    )
}

fn broken() -> SourceFile {
    let mut source = monthly();
    source.text = source.text.replace("timeout: 90m", "timeout: 90 minutes");
    source
}

fn definition() -> hostler_core::definition::Definition {
    check(&monthly(), &environment()).definition.unwrap()
}

#[test]
fn bodies_become_programs_and_the_way_back_gets_its_inputs() {
    let definition = definition();
    let patch = definition.programs[0]
        .steps
        .iter()
        .find(|step| &*step.id == "patch")
        .unwrap();
    let Verb::Spawn(Spawn::Each(each)) = &patch.verb else {
        panic!("patch is an each")
    };
    assert_eq!(each.at_once.ramp, Ramp::Stages(vec![1, 2, 4, 10]));
    assert_eq!(
        each.waves
            .iter()
            .map(|wave| wave.name.as_str())
            .collect::<Vec<_>>(),
        ["canary", "early", "rest"]
    );
    let body = definition.program(each.body).unwrap();
    assert_eq!(body.binds.as_deref(), Some("asset"));
    let step = |id: &str| body.steps.iter().find(|step| &*step.id == id).unwrap();
    let install = step("install");
    assert_eq!(install.on_failure, OnFailure::Undo);
    assert_eq!(install.undo.len(), 2);
    let Verb::Do(undo) = &install.undo[0].verb else {
        panic!("the way back is an action")
    };
    let Dynamic::Map(inputs) = &undo.with else {
        panic!("inputs are a map")
    };
    assert_eq!(
        inputs.get("set"),
        Some(&Dynamic::Expression(Expression(
            "steps.set.by[asset.id].set".into()
        ))),
        "from the step's own input"
    );
    let Verb::Do(loud) = &step("quiet").undo[0].verb else {
        panic!("the way back is an action")
    };
    let Dynamic::Map(inputs) = &loud.with else {
        panic!("inputs are a map")
    };
    assert_eq!(
        inputs.get("silence"),
        Some(&Dynamic::Expression(Expression(
            "steps.quiet.silence".into()
        ))),
        "from the step's output"
    );
    let lease = step("snapshot").lease.as_ref().unwrap();
    assert_eq!(lease.end.action.action, "compute.snapshot-delete");
    assert!(
        definition
            .templates
            .contains_key("maintenance.scheduled.subject")
    );
    let text = serde_json::to_string(&definition).unwrap();
    let back: hostler_core::definition::Definition = serde_json::from_str(&text).unwrap();
    assert_eq!(back, definition, "a definition survives its serialisation");
}

#[test]
fn all_expressions_of_a_definition_can_be_evaluated_where_their_values_are() {
    let scope = serde_json::json!({
        "inputs": { "targets": ["web1", "web2"], "soak": "2s", "soak_early": "2s", "reboot": "never" },
        "steps": {
            "scan": { "done": [{ "id": "web1" }, { "id": "web2" }], "failed": [], "by": { "web1": { "set": "a=1>2" } } },
            "triage": { "leave_out": ["web2"], "exclude": [] },
            "set": { "done": [{ "id": "web1" }], "by": { "web1": { "set": "a=1>2" } } },
            "look": { "count": 3 }, "fix": { "count": 1 },
        },
        "asset": { "id": "web1", "name": "web1", "via": { "monitor": "m" }, "can": { "snapshot": null } },
        "wave": { "failed": 1 },
    });
    let serde_json::Value::Object(scope) = scope else {
        panic!("it is an object")
    };
    for (text, value) in [
        (
            "steps.scan.done.filter(a, !(has(steps.triage.leave_out) && a in steps.triage.leave_out))",
            serde_json::json!([{ "id": "web1" }]),
        ),
        ("'monitor' in asset.via", serde_json::json!(true)),
        ("'backup' in asset.via", serde_json::json!(false)),
        ("asset.can.snapshot == true", serde_json::json!(false)),
        (
            "size(steps.scan.done) == 0 && size(steps.scan.failed) == 0",
            serde_json::json!(false),
        ),
        ("steps.set.by[asset.id].set", serde_json::json!("a=1>2")),
        ("wave.failed > 0", serde_json::json!(true)),
    ] {
        assert!(
            monthly().text.contains(text),
            "the runbook does not say {text} any more"
        );
        assert_eq!(
            Evaluator::default().evaluate(&Expression(text.into()), &scope),
            Ok(value),
            "{text}"
        );
    }
}

#[test]
fn released_bytes_never_change() {
    let env = environment();
    let mut releases = Releases::parse("# empty\n").unwrap();
    assert_eq!(releases.standing(&definition()), Ok(Standing::Draft));
    let digest = releases.release(&monthly(), &env).unwrap();
    assert_eq!(
        releases.release(&monthly(), &env),
        Ok(digest),
        "again is nothing new"
    );
    let read = Releases::parse(&releases.write()).unwrap();
    assert_eq!(read, releases);
    assert_eq!(read.newest("monthly-patch"), Some(1));
    assert_eq!(read.standing(&definition()), Ok(Standing::Released));
    for change in ["text", "template"] {
        let mut changed = monthly();
        if change == "text" {
            changed.text.push_str("# one byte more\n");
        } else {
            changed
                .templates
                .get_mut("maintenance.scheduled.text.hbs")
                .unwrap()
                .push('!');
        }
        let refused = releases.release(&changed, &env);
        assert!(
            matches!(&refused, Err(ReleaseRefused::Changed { version: 1, .. })),
            "{change}: {refused:?}"
        );
        assert!(
            refused.unwrap_err().to_string().contains("v2"),
            "the remedy names the next version"
        );
    }
}

#[test]
fn a_runbook_with_faults_is_not_released_and_a_damaged_lock_is_not_read() {
    let mut releases = Releases::default();
    assert!(
        matches!(releases.release(&broken(), &environment()), Err(ReleaseRefused::Faulty { faults, .. }) if !faults.is_empty())
    );
    for text in [
        "monthly-patch@1 sha256:12",
        "monthly-patch v1 sha256:00",
        "monthly-patch@1",
        "a@1 sha256:00 more",
    ] {
        assert!(
            matches!(
                Releases::parse(text),
                Err(ReleaseRefused::Unreadable { line: 1, .. })
            ),
            "{text}"
        );
    }
}

#[test]
fn faults_are_shown_as_a_frame_as_json_and_as_annotations() {
    let source = broken();
    let checked = check(&source, &environment());
    assert!(checked.definition.is_none());
    let fault = checked.faults.first().unwrap();
    let frame = render::frame(&source, &checked.faults);
    for part in [
        "HR016",
        "90 minutes",
        "v1.yaml",
        "number and a unit",
        &format!("{}:{}", fault.line, fault.column),
    ] {
        assert!(frame.contains(part), "{part} is missing in\n{frame}");
    }
    let json = render::json(&checked.faults);
    assert_eq!(json["faults"][0]["code"], "HR016");
    assert_eq!(json["faults"][0]["line"], fault.line);
    let annotation = render::github(&checked.faults);
    assert!(
        annotation.starts_with(&format!(
            "::error file=workflows/monthly-patch/v1.yaml,line={},col={},title=HR016::",
            fault.line, fault.column
        )),
        "{annotation}"
    );
    assert_eq!(annotation.lines().count(), checked.faults.len());
}

#[test]
fn the_pictures_show_every_step() {
    let definition = definition();
    let (tree, dot) = (graph::tree(&definition), graph::dot(&definition));
    for program in &definition.programs {
        for step in program.steps.iter().chain(&program.always) {
            assert!(
                tree.contains(&format!("{}: ", step.id)),
                "{} is missing in\n{tree}",
                step.id
            );
            assert!(
                dot.contains(&format!("\"{}\\n", step.id)),
                "{} is missing in\n{dot}",
                step.id
            );
        }
    }
    let waves = "waves canary (opens inputs.canaries, soaks inputs.soak) → early (opens inputs.early, soaks inputs.soak_early) → rest (opens inputs.others)";
    let second = source(
        &root().join("workflows/monthly-patch/v2.yaml"),
        "workflows/monthly-patch/v2.yaml",
    );
    let second = graph::tree(&check(&second, &environment()).definition.unwrap());
    assert!(second.contains(waves), "{second}");
    assert_eq!(dot.matches('{').count(), dot.matches('}').count());
}

#[test]
fn the_editors_schema_takes_what_is_delivered_and_underlines_slips() {
    let schema = schema::editor(&environment());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let good = hostler_runbook::plain_json(&monthly()).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&good)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    for (from, to) in [
        ("do: guest-patch.apply", "do: guest-patch.aply"),
        ("timeout: 90m", "timout: 90m"),
        ("with: { max_age: 24h }", "with: { age: 24h }"),
        ("on_failure: hold", "on_failure: holt"),
    ] {
        let mut source = monthly();
        assert!(source.text.contains(from));
        source.text = source.text.replace(from, to);
        let value = hostler_runbook::plain_json(&source).unwrap();
        assert!(!validator.is_valid(&value), "{to} is not underlined");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(120))]
    /// Whatever a slip of the hand makes of a runbook: faults come back, never a crash, and a
    /// definition only where no error is left.
    #[test]
    fn no_slip_of_the_hand_brings_the_check_down(at in 0.0..1.0_f64, cut in 0_usize..40, put in "[a-z:{}\\[\\]\"'$#&*!|>%@ \n-]{0,6}") {
        let mut source = monthly();
        let length = source.text.len();
        let mut start = ((length as f64) * at) as usize;
        while !source.text.is_char_boundary(start) {
            start -= 1;
        }
        let mut end = (start + cut).min(length);
        while !source.text.is_char_boundary(end) {
            end += 1;
        }
        source.text.replace_range(start..end, &put);
        let checked = check(&source, &environment());
        let errors = checked.faults.iter().any(|fault| fault.severity == hostler_runbook::Severity::Error);
        proptest::prop_assert_eq!(checked.definition.is_none(), errors);
        proptest::prop_assert!(checked.faults.iter().all(|fault| fault.line >= 1 && fault.column >= 1 && !fault.remedy.is_empty()));
        proptest::prop_assert!(!errors || !render::frame(&source, &checked.faults).is_empty());
    }
}

#[test]
fn a_file_over_its_limit_is_not_read() {
    let mut source = monthly();
    source.text.push_str(&"# more\n".repeat(40_000));
    let checked = check(&source, &environment());
    assert_eq!(
        checked
            .faults
            .iter()
            .map(|fault| fault.code)
            .collect::<Vec<_>>(),
        ["HR001"]
    );
    assert!(checked.definition.is_none());
}
