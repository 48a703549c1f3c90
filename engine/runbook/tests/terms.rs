//! Terms around steps, from the file to the definition: leases, windows that are used up, who is told instead.
//!
//! Not here: what is wrong in a file (`corpus`), and what the engine makes of a term.

use crate::common::{environment, root, source};
use hostler_core::definition::{Spawn, UsedUp, Verb};
use hostler_runbook::{SourceFile, check, graph};

#[test]
fn what_a_lease_blocks_and_when_it_warns_reach_the_definition_and_the_graph() {
    let name = "workflows/monthly-patch/v2.yaml";
    let mut source = source(&root().join(name), name);
    let (was, end) = (
        "end: compute.snapshot-delete }",
        "end: compute.snapshot-delete",
    );
    // An action once, whatever contract it is of; nothing of it is called, so `needs` stays as it is.
    let blocks = "blocks: [compute.disk-grow, estate.update, compute.disk-grow]";
    source.text = source
        .text
        .replace(was, &format!("{end}, warn: 24h, {blocks} }}"));
    let checked = check(&source, &environment());
    assert_eq!(checked.faults, [], "{:?}", checked.faults);
    let definition = checked.definition.unwrap();
    let steps = definition
        .programs
        .iter()
        .flat_map(|program| &program.steps);
    let lease = steps.filter_map(|step| step.lease.as_ref()).next().unwrap();
    assert_eq!(lease.warn_ms, Some(86_400_000));
    assert_eq!(lease.blocks, ["compute.disk-grow", "estate.update"]);
    assert!(!definition.needs.contains_key("estate"));
    let text = graph::tree(&definition);
    assert!(text.contains("warns 1d before"), "{text}");
    assert!(
        text.contains("blocks compute.disk-grow, estate.update until then"),
        "{text}"
    );
}

/// What becomes of the servers of this runbook whose windows have passed.
fn used_up(source: &SourceFile) -> Option<UsedUp> {
    let definition = check(source, &environment()).definition?;
    let mut steps = definition
        .programs
        .iter()
        .flat_map(|program| &program.steps);
    steps.find_map(|step| match &step.verb {
        Verb::Spawn(Spawn::Each(each)) => each.overflow.map(|overflow| overflow.then),
        _ => None,
    })
}

#[test]
fn windows_that_are_used_up_hold_or_ask_as_the_runbook_says() {
    let name = "workflows/monthly-patch/v2.yaml";
    let mut source = source(&root().join(name), name);
    assert_eq!(used_up(&source), Some(UsedUp::Held));
    for (says, then) in [(", then: ask }", UsedUp::Ask), (" }", UsedUp::Held)] {
        let text = source.text.replace(", then: held }", says);
        assert_ne!(text, source.text);
        let other = SourceFile {
            text,
            ..source.clone()
        };
        assert_eq!(used_up(&other), Some(then));
    }
    source.text = source.text.replace(", then: held }", ", then: guess }");
    assert_eq!(used_up(&source), None);
}

#[test]
fn alternate_contacts_are_told_where_the_runbook_says_so_and_released_ones_do_not() {
    let name = "workflows/monthly-patch/v2.yaml";
    let mut source = source(&root().join(name), name);
    let tells = |source: &SourceFile| {
        let definition = check(source, &environment()).definition.unwrap();
        let steps = definition
            .programs
            .iter()
            .flat_map(|program| &program.steps);
        let mut notices = steps.filter_map(|step| step.notices.clone());
        let notices = notices.next().unwrap();
        let text = serde_json::to_string(&notices).unwrap();
        (notices.alternates, text.contains("alternates"))
    };
    assert_eq!(tells(&source), (false, false), "its bytes are as before");
    for (says, alternates) in [("true", true), ("false", false)] {
        let term = format!("notices: {{ alternate_contact: {says}, template:");
        let text = source.text.replacen("notices: { template:", &term, 1);
        assert_ne!(text, source.text);
        let other = SourceFile {
            text,
            ..source.clone()
        };
        assert_eq!(tells(&other), (alternates, alternates));
    }
    source.text = source.text.replacen(
        "notices: { template:",
        "notices: { alternate_contact: bob, template:",
        1,
    );
    assert!(check(&source, &environment()).definition.is_none());
}
