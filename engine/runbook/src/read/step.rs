//! A step: an id, exactly one verb, and what stands around it.

use super::fields::Fields;
use super::{Reader, STEPS_MAX};
use crate::ast::{Step, Text, Until, Verb};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::contract::Effect;
use hostler_core::definition::OnFailure;

const VERBS: [&str; 10] = [
    "do", "approve", "ask", "notify", "wait", "each", "repeat", "call", "release", "finish",
];

/// Results that a runbook may give a lane itself.
const RESULTS: [&str; 12] = [
    "succeeded",
    "nothing",
    "recovered",
    "held",
    "deferred",
    "rolled_back",
    "rejected",
    "denied",
    "expired",
    "cancelled",
    "failed",
    "again",
];

pub(super) const ON_FAILURE: [(&str, OnFailure); 6] = [
    ("stop", OnFailure::Stop),
    ("undo", OnFailure::Undo),
    ("hold", OnFailure::Hold),
    ("continue", OnFailure::Continue),
    ("ask", OnFailure::Ask),
    ("again", OnFailure::Again),
];

impl Reader<'_, '_> {
    pub(super) fn steps(&mut self, node: &Node, what: &str) -> Vec<Step> {
        let Kind::List(items) = &node.kind else {
            self.shape(node, what, "a list of steps, each beginning with `- id:`");
            return Vec::new();
        };
        if items.is_empty() {
            self.faults.add(
                codes::MISSING_FIELD,
                node.span,
                format!("{what} has no step"),
                "write one, or leave the field out",
            );
        }
        if items.len() > STEPS_MAX {
            self.faults.add(
                codes::TOO_LARGE,
                node.span,
                format!("{} steps in one list, at most {STEPS_MAX}", items.len()),
                "move some into a runbook of their own and `call` it",
            );
        }
        items
            .iter()
            .filter_map(|item| self.step(item, None))
            .collect()
    }

    /// `unnamed` is the id of a step that may leave its own out (an undo).
    pub(super) fn step(&mut self, node: &Node, unnamed: Option<&str>) -> Option<Step> {
        let mut fields = Fields::of(self, node, "a step")?;
        let id = match (fields.take("id"), unnamed) {
            (Some(node), _) => self.id(node, "a step")?,
            (None, Some(id)) => Text {
                value: id.to_owned(),
                span: fields.head(),
            },
            (None, None) => {
                self.faults.add(
                    codes::MISSING_FIELD,
                    fields.head(),
                    "a step has no `id`",
                    "add `id: what_it_does`",
                );
                self.unnamed += 1;
                Text {
                    value: format!("unnamed_{}", self.unnamed),
                    span: fields.head(),
                }
            }
        };
        let name = fields
            .take("name")
            .and_then(|node| self.text(node, "name"))
            .map(|text| text.value);
        let condition = fields.take("if").and_then(|node| self.expr(node, "if"));
        let verb = self.verb(&mut fields, &id);
        let is_do = matches!(verb, Some(Verb::Do { .. }));
        let timeout = self
            .only_do(&mut fields, "timeout", is_do)
            .and_then(|node| self.duration(node, "timeout").map(|ms| (ms, node.span)));
        let effect = self.only_do(&mut fields, "effect", is_do).and_then(|node| {
            let effects = [
                ("read", Effect::Read),
                ("repeatable", Effect::Repeatable),
                ("once", Effect::Once),
            ];
            self.word(node, "effect", &effects)
                .map(|effect| (effect, node.span))
        });
        let retry = self
            .only_do(&mut fields, "retry", is_do)
            .and_then(|node| self.retry(node));
        let on_failure = fields.take("on_failure").and_then(|node| {
            self.word(node, "on_failure", &ON_FAILURE)
                .map(|word| (word, node.span))
        });
        let undo = fields
            .take("undo")
            .map(|node| self.undo(node, &id))
            .unwrap_or_default();
        let lease = self
            .only_do(&mut fields, "lease", is_do)
            .and_then(|node| self.lease(node));
        let no_return = fields
            .take("no_return")
            .and_then(|node| self.bool(node, "no_return"))
            .unwrap_or(false);
        let notices = fields.take("notices").and_then(|node| self.notices(node));
        let duty = fields.take("duty").and_then(|node| {
            let duties =
                ["platform", "customer", "network", "security", "finance"].map(|duty| (duty, duty));
            self.word(node, "duty", &duties)
        });
        let class = self.class(&mut fields, verb.as_ref(), unnamed.is_some());
        let mut verb = verb;
        let window = self.step_window(&mut fields, verb.as_mut(), unnamed.is_some());
        fields.finish(self);
        Some(Step {
            id,
            name,
            condition,
            verb: verb?,
            timeout,
            effect,
            retry,
            on_failure,
            undo,
            lease,
            no_return,
            notices,
            duty: duty.map(str::to_owned),
            class,
            window,
        })
    }

