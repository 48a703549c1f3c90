//! One step and what stands around it.

use super::Compiler;
use crate::ast::{self, Approve, Clause, Dyn, Rules, Until, Verb};
use crate::check::defaults;
use crate::expr::paths;
use hostler_core::contract::{Action, Impact};
use hostler_core::definition as core;
use hostler_core::definition::must::{self, FieldRule};
use hostler_core::expression::{Dynamic, Expression};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Whether windows bind it.
fn disturbs(verb: &core::Verb) -> bool {
    matches!(verb, core::Verb::Do(call) if call.impact == Impact::Outage)
}

impl Compiler<'_> {
    pub(super) fn step(&mut self, step: &ast::Step, asset_lane: bool) -> Option<core::Step> {
        // The steps inside are of the class of the step around them, unless they say another.
        let own = step.class.as_ref().map(Dyn::core);
        let class = own.or_else(|| self.class.clone());
        let around = std::mem::replace(&mut self.class, class.clone());
        let verb = self.verb(step, asset_lane);
        self.class = around;
        let verb = verb?;
        let class = class.filter(|_| matches!(verb, core::Verb::Do(_)));
        let own = step.window.as_ref().map(Dyn::core);
        let window = own
            .or_else(|| self.window.clone())
            .filter(|_| disturbs(&verb));
        let undo = step
            .undo
            .iter()
            .map(|way| self.way_back(step, way, asset_lane))
            .collect::<Option<Vec<_>>>()?;
        let lease = match &step.lease {
            Some(lease) => Some(self.lease(step, lease, asset_lane)?),
            None => None,
        };
        Some(core::Step {
            id: Arc::from(step.id.value.as_str()),
            name: step.name.clone(),
            condition: step.condition.as_ref().map(ast::Expr::core),
            verb,
            retry: step
                .retry
                .as_ref()
                .map(|(retry, _)| *retry)
                .unwrap_or_default(),
            on_failure: step.on_failure.map(|(word, _)| word).unwrap_or_default(),
            undo,
            lease,
            no_return: step.no_return,
            notices: step.notices.as_ref().map(|(plan, _)| plan.clone()),
            duty: step.duty.clone(),
            class,
            window,
        })
    }

    fn verb(&mut self, step: &ast::Step, asset_lane: bool) -> Option<core::Verb> {
        Some(match &step.verb {
            Verb::Do { action, with } => {
                let known = self.action(&action.value)?;
                let with = with
                    .as_ref()
                    .map_or_else(|| Dynamic::Map(BTreeMap::new()), Dyn::core);
                core::Verb::Do(self.do_of(&known, with, step, asset_lane))
            }
            Verb::Approve(approve) => core::Verb::Approve(approval(approve)),
            Verb::Ask(ask) => core::Verb::Ask(core::Ask {
                who: who(&ask.who),
                title: Self::maybe(ask.title.as_ref()),
                form: ask.form.clone(),
                show: ask.show.iter().map(ast::Expr::core).collect(),
                expires_ms: ask.expires_ms,
                on_expire: ask.on_expire.0,
                later: ask.later,
                key: None,
                rules: core::AskRules {
                    must: musts(&ask.form_musts),
                    ..rules(&ask.rules)
                },
                debt: ask.debt.as_ref().map(owing),
            }),
            Verb::Notify {
                template,
                to,
                about,
            } => core::Verb::Notify(core::Notify {
                template: template.value.clone(),
                to: self.recipients(to),
                about: Self::maybe(about.as_ref()),
            }),
            Verb::Wait { until } => core::Verb::Wait(core::Wait {
                until: match until {
                    Until::For(value) => core::WaitUntil::For(value.core()),
                    Until::Instant(value) => core::WaitUntil::Instant(value.core()),
                },
            }),
            Verb::Each(each) => {
                core::Verb::Spawn(core::Spawn::Each(Box::new(self.each(each, asset_lane)?)))
            }
            Verb::Repeat(repeat) => {
                core::Verb::Spawn(core::Spawn::Repeat(self.repeat(repeat, asset_lane)?))
            }
            Verb::Call {
                runbook,
                with,
                wait,
            } => core::Verb::Spawn(core::Spawn::Call(core::Call {
                runbook: runbook.value.clone(),
                with: with
                    .as_ref()
                    .map_or_else(|| Dynamic::Map(BTreeMap::new()), Dyn::core),
                wait: *wait,
            })),
            Verb::Release { lease } => core::Verb::Release {
                lease: lease.value.clone(),
            },
            Verb::Finish {
                result,
                of_run,
                note,
            } => core::Verb::Finish(core::Finish {
                result: result.value.clone(),
                of_run: *of_run,
                note: Self::maybe(note.as_ref()),
            }),
        })
    }

    /// Without a name the people of the runbook's owner are told.
    fn recipients(&self, to: &[Dyn]) -> Vec<core::Recipient> {
        if to.is_empty() {
            return vec![core::Recipient(Dynamic::Literal(Value::String(format!(
                "role:{}",
                self.owner
            ))))];
        }
        to.iter().map(|who| core::Recipient(who.core())).collect()
    }

    fn do_of(
        &self,
        action: &Action,
        with: Dynamic,
        step: &ast::Step,
        asset_lane: bool,
    ) -> core::Do {
        let mut with = with;
        if let Dynamic::Map(entries) = &mut with
            && action.needs_asset
            && !asset_lane
            && self.input_asset
            && !entries.contains_key("asset")
        {
            entries.insert(
                "asset".to_owned(),
                Dynamic::Expression(Expression("inputs.asset".to_owned())),
            );
        }
        core::Do {
            action: action.name.clone(),
            with,
            effect: step
                .effect
                .map_or(action.effect, |(effect, _)| effect.max(action.effect)),
            impact: action.impact,
            needs_asset: action.needs_asset,
            timeout_ms: step.timeout.map_or(action.timeout_ms, |(ms, _)| ms),
        }
    }

    fn way_back(
        &mut self,
        step: &ast::Step,
        way: &ast::Step,
        asset_lane: bool,
    ) -> Option<core::Step> {
        let mut compiled = self.step(way, asset_lane)?;
        // What takes back waits for no gate.
        compiled.class = None;
        compiled.window = None;
        if let (Verb::Do { with: None, .. }, core::Verb::Do(back)) = (&way.verb, &mut compiled.verb)
            && let Verb::Do { action, with } = &step.verb
        {
            let (back_action, forth) = (self.action(&back.action)?, self.action(&action.value)?);
            let mut inputs = defaults(&back_action, &forth, with.as_ref(), &step.id.value);
            keep_asset(&mut inputs, with.as_ref(), &back.with);
            back.with = Dynamic::Map(inputs);
        }
        Some(compiled)
    }

    fn lease(
        &mut self,
        step: &ast::Step,
        lease: &ast::Lease,
        asset_lane: bool,
    ) -> Option<core::StepLease> {
        let end = self.action(&lease.end.value)?;
        let Verb::Do { action, with } = &step.verb else {
            return None;
        };
        let forth = self.action(&action.value)?;
        let mut inputs = defaults(&end, &forth, with.as_ref(), &step.id.value);
        let bare = ast::Step {
            timeout: None,
            effect: None,
            ..step.clone()
        };
        let compiled = self.do_of(&end, Dynamic::Map(BTreeMap::new()), &bare, asset_lane);
        keep_asset(&mut inputs, with.as_ref(), &compiled.with);
        Some(core::StepLease {
            for_ms: lease.for_ms,
            end: core::LeaseEnd {
                action: core::Do {
                    with: Dynamic::Map(inputs),
                    ..compiled
                },
            },
            blocks: lease.blocks.iter().map(|name| name.value.clone()).collect(),
            warn_ms: lease.warn_ms,
        })
    }
}

