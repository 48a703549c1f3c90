//! Whoever is asked must exist, be able to decide, and be asked with an end.

use super::Checker;
use crate::ast::{Approve, Body, Clause, Dyn, Rules, Runbook, Text, Verb};
use crate::codes::{self, Code};
use crate::source::Span;
use serde_json::Value;
use std::collections::BTreeSet;

impl Checker<'_, '_, '_> {
    pub(super) fn people_of(&mut self, runbook: &Runbook) {
        if let Some(estate) = &self.env.estate {
            let known = |who: &String| {
                matches!(
                    who.as_str(),
                    "scheduler" | "runbook" | "customer-contact" | "customer"
                ) || estate.roles.contains_key(who)
            };
            let unknown: Vec<&String> = runbook
                .policy
                .start
                .iter()
                .chain(&runbook.policy.withdraw)
                .filter(|who| !known(who))
                .collect();
            for who in unknown {
                let near = crate::read::suggestion(who, estate.roles.keys().map(String::as_str))
                    .map(|near| format!("did you mean `{near}`? "))
                    .unwrap_or_default();
                self.faults.add(
                    codes::NOBODY,
                    runbook.span,
                    format!("policy names the role `{who}`, which the estate does not have"),
                    format!("{near}add the role to the people of the estate"),
                );
            }
        }
        self.people_in(&runbook.body, runbook);
    }

    fn people_in(&mut self, body: &Body, runbook: &Runbook) {
        for step in body.steps.iter().chain(&body.always) {
            self.asked(&step.verb, runbook);
            for way in &step.undo {
                self.asked(&way.verb, runbook);
            }
            if let Some(inner) = step.verb.body() {
                self.people_in(inner, runbook);
            }
        }
    }

    fn asked(&mut self, verb: &Verb, runbook: &Runbook) {
        match verb {
            Verb::Approve(approve) => self.approvers(approve, runbook),
            Verb::Ask(ask) => {
                self.exist(&ask.who);
                self.promised(&ask.rules);
                if ask.endless {
                    self.faults.add(
                        codes::NO_EXPIRY,
                        ask.span,
                        "this question stays open for ever",
                        "add `expires: 2d` and `on_expire: deny` or `escalate`",
                    );
                }
            }
            Verb::Notify { to, .. } => to.iter().for_each(|who| self.exists(who)),
            Verb::Each(each) => {
                if let Some(gate) = &each.gate {
                    self.approvers(gate, runbook);
                }
            }
            _ => {}
        }
    }

    fn approvers(&mut self, approve: &Approve, runbook: &Runbook) {
        self.exist(&approve.who);
        self.promised(&approve.rules);
        if approve.endless {
            self.faults.add(
                codes::NO_EXPIRY,
                approve.span,
                "this approval stays open for ever",
                "add `expires: 2d` and `on_expire: deny` or `escalate`",
            );
        }
        let (quorum, span) = approve.quorum;
        let least: u32 = approve.who.iter().map(|clause| clause.at_least).sum();
        if least > quorum {
            self.faults.add(
                codes::QUORUM,
                span,
                format!("the clauses ask for {least} people, the quorum is {quorum}"),
                format!("write `quorum: {least}`"),
            );
        }
        self.enough(approve, quorum, span);
        self.not_only_requester(approve, runbook);
    }

    /// Where everybody is known by name, there must be as many as the quorum.
    fn enough(&mut self, approve: &Approve, quorum: u32, span: Span) {
        let mut everybody = BTreeSet::new();
        for clause in &approve.who {
            let Some(people) = literal_text(&clause.who).and_then(|who| self.env.people(who))
            else {
                return;
            };
            let available = u32::try_from(people.len()).unwrap_or(u32::MAX);
            if available < clause.at_least && available > 0 {
                self.faults.add(
                    codes::QUORUM,
                    clause.who.span(),
                    format!(
                        "{} must come from here, the estate has {available}",
                        clause.at_least
                    ),
                    "add people to the role, or ask for fewer",
                );
            }
            everybody.extend(people);
        }
        let Some(higher) = self.on_rungs(&approve.rules) else {
            return;
        };
        everybody.extend(higher);
        let available = u32::try_from(everybody.len()).unwrap_or(u32::MAX);
        if available > 0 && available < quorum {
            self.faults.add(
                codes::QUORUM,
                span,
                format!("{quorum} different people must agree, the estate has {available}"),
                "add people to the role, or lower the quorum",
            );
        }
    }

    fn not_only_requester(&mut self, approve: &Approve, runbook: &Runbook) {
        let policy = &runbook.policy;
        if !policy.four_eyes || approve.who.is_empty() {
            return;
        }
        let by_name = approve.who.iter().all(|clause| {
            matches!(&clause.who, Dyn::Expr(expr) if matches!(expr.tree.path().as_deref(), Some(["run", "requester" | "starter"])))
        });
        let starters: Option<BTreeSet<String>> = policy
            .start
            .iter()
            .map(|role| self.env.people(&format!("role:{role}")))
            .collect::<Option<Vec<_>>>()
            .map(|sets| sets.into_iter().flatten().collect());
        let approvers: Option<BTreeSet<String>> = approve
            .who
            .iter()
            .map(|clause| literal_text(&clause.who).and_then(|who| self.env.people(who)))
            .collect::<Option<Vec<_>>>()
            .map(|sets| sets.into_iter().flatten().collect());
        let higher = self.on_rungs(&approve.rules);
        let approvers = approvers.zip(higher).map(|(mut all, higher)| {
            all.extend(higher);
            all
        });
        let same_one = matches!((&starters, &approvers), (Some(starters), Some(approvers)) if approvers.len() == 1 && starters == approvers);
        if by_name || same_one {
            let span = approve
                .who
                .first()
                .map_or(approve.span, |clause| clause.who.span());
            self.faults.add(
                codes::ONLY_REQUESTER,
                span,
                "only whoever starts the run could approve it, and four_eyes forbids that",
                "name another role, or set `four_eyes: false`",
            );
        }
    }

    /// Everybody whom a ladder asks too; none when that depends on the run, or nobody knows the ladder.
    fn on_rungs(&self, rules: &Rules) -> Option<BTreeSet<String>> {
        let Some(ladder) = &rules.ladder else {
            return Some(BTreeSet::new());
        };
        let policies = self.env.estate.as_ref()?.policies.as_ref()?;
        let asked = policies.ladders.get(&ladder.value)?.iter();
        let people: Option<Vec<_>> = asked.map(|who| self.env.people(who)).collect();
        Some(people?.into_iter().flatten().collect())
    }

    /// Ladders and texts are those of the policies.
    fn promised(&mut self, rules: &Rules) {
        let estate = self.env.estate.as_ref();
        let Some(policies) = estate.and_then(|estate| estate.policies.as_ref()) else {
            return;
        };
        if let Some(ladder) = &rules.ladder {
            let known = policies.ladders.keys().cloned().collect();
            self.listed(
                ladder,
                &known,
                codes::UNKNOWN_LADDER,
                "ladder",
                "ladders.yaml",
            );
        }
        for text in &rules.terms {
            self.listed(
                text,
                &policies.texts,
                codes::UNKNOWN_TERMS,
                "text",
                "texts.yaml",
            );
        }
    }

    fn listed(
        &mut self,
        name: &Text,
        known: &BTreeSet<String>,
        code: Code,
        what: &str,
        file: &str,
    ) {
        if known.contains(&name.value) {
            return;
        }
        let near = crate::read::suggestion(&name.value, known.iter().map(String::as_str))
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        self.faults.add(
            code,
            name.span,
            format!("the policies have no {what} `{}`", name.value),
            format!("{near}add it to {file} of the policies"),
        );
    }

    fn exist(&mut self, who: &[Clause]) {
        who.iter().for_each(|clause| self.exists(&clause.who));
    }

    fn exists(&mut self, who: &Dyn) {
        let (Some(text), Some(estate)) = (literal_text(who), &self.env.estate) else {
            return;
        };
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        let (message, remedy) = match kind {
            "role" => match estate.roles.get(name) {
                Some(people) if people.is_empty() => (
                    format!("nobody has the role `{name}`"),
                    "give the role to somebody in the estate's people".to_owned(),
                ),
                Some(_) => return,
                None => {
                    let near =
                        crate::read::suggestion(name, estate.roles.keys().map(String::as_str))
                            .map(|near| format!("did you mean `role:{near}`? "))
                            .unwrap_or_default();
                    (
                        format!("the estate has no role `{name}`"),
                        format!("{near}add it to the estate's people"),
                    )
                }
            },
            "person" if !estate.people.contains(name) => (
                format!("the estate has no person `{name}`"),
                "use the id of somebody in the estate".to_owned(),
            ),
            "customer" if !name.is_empty() && !estate.customers.contains(name) => (
                format!("the estate has no customer `{name}`"),
                "use the id of a customer".to_owned(),
            ),
            "person" | "customer" | "owner-of" => return,
            other => (
                format!("the estate cannot say who `{other}` is"),
                "write role:…, person:…, customer, owner-of:…".to_owned(),
            ),
        };
        self.faults.add(codes::NOBODY, who.span(), message, remedy);
    }
}

fn literal_text(value: &Dyn) -> Option<&str> {
    match value {
        Dyn::Value(Value::String(text), _) => Some(text),
        _ => None,
    }
}
