//! What a runbook means, judged against contracts, other runbooks and the estate. Nothing here
//! changes the runbook.

mod actions;
mod branches;
mod calls;
mod clocks;
mod deferral;
mod flow;
mod infer;
mod leases;
mod operators;
mod people;
mod releases;
mod rules;
mod scope;
mod spawns;
mod spend;
mod steps;
mod templates;
mod types;

pub(crate) use actions::defaults;

use crate::ast::{Runbook, Text};
use crate::codes;
use crate::environment::Environment;
use crate::fault::Faults;
use hostler_core::contract::Action;
use hostler_core::definition::InputKind;
use scope::Scope;
use std::collections::{BTreeMap, BTreeSet};
use types::Ty;

pub(crate) struct Checker<'f, 's, 'e> {
    pub faults: &'f mut Faults<'s>,
    pub env: &'e Environment,
    /// Major version by contract.
    needs: BTreeMap<String, u32>,
    used: BTreeSet<String>,
    has_input_asset: bool,
    /// Amounts of the policies that expressions compare with.
    spend: BTreeSet<String>,
}

/// All checks on a runbook that could be read. Gives the names of the policies' amounts that it uses.
pub(crate) fn check(
    faults: &mut Faults<'_>,
    env: &Environment,
    runbook: &Runbook,
) -> BTreeSet<String> {
    let needs = contract_versions(env, runbook);
    let has_input_asset = has_input_asset(runbook);
    let mut checker = Checker {
        faults,
        env,
        needs,
        used: BTreeSet::new(),
        has_input_asset,
        spend: BTreeSet::new(),
    };
    checker.place(runbook);
    checker.rules_of_inputs(runbook);
    let scope = checker.root_scope(runbook);
    let after = checker.body(&runbook.body, &scope, steps::Place { in_round: false });
    for (_, value) in &runbook.outputs {
        checker.dynamic(value, &after);
    }
    checker.check_needs(runbook);
    checker.people_of(runbook);
    checker.flow(runbook);
    checker.branches(runbook);
    checker.calls(runbook);
    checker.deferrals(runbook);
    checker.templates(runbook);
    checker.spend
}

/// The lane's asset of a run that takes one asset as its input `asset`.
pub(crate) fn has_input_asset(runbook: &Runbook) -> bool {
    runbook.inputs.iter().any(|input| {
        input.kind == InputKind::Asset && input.name.value == "asset" && input.required
    })
}

/// The declared versions, or the newest of all where `needs` is missing.
pub(crate) fn contract_versions(env: &Environment, runbook: &Runbook) -> BTreeMap<String, u32> {
    match &runbook.needs {
        Some(needs) => needs
            .iter()
            .map(|(name, major)| (name.value.clone(), *major))
            .collect(),
        None => env
            .contracts
            .iter()
            .filter_map(|(name, versions)| Some((name.clone(), *versions.keys().next_back()?)))
            .collect(),
    }
}

