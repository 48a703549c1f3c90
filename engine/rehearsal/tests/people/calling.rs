//! A stage with two runbooks, of which the second calls the first.
//!
//! Not here: what they do.

use super::*;

/// Their files lie beside the tests, `NAME.yaml` each.
pub fn staged(names: [&str; 2], contracts: Vec<Contract>, estate: Estate) -> Stage {
    let source = |name: &str| SourceFile {
        name: format!("workflows/{name}/v1.yaml"),
        text: text(&format!("{name}.yaml")),
        templates: templates(),
    };
    let sources = names.map(source);
    let environment = Environment::default()
        .with_contracts(contracts)
        .with_runbooks(&sources[..1]);
    let shelf = sources.map(|source| {
        let checked = hostler_runbook::check(&source, &environment);
        Arc::new(
            checked
                .definition
                .unwrap_or_else(|| panic!("{:?}", checked.faults)),
        )
    });
    Stage {
        runbooks: Arc::new(Shelf(shelf.to_vec())),
        ..stage(estate)
    }
}
