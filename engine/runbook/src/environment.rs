//! What a runbook is checked against besides its own text. Plain data: whoever calls reads the files.

use crate::SourceFile;
use hostler_core::contract::{Action, Contract};
use hostler_core::definition::{Definition, Input};
use std::collections::{BTreeMap, BTreeSet};

/// Contracts, other runbooks and facts of one estate.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// By name, then major version.
    pub contracts: BTreeMap<String, BTreeMap<u32, Contract>>,
    /// Runbooks that may be called, by name: the version that a call would take.
    pub runbooks: BTreeMap<String, Callee>,
    /// None: what depends on an estate is not checked.
    pub estate: Option<EstateFacts>,
}

/// What a caller must know of a runbook.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Callee {
    pub inputs: BTreeMap<String, Input>,
    pub outputs: BTreeSet<String>,
    /// Runbooks that it calls itself.
    pub calls: BTreeSet<String>,
    /// It may be started by `runbook`.
    pub callable: bool,
}

/// Facts about the estate on which the runbook is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EstateFacts {
    /// People by role, ids in order; a role without people is there and empty.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    pub people: BTreeSet<String>,
    pub customers: BTreeSet<String>,
    pub windows: BTreeSet<String>,
    /// Ids of their entries by catalog.
    pub catalogs: BTreeMap<String, BTreeSet<String>>,
    /// None: no policies are configured, and what depends on them is not checked.
    pub policies: Option<PolicyFacts>,
}

/// Names that the policies have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyFacts {
    /// With whom their rungs ask: `role:ciso`, `person:ada`; whoever depends on the run as `customer`.
    pub ladders: BTreeMap<String, BTreeSet<String>>,
    pub texts: BTreeSet<String>,
    /// Ids of the triggers by their class; classes without any are left out.
    pub triggers: BTreeMap<String, BTreeSet<String>>,
    /// `dean_cents` and the like.
    pub amounts: BTreeSet<String>,
    /// Classes that customers may put off. None: no policies say so, and nothing is put off.
    pub deferrable: Option<BTreeSet<String>>,
}

impl Environment {
    /// Adds what callers see of these runbooks, as far as each compiles without the others; of several versions
    /// the last one.
    #[must_use]
    pub fn with_runbooks<'a>(mut self, sources: impl IntoIterator<Item = &'a SourceFile>) -> Self {
        let definitions = sources
            .into_iter()
            .filter_map(|source| crate::check(source, &self).definition);
        let callees: Vec<_> = definitions
            .map(|definition| (definition.runbook.clone(), Callee::of(&definition)))
            .collect();
        self.runbooks.extend(callees);
        self
    }

    /// Adds contracts, e.g. all frozen files.
    #[must_use]
    pub fn with_contracts(mut self, contracts: impl IntoIterator<Item = Contract>) -> Self {
        for contract in contracts {
            self.contracts
                .entry(contract.name.clone())
                .or_default()
                .insert(contract.major, contract);
        }
        self
    }

    /// The action of a contract's version.
    pub(crate) fn action(&self, major: u32, name: &str) -> Option<&Action> {
        let contract = name.split_once('.')?.0;
        self.contracts
            .get(contract)?
            .get(&major)?
            .actions
            .iter()
            .find(|action| action.name == name)
    }

    /// Everybody that a `who` text names; none when it depends on the run.
    pub(crate) fn people(&self, who: &str) -> Option<BTreeSet<String>> {
        let estate = self.estate.as_ref()?;
        match who.split_once(':')? {
            ("role", role) => Some(estate.roles.get(role).cloned().unwrap_or_default()),
            ("person", person) => Some(
                estate
                    .people
                    .iter()
                    .filter(|known| *known == person)
                    .cloned()
                    .collect(),
            ),
            _ => None,
        }
    }
}

impl Callee {
    /// What callers see of a compiled runbook.
    #[must_use]
    pub fn of(definition: &Definition) -> Self {
        let calls = definition
            .programs
            .iter()
            .flat_map(|program| program.steps.iter().chain(&program.always))
            .filter_map(|step| match &step.verb {
                hostler_core::definition::Verb::Spawn(hostler_core::definition::Spawn::Call(
                    call,
                )) => Some(call.runbook.clone()),
                _ => None,
            })
            .collect();
        Self {
            inputs: definition.inputs.clone(),
            outputs: definition.outputs.keys().cloned().collect(),
            calls,
            callable: definition.policy.start.iter().any(|who| who == "runbook"),
        }
    }
}
