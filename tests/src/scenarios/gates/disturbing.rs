//! Steps that disturb, and what is changed for them just before, as the definitions of the runbooks say.
//!
//! Not here: which gates hold them.

use hostler_core::contract::Impact;
use hostler_core::definition::{Program, Verb};
use hostler_rehearsal::Stage;
use std::collections::BTreeMap;

/// A step that disturbs, or is done for one just before.
#[derive(Clone, Debug)]
pub struct Disturbing {
    pub class: String,
    /// Its customers are told before it.
    pub announced: bool,
}

pub type Steps = BTreeMap<(String, String), Disturbing>;

/// Steps of all runbooks, by runbook and id.
pub fn disturbing(stage: &Stage) -> Steps {
    let mut steps = BTreeMap::new();
    for row in stage.runbooks.list() {
        let definition = stage.runbooks.definition(&row.name, row.version).unwrap();
        for (index, program) in (0..).zip(&definition.programs) {
            let step = Disturbing {
                class: definition.policy.class.clone(),
                announced: definition.announcement(index).is_some(),
            };
            let ids = of_program(program);
            steps.extend(ids.map(|id| ((row.name.clone(), id), step.clone())));
        }
    }
    steps
}

/// What changes anything up to the last step that disturbs.
fn of_program(program: &Program) -> impl Iterator<Item = String> {
    let disturbs = |verb: &Verb| matches!(verb, Verb::Do(call) if call.impact == Impact::Outage);
    let changes = |verb: &Verb| matches!(verb, Verb::Do(call) if call.effect.mutates());
    let last = program.steps.iter().rposition(|step| disturbs(&step.verb));
    let ahead = program.steps.iter().take(last.map_or(0, |last| last + 1));
    ahead
        .filter(move |step| changes(&step.verb))
        .map(|step| step.id.to_string())
}

/// Those of one runbook.
pub fn of_runbook<'a>(steps: &'a Steps, runbook: &'a str) -> impl Iterator<Item = &'a Disturbing> {
    let own = steps.iter().filter(move |((name, _), _)| name == runbook);
    own.map(|(_, step)| step)
}

#[test]
fn what_comes_before_an_outage_counts_as_disturbing_and_what_comes_after_does_not() {
    let steps = disturbing(&crate::scenarios::stage::practice());
    let has = |runbook: &str, id: &str| steps.contains_key(&(runbook.to_owned(), id.to_owned()));
    assert!(has("monthly-patch", "quiet") && has("monthly-patch", "install"));
    assert!(!has("monthly-patch", "before"), "a read disturbs nobody");
    assert!(
        !has("resize-disk", "larger"),
        "it grows while the server runs"
    );
    assert!(!has("rma", "numbers"));
}
