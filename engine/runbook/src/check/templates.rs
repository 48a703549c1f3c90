//! Notice templates: there, escaped, and renderable with sample data in strict mode.

use super::Checker;
use crate::ast::{Body, Runbook, Verb};
use crate::codes;
use crate::source::Span;
use crate::template;
use std::collections::BTreeSet;

impl Checker<'_, '_, '_> {
    pub(super) fn templates(&mut self, runbook: &Runbook) {
        let source = self.faults.source();
        let mut reports = BTreeSet::new();
        reported(&runbook.body, &mut reports);
        for (name, text) in &source.templates {
            let report = name
                .split('.')
                .next()
                .is_some_and(|name| reports.contains(name));
            let kind = if report {
                template::Kind::Report
            } else {
                template::Kind::Notice
            };
            for problem in template::check(name, text, kind) {
                let code = if problem.raw {
                    codes::RAW_TEMPLATE
                } else {
                    codes::BAD_TEMPLATE
                };
                self.faults.add_in_template(
                    code,
                    name,
                    problem.line,
                    problem.message,
                    problem.remedy,
                );
            }
        }
        self.templates_in(&runbook.body);
    }

    fn templates_in(&mut self, body: &Body) {
        for step in body.steps.iter().chain(&body.always) {
            if let (Some((plan, span)), Verb::Each(_)) = (&step.notices, &step.verb) {
                self.parts(&plan.template, &template::STAGES.map(Some), *span);
            }
            if let Verb::Notify { template: name, .. } = &step.verb {
                self.parts(&name.value, &[None], name.span);
            }
            if let Some(inner) = step.verb.body() {
                self.templates_in(inner);
            }
        }
    }

    /// `maintenance.scheduled.subject.hbs` for a stage, `cycle-report.subject.hbs` for a report.
    fn parts(&mut self, name: &str, stages: &[Option<&str>], span: Span) {
        let templates = &self.faults.source().templates;
        let names = template::REQUIRED_PARTS.iter().flat_map(|part| {
            stages.iter().map(move |stage| match stage {
                Some(stage) => format!("{name}.{stage}.{part}.hbs"),
                None => format!("{name}.{part}.hbs"),
            })
        });
        let missing: Vec<String> = names.filter(|name| !templates.contains_key(name)).collect();
        if !missing.is_empty() {
            let message = format!("the template `{name}` is not there, or lacks a part");
            self.faults.add(
                codes::NO_TEMPLATE,
                span,
                message,
                format!("write in notices/: {}", missing.join(", ")),
            );
        }
    }
}

/// Templates that staff get.
fn reported(body: &Body, into: &mut BTreeSet<String>) {
    for step in body.steps.iter().chain(&body.always) {
        if let Verb::Notify { template, .. } = &step.verb {
            into.insert(template.value.clone());
        }
        if let Some(inner) = step.verb.body() {
            reported(inner, into);
        }
    }
}
