//! From a runbook without faults to the definition that runs: flat programs, no places, nothing left
//! to look up.

mod spawn;
mod step;

use crate::ast::{Body, Dyn, Runbook};
use crate::check::contract_versions;
use crate::environment::Environment;
use crate::source::SourceFile;
use hostler_core::contract::Action;
use hostler_core::definition::{Definition, Input, Program, ProgramIndex};
use hostler_core::expression::Dynamic;
use hostler_core::id::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// Version of the shape of a definition.
pub const FORMAT: u32 = 1;

pub(crate) struct Compiler<'a> {
    env: &'a Environment,
    needs: BTreeMap<String, u32>,
    programs: Vec<Program>,
    owner: String,
    used: BTreeSet<String>,
    /// An action without an asset in a lane without one works on the input `asset`.
    input_asset: bool,
    /// Class of the step around the present ones.
    class: Option<Dynamic>,
    /// Window of the `each` around the present ones.
    window: Option<Dynamic>,
}

/// None when a reference cannot be resolved, which a check has reported before.
pub(crate) fn compile(
    source: &SourceFile,
    env: &Environment,
    runbook: &Runbook,
    spend: BTreeSet<String>,
) -> Option<Definition> {
    let mut compiler = Compiler {
        env,
        needs: contract_versions(env, runbook),
        programs: vec![Program::default()],
        owner: runbook.owner.value.clone(),
        used: BTreeSet::new(),
        input_asset: crate::check::has_input_asset(runbook),
        class: None,
        window: None,
    };
    let root = compiler.program(&runbook.body, None, false)?;
    compiler.programs[0] = root;
    let needs = compiler
        .needs
        .iter()
        .filter(|(name, _)| compiler.used.contains(*name))
        .map(|(name, major)| (name.clone(), *major))
        .collect();
    Some(Definition {
        format: FORMAT,
        runbook: runbook.name.value.clone(),
        version: runbook.version.0,
        title: runbook.title.clone(),
        owner: runbook.owner.value.clone(),
        source: digest(source),
        policy: runbook.policy.clone(),
        needs,
        inputs: inputs(runbook),
        spend,
        outputs: runbook
            .outputs
            .iter()
            .map(|(name, value)| (name.value.clone(), value.core()))
            .collect(),
        programs: compiler.programs,
        templates: source
            .templates
            .iter()
            .map(|(name, text)| {
                (
                    name.strip_suffix(".hbs").unwrap_or(name).to_owned(),
                    text.clone(),
                )
            })
            .collect(),
    })
}

pub(crate) fn inputs(runbook: &Runbook) -> BTreeMap<String, Input> {
    runbook.inputs.iter().map(input).collect()
}

fn input(input: &crate::ast::InputDecl) -> (String, Input) {
    let declared = Input {
        kind: input.kind,
        label: input.label.clone(),
        required: input.required,
        default: input.default.as_ref().map(|(value, _)| value.clone()),
        schema: input.schema.clone(),
        from: input.from.as_ref().map(|(list, _)| list.clone()),
        must: input.must.as_ref().map(crate::ast::Expr::core),
    };
    (input.name.value.clone(), declared)
}

/// Digest over the file and its templates: what is frozen by a release.
#[must_use]
pub fn digest(source: &SourceFile) -> Digest {
    let mut bytes = Vec::with_capacity(source.text.len() + 64);
    let mut add = |part: &str| {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    };
    add(&source.text);
    for (name, text) in &source.templates {
        add(name);
        add(text);
    }
    Digest::of(&bytes)
}

impl Compiler<'_> {
    fn program(&mut self, body: &Body, binds: Option<&str>, asset_lane: bool) -> Option<Program> {
        let steps = body
            .steps
            .iter()
            .map(|step| self.step(step, asset_lane))
            .collect::<Option<Vec<_>>>()?;
        let always = body
            .always
            .iter()
            .map(|step| self.step(step, asset_lane))
            .collect::<Option<Vec<_>>>()?;
        Some(Program {
            steps,
            always,
            binds: binds.map(str::to_owned),
        })
    }

    /// Appends the body of a spawning step.
    fn inner(
        &mut self,
        body: &Body,
        binds: Option<&str>,
        asset_lane: bool,
    ) -> Option<ProgramIndex> {
        // The place is taken before the programs inside, so that outer programs come first.
        let index = ProgramIndex::try_from(self.programs.len()).ok()?;
        self.programs.push(Program::default());
        let program = self.program(body, binds, asset_lane)?;
        self.programs[usize::from(index)] = program;
        Some(index)
    }

    fn action(&mut self, name: &str) -> Option<Action> {
        let contract = name.split_once('.')?.0;
        let major = *self.needs.get(contract)?;
        let action = self.env.action(major, name)?.clone();
        self.used.insert(contract.to_owned());
        Some(action)
    }

    fn maybe(value: Option<&Dyn>) -> Option<Dynamic> {
        value.map(Dyn::core)
    }
}
