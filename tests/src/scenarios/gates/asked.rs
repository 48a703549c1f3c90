//! What the delivered runbooks ask of customers, as it is shown beside a run.
//!
//! Not here: what is held until they answer.

use super::closed;
use hostler_core::consent::{Asked, Asks};
use hostler_core::definition::Definition;
use hostler_core::plan::Starter;
use hostler_rehearsal::Stage;
use std::sync::Arc;

/// Of the library, whose silence agrees, by these runbooks together: the templates behind which it does, whether a yes
/// is needed.
fn of_library(stage: &Stage, runbooks: &[&str]) -> Option<(Vec<String>, bool)> {
    let definition = |name: &&str| stage.runbooks.definition(name, 1).unwrap();
    let definitions: Vec<Arc<Definition>> = runbooks.iter().map(definition).collect();
    let asks = Asks::of(definitions.iter().map(|definition| &**definition));
    let starter = Starter {
        who: "olga".to_owned(),
        via: "cli".to_owned(),
        reason: None,
    };
    let asked = asks.of_customer(&*stage.directory, &starter, "library")?;
    let Asked {
        required,
        silence,
        needs_yes,
    } = asked;
    assert_eq!(required.rule(), "tacit-18bd by the contract of library");
    assert!(silence.values().all(|days| *days == 18), "{silence:?}");
    Some((silence.into_keys().collect(), needs_yes))
}

#[test]
fn what_no_notice_tells_of_needs_a_yes_and_what_is_told_does_not() {
    let stage = closed::stage();
    let of = |runbooks: &[&str]| of_library(&stage, runbooks);
    let told = |templates: &[&str], needs_yes: bool| {
        let templates = templates.iter().map(|name| (*name).to_owned());
        Some((templates.collect(), needs_yes))
    };
    assert_eq!(of(&["decommission"]), told(&["decommission"], false));
    assert_eq!(
        of(&["provision-os"]),
        told(&[], true),
        "it announces nothing"
    );
    let with_called = ["order-hardware", "rma", "provision-os"];
    assert_eq!(of(&with_called), told(&["rack-work", "repair"], true));
    assert_eq!(of(&["emergency-patch"]), None, "told, and not asked");
}