    fn only_do<'n>(
        &mut self,
        fields: &mut Fields<'n>,
        name: &'static str,
        is_do: bool,
    ) -> Option<&'n Node> {
        let (key, node) = fields.entry(name)?;
        if !is_do {
            self.faults.add(
                codes::NE_STEP_OPTION,
                key.span,
                format!("this engine does not enforce `{name}` of this verb yet"),
                format!("leave it out; `{name}` belongs to `do`"),
            );
            return None;
        }
        Some(node)
    }

    fn verb(&mut self, fields: &mut Fields<'_>, id: &Text) -> Option<Verb> {
        let present: Vec<&str> = VERBS.into_iter().filter(|verb| fields.has(verb)).collect();
        if let [first, second, ..] = present.as_slice() {
            let span = fields
                .entry(if *second == "do" {
                    "do"
                } else {
                    VERBS[VERBS.iter().position(|verb| verb == second).unwrap_or(0)]
                })
                .map_or(id.span, |(key, _)| key.span);
            self.faults.add(
                codes::VERB,
                span,
                format!(
                    "step `{}` has two verbs: `{first}` and `{second}`",
                    id.value
                ),
                "split it into two steps",
            );
        }
        let verb = match present.first() {
            Some(&"do") => self.do_verb(fields),
            Some(&"approve") => fields
                .take("approve")
                .and_then(|node| self.approve(node))
                .map(Verb::Approve),
            Some(&"ask") => fields
                .take("ask")
                .and_then(|node| self.ask(node))
                .map(Verb::Ask),
            Some(&"notify") => fields.take("notify").and_then(|node| self.notify(node)),
            Some(&"wait") => fields.take("wait").and_then(|node| self.wait(node)),
            Some(&"each") => self.each(fields),
            Some(&"repeat") => self.repeat(fields),
            Some(&"call") => fields.take("call").and_then(|node| self.call(node)),
            Some(&"release") => fields
                .take("release")
                .and_then(|node| self.text(node, "release"))
                .map(|lease| Verb::Release { lease }),
            Some(&"finish") => fields
                .take("finish")
                .and_then(|node| self.finish_verb(node)),
            _ => {
                self.faults.add(
                    codes::VERB,
                    id.span,
                    format!("step `{}` has no verb", id.value),
                    format!("add one of {}", VERBS.join(", ")),
                );
                None
            }
        };
        // Fields of the other verbs count as known: the fault about two verbs is enough.
        for name in VERBS.into_iter().chain(["with"]) {
            if present.len() > 1 || name != "with" || matches!(verb, Some(Verb::Do { .. })) {
                fields.take(name);
            }
        }
        verb
    }

    fn do_verb(&mut self, fields: &mut Fields<'_>) -> Option<Verb> {
        let action = fields.take("do").and_then(|node| self.text(node, "do"));
        let with = fields.take("with").map(|node| {
            if !matches!(node.kind, Kind::Map(_)) {
                self.shape(node, "with", "a map of inputs");
            }
            self.dynamic(node)
        });
        Some(Verb::Do {
            action: action?,
            with,
        })
    }

    fn notify(&mut self, node: &Node) -> Option<Verb> {
        let mut fields = Fields::of(self, node, "notify")?;
        let template = fields
            .need(self, "template", "cycle-report")
            .and_then(|node| self.name(node, "a template"));
        let to = fields
            .take("to")
            .map(|node| {
                self.items(node)
                    .into_iter()
                    .map(|item| self.dynamic(item))
                    .collect()
            })
            .unwrap_or_default();
        let about = fields.take("about").map(|node| self.dynamic(node));
        fields.unenforced(
            self,
            "key",
            codes::NE_NOTIFY_OPTION,
            "leave it out; every run of the step sends one message",
        );
        fields.finish(self);
        Some(Verb::Notify {
            template: template?,
            to,
            about,
        })
    }

    fn wait(&mut self, node: &Node) -> Option<Verb> {
        let mut fields = Fields::of(self, node, "wait")?;
        let head = fields.head();
        fields.unenforced(
            self,
            "zone",
            codes::NE_WAIT_CALENDAR,
            "write the instant with its offset: 2026-03-01T09:00:00-06:00",
        );
        let until = match (fields.take("for"), fields.take("until")) {
            (Some(node), None) => Some(Until::For(self.dynamic_duration(node, "for"))),
            (None, Some(node)) => Some(Until::Instant(self.instant(node))),
            _ => {
                self.faults.add(
                    codes::MISSING_FIELD,
                    head,
                    "wait needs `for` or `until`, one of them",
                    "add `for: 10m`",
                );
                None
            }
        };
        fields.finish(self);
        Some(Verb::Wait { until: until? })
    }

    fn instant(&mut self, node: &Node) -> crate::ast::Dyn {
        let dynamic = self.dynamic(node);
        if let crate::ast::Dyn::Value(value, span) = &dynamic {
            let fine = value
                .as_str()
                .is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok());
            if !fine {
                self.faults.add(
                    codes::NE_WAIT_CALENDAR,
                    *span,
                    format!("this engine does not wait until {value} yet"),
                    "write an instant with its offset: 2026-03-01T09:00:00-06:00",
                );
                return crate::ast::Dyn::Broken(*span);
            }
        }
        dynamic
    }

    fn finish_verb(&mut self, node: &Node) -> Option<Verb> {
        let mut fields = Fields::of(self, node, "finish")?;
        let result = fields.need(self, "result", "succeeded").and_then(|node| {
            let words = RESULTS.map(|word| (word, word));
            self.word(node, "result", &words).map(|word| Text {
                value: word.to_owned(),
                span: node.span,
            })
        });
        let of_run = match fields.take("of") {
            Some(node) => self
                .word(node, "of", &[("run", true), ("lane", false)])
                .unwrap_or(false),
            None => false,
        };
        let note = fields.take("note").map(|node| self.dynamic(node));
        fields.finish(self);
        Some(Verb::Finish {
            result: result?,
            of_run,
            note,
        })
    }

    /// A place for a fault about a step as a whole.
    pub(super) fn head_of(node: &Node) -> Span {
        match &node.kind {
            Kind::Map(entries) => entries.first().map_or(node.span, |(key, _)| key.span),
            _ => node.span,
        }
    }
}