/// The way back works on the asset of the way forth.
fn keep_asset(inputs: &mut BTreeMap<String, Dynamic>, given: Option<&Dyn>, compiled: &Dynamic) {
    if let Some(asset) = given.and_then(|given| given.get("asset")) {
        inputs.insert("asset".to_owned(), asset.core());
    } else if let Dynamic::Map(entries) = compiled
        && let Some(asset) = entries.get("asset")
    {
        inputs.insert("asset".to_owned(), asset.clone());
    }
}

pub(super) fn approval(approve: &Approve) -> core::Approve {
    core::Approve {
        who: who(&approve.who),
        quorum: approve.quorum.0,
        title: approve.title.as_ref().map(Dyn::core),
        show: approve.show.iter().map(ast::Expr::core).collect(),
        say: approve.say.clone(),
        condition: approve.condition.as_ref().map(ast::Expr::core),
        expires_ms: approve.expires_ms,
        on_expire: approve.on_expire.0,
        on_deny: approve.on_deny.0,
        rules: rules(&approve.rules),
    }
}

fn rules(rules: &Rules) -> core::AskRules {
    let values = |texts: &[ast::Text]| texts.iter().map(|text| text.value.clone()).collect();
    core::AskRules {
        expires_business_days: rules.expires_business_days,
        ladder: rules.ladder.as_ref().map(|ladder| ladder.value.clone()),
        typed: rules.typed.as_ref().map(Dyn::core),
        terms: values(&rules.terms),
        remind: rules.remind.clone(),
        may_waive: values(&rules.may_waive),
        finish: rules.finish.clone(),
        must: BTreeMap::new(),
    }
}

/// Rules of a form's fields, with the paths that are kept for them when it is asked.
fn musts(musts: &[(String, ast::Expr)]) -> BTreeMap<String, FieldRule> {
    let own = |path: &String| {
        let root = path.split('.').next();
        matches!(root, Some(must::VALUE | "now"))
    };
    let rule = |expr: &ast::Expr| FieldRule {
        rule: expr.core(),
        sees: paths(&expr.tree)
            .into_iter()
            .filter(|path| !own(path))
            .collect(),
    };
    let rules = musts.iter();
    rules
        .map(|(field, expr)| (field.clone(), rule(expr)))
        .collect()
}

fn owing(debt: &ast::Debt) -> core::Owing {
    core::Owing {
        blocks: debt
            .blocks
            .iter()
            .map(|class| (*class).to_owned())
            .collect(),
        cured_by: debt.cured_by.clone(),
        over: debt.over.as_ref().map(Dyn::core),
    }
}

fn who(clauses: &[Clause]) -> core::Who {
    core::Who {
        clauses: clauses
            .iter()
            .map(|clause| core::WhoClause {
                who: clause.who.core(),
                at_least: clause.at_least,
            })
            .collect(),
    }
}
