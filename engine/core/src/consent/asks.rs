//! What a run asks of its customers, as far as its runbooks say: for whoever looks at a run.
//!
//! Not here: what holds a call (worker), and whether a yes is taken (`judge`).

use super::{ConsentKind, Required};
use crate::definition::{Definition, Program, ProgramIndex, Step};
use crate::directory::Directory;
use crate::plan::Starter;
use std::collections::{BTreeMap, BTreeSet};

/// Disturbing work of one class, and the template of the notice that tells of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Work {
    class: String,
    template: Option<String>,
}

/// All that disturbs in some runbooks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks(BTreeSet<Work>);

/// What is asked of one customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub required: Required,
    /// Business days of silence that agree to what a notice tells of, by the notice's template; empty: it never does.
    pub silence: BTreeMap<String, u16>,
    /// Of what no notice tells, and of all where silence does not agree: only a yes opens it.
    pub needs_yes: bool,
}

impl Asks {
    #[must_use]
    pub fn of<'a>(definitions: impl IntoIterator<Item = &'a Definition>) -> Self {
        Self(definitions.into_iter().flat_map(works).collect())
    }

    /// None: nothing is asked of the customer.
    #[must_use]
    pub fn of_customer(
        &self,
        directory: &dyn Directory,
        starter: &Starter,
        customer: &str,
    ) -> Option<Asked> {
        let mut strictest: Option<Required> = None;
        let (mut silence, mut needs_yes) = (BTreeMap::new(), false);
        for work in &self.0 {
            let Some(required) = Required::of(directory, starter, customer, [&work.class]) else {
                continue;
            };
            match (required.kind, &work.template) {
                (ConsentKind::Tacit { business_days }, Some(template)) => {
                    let days = silence.entry(template.clone()).or_default();
                    *days = business_days.max(*days);
                }
                _ => needs_yes = true,
            }
            let is_stricter = |known: &Required| required.kind > known.kind;
            if strictest.as_ref().is_none_or(is_stricter) {
                strictest = Some(required);
            }
        }
        Some(Asked {
            required: strictest?,
            silence,
            needs_yes,
        })
    }
}

/// What disturbs in one runbook.
fn works(definition: &Definition) -> Vec<Work> {
    let of_program = |(index, program): (ProgramIndex, &Program)| {
        let template = definition.announcement(index);
        let template = template.map(|notices| notices.template.clone());
        let steps = program.steps.iter().filter(|step| step.disturbs());
        let work = |step: &Step| Work {
            class: definition.class_of(step).to_owned(),
            template: template.clone(),
        };
        steps.map(work).collect::<Vec<_>>()
    };
    let programs = (0..).zip(&definition.programs);
    programs.flat_map(of_program).collect()
}