impl<'e> Checker<'_, '_, 'e> {
    pub(crate) fn action(&self, name: &str) -> Option<&'e Action> {
        let env = self.env;
        let major = *self.needs.get(name.split_once('.')?.0)?;
        env.action(major, name)
    }

    /// `workflows/<name>/v<N>.yaml` says the name and the version too.
    fn place(&mut self, runbook: &Runbook) {
        let name = self.faults.source().name.clone();
        let mut parts = name.rsplit('/');
        let (file, folder) = (parts.next().unwrap_or_default(), parts.next());
        let version = file
            .strip_prefix('v')
            .and_then(|rest| rest.strip_suffix(".yaml"))
            .and_then(|number| number.parse::<u32>().ok());
        let (Some(version), Some(folder)) = (version, folder) else {
            return;
        };
        if version != runbook.version.0 && runbook.version.0 != 0 {
            self.faults.add(
                codes::NAME_MISMATCH,
                runbook.version.1,
                format!(
                    "the file is v{version}, the text says {}",
                    runbook.version.0
                ),
                format!("write `version: {version}`, or rename the file"),
            );
        }
        if folder != runbook.name.value && !runbook.name.value.is_empty() {
            self.faults.add(
                codes::NAME_MISMATCH,
                runbook.name.span,
                format!(
                    "the folder is `{folder}`, the text says `{}`",
                    runbook.name.value
                ),
                format!("write `runbook: {folder}`, or rename the folder"),
            );
        }
    }

    fn root_scope(&self, runbook: &Runbook) -> Scope {
        let inputs = rules::inputs(runbook);
        let texts = [
            "id",
            "reference",
            "runbook",
            "starter",
            "requester",
            "reason",
            "elapsed",
            "result",
            "note",
        ];
        let run = texts.map(|name| (name.to_owned(), Ty::Text));
        let computed = [
            ("version", Ty::Number),
            ("started", Ty::Time),
            ("requester_owns", Ty::Bool),
        ]
        .map(|(name, ty)| (name.to_owned(), ty));
        let mut scope = Scope {
            asset_lane: self.has_input_asset,
            ..Scope::default()
        };
        scope.names.insert("inputs".to_owned(), inputs);
        scope.names.insert(
            "run".to_owned(),
            Ty::object(run.into_iter().chain(computed)),
        );
        scope.names.insert("now".to_owned(), Ty::Time);
        let policy = Ty::object([("spend".to_owned(), Ty::Spend)]);
        scope.names.insert("policy".to_owned(), policy);
        scope
    }

    fn check_needs(&mut self, runbook: &Runbook) {
        let Some(needs) = &runbook.needs else {
            if !self.used.is_empty() {
                let list: Vec<String> = self
                    .used
                    .iter()
                    .map(|name| format!("{name}@{}", self.needs.get(name).copied().unwrap_or(1)))
                    .collect();
                self.faults.add(
                    codes::NEEDS,
                    runbook.span,
                    "the runbook does not say which contracts it needs",
                    format!("add `needs: [{}]`", list.join(", ")),
                );
            }
            return;
        };
        for (name, major) in needs {
            match self.env.contracts.get(&name.value) {
                None => {
                    let remedy = self.near_contract(&name.value);
                    self.faults.add(
                        codes::NEEDS,
                        name.span,
                        format!("there is no contract `{}`", name.value),
                        remedy,
                    );
                }
                Some(versions) if !versions.contains_key(major) => {
                    let known: Vec<String> = versions
                        .keys()
                        .map(|major| format!("{}@{major}", name.value))
                        .collect();
                    self.faults.add(
                        codes::NEEDS,
                        name.span,
                        format!("there is no {}@{major}", name.value),
                        format!("there are: {}", known.join(", ")),
                    );
                }
                // A step with a fault may be the one that uses it.
                Some(_) if !self.used.contains(&name.value) && !self.faults.any_errors() => {
                    self.faults.add(
                        codes::UNUSED_NEED,
                        name.span,
                        format!("no step uses {}", name.value),
                        "leave it out",
                    );
                }
                Some(_) => {}
            }
        }
    }

    fn near_contract(&self, name: &str) -> String {
        let known = self.env.contracts.keys().map(String::as_str);
        crate::read::suggestion(name, known.clone()).map_or_else(
            || format!("there are: {}", known.collect::<Vec<_>>().join(", ")),
            |near| format!("did you mean `{near}`?"),
        )
    }

    /// The action of a step, with a fault when there is none.
    fn resolve(&mut self, action: &Text) -> Option<&'e Action> {
        let Some((contract, _)) = action.value.split_once('.') else {
            self.faults.add(
                codes::UNKNOWN_ACTION,
                action.span,
                format!("`{}` is no action", action.value),
                "write contract.action, as in guest-patch.apply",
            );
            return None;
        };
        if !self.env.contracts.contains_key(contract) {
            let remedy = self.near_contract(contract);
            self.faults.add(
                codes::UNKNOWN_ACTION,
                action.span,
                format!("there is no contract `{contract}`"),
                remedy,
            );
            return None;
        }
        let Some(major) = self.needs.get(contract).copied() else {
            let newest = self
                .env
                .contracts
                .get(contract)
                .and_then(|versions| versions.keys().next_back())
                .copied()
                .unwrap_or(1);
            self.faults.add(
                codes::NEEDS,
                action.span,
                format!("{contract} is not in `needs`"),
                format!("add {contract}@{newest} to `needs`"),
            );
            return None;
        };
        self.used.insert(contract.to_owned());
        let env = self.env;
        let found = env.action(major, &action.value);
        if found.is_none() {
            self.no_action(action, major);
        }
        found
    }

    /// A contract that is there does not have this action.
    fn no_action(&mut self, action: &Text, major: u32) {
        let name = action.value.as_str();
        let (contract, verb) = name.split_once('.').unwrap_or((name, ""));
        let versions = self.env.contracts.get(contract);
        let Some(known) = versions.and_then(|versions| versions.get(&major)) else {
            return;
        };
        let names: Vec<&str> = known
            .actions
            .iter()
            .filter_map(|action| action.name.split_once('.').map(|(_, verb)| verb))
            .collect();
        let remedy = crate::read::suggestion(verb, names.iter().copied()).map_or_else(
            || format!("it has: {}", names.join(", ")),
            |near| format!("did you mean `{contract}.{near}`?"),
        );
        self.faults.add(
            codes::UNKNOWN_ACTION,
            action.span,
            format!("{contract}@{major} has no action `{verb}`"),
            remedy,
        );
    }
}
