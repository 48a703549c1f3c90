//! `each`, `repeat` and `call`: child lanes.

use super::Reader;
use super::fields::Fields;
use super::step::ON_FAILURE;
use crate::ast::{Each, Expr, Over, Repeat, Text, Verb};
use crate::codes;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{AtOnce, Collect, OnExhausted, Ramp};

/// Most items of one `each`.
pub(super) const ITEMS_MAX: u32 = 10_000;
/// Most rounds of a `repeat`.
const ROUNDS_MAX: u32 = 10_000;

impl Reader<'_, '_> {
    pub(super) fn each(&mut self, fields: &mut Fields<'_>) -> Option<Verb> {
        let node = fields.take("each")?;
        let (steps, always) = (fields.take("steps"), fields.take("always"));
        if steps.is_none() {
            self.faults.add(
                codes::MISSING_FIELD,
                fields.head(),
                "each has no `steps`",
                "add `steps:` beside `each:`",
            );
        }
        let mut inner = Fields::of(self, node, "each")?;
        let over = self.over(&mut inner);
        let binds = match inner.take("as") {
            Some(node) => self.id(node, "the current item"),
            None => Some(Text {
                value: "item".to_owned(),
                span: inner.head(),
            }),
        };
        let key = inner.take("key").and_then(|node| self.expr(node, "key"));
        let at_once = inner
            .take("at_once")
            .and_then(|node| self.at_once(node))
            .unwrap_or(AtOnce {
                ramp: Ramp::Fixed(1),
                per: Vec::new(),
            });
        let take = inner
            .take("take")
            .and_then(|node| self.number(node, "take", 1, ITEMS_MAX));
        let on_failure = inner.take("on_failure").and_then(|node| {
            let words: Vec<_> = ON_FAILURE
                .into_iter()
                .filter(|(word, _)| matches!(*word, "stop" | "continue" | "ask"))
                .collect();
            self.word(node, "on_failure", &words)
                .map(|word| (word, node.span))
        });
        let collect = inner.take("collect").and_then(|node| self.collect(node));
        let waves = inner
            .take("order")
            .map(|node| self.waves(node))
            .unwrap_or_default();
        let stop_at = inner
            .take("stop_at")
            .and_then(|node| self.stop_at(node, &waves));
        let gate = inner.take("gate").and_then(|node| {
            let mut gate = Fields::of(self, node, "gate")?;
            let approve = gate
                .need(self, "approve", "{ who: role:patch-lead }")
                .and_then(|node| self.approve(node));
            gate.finish(self);
            approve
        });
        let window = inner.take("window").and_then(|node| self.window(node));
        let lead = inner
            .take("lead")
            .and_then(|node| Some((self.lead(node)?, node.span)));
        let overflow = inner.take("overflow").and_then(|node| self.overflow(node));
        inner.finish(self);
        let body = self.body(steps, always);
        Some(Verb::Each(Box::new(Each {
            over: over?,
            binds: binds?,
            key,
            body,
            at_once,
            take,
            on_failure,
            collect,
            waves,
            stop_at,
            gate,
            window,
            lead,
            overflow,
        })))
    }

    fn over(&mut self, fields: &mut Fields<'_>) -> Option<Over> {
        match (fields.take("over"), fields.take("times")) {
            (Some(node), None) => Some(Over::List(self.dynamic(node))),
            (None, Some(node)) => Some(Over::Times(self.dynamic(node))),
            _ => {
                self.faults.add(
                    codes::MISSING_FIELD,
                    fields.head(),
                    "each needs `over` or `times`, one of them",
                    "add `over: \"${{ inputs.targets }}\"`",
                );
                None
            }
        }
    }

    fn collect(&mut self, node: &Node) -> Option<(Collect, Vec<Text>, Option<Expr>)> {
        if let Kind::List(items) = &node.kind {
            let paths: Vec<Text> = items
                .iter()
                .filter_map(|item| self.text(item, "collect"))
                .collect();
            return Some((
                Collect::Paths(paths.iter().map(|path| path.value.clone()).collect()),
                paths,
                None,
            ));
        }
        let expr = self.expr(node, "collect")?;
        Some((Collect::Expression(expr.core()), Vec::new(), Some(expr)))
    }

    pub(super) fn repeat(&mut self, fields: &mut Fields<'_>) -> Option<Verb> {
        let node = fields.take("repeat")?;
        let (steps, always) = (fields.take("steps"), fields.take("always"));
        if steps.is_none() {
            self.faults.add(
                codes::MISSING_FIELD,
                fields.head(),
                "repeat has no `steps`",
                "add `steps:` beside `repeat:`",
            );
        }
        let mut inner = Fields::of(self, node, "repeat")?;
        let at_most = inner
            .take("at_most")
            .and_then(|node| self.number(node, "at_most", 1, ROUNDS_MAX));
        let for_ms = inner
            .take("for")
            .and_then(|node| self.duration(node, "for"));
        let every_ms = inner
            .take("every")
            .and_then(|node| self.duration(node, "every"))
            .unwrap_or(0);
        let until = inner
            .take("until")
            .and_then(|node| self.expr(node, "until"));
        let on_exhausted = inner
            .take("on_exhausted")
            .and_then(|node| {
                self.word(
                    node,
                    "on_exhausted",
                    &[("stop", OnExhausted::Stop), ("ask", OnExhausted::Ask)],
                )
            })
            .unwrap_or_default();
        let span = inner.head();
        if !inner.has("at_most") && !inner.has("for") {
            self.faults.add(
                codes::UNBOUNDED,
                span,
                "these rounds have no bound",
                "add `at_most: 3` or `for: 4d`",
            );
        } else if at_most.is_none() && for_ms.is_some() && every_ms == 0 {
            self.faults.add(
                codes::UNBOUNDED,
                span,
                "rounds without a pause until the time is over",
                "add `every: 1h` or `at_most: 10`",
            );
        }
        inner.finish(self);
        let body = self.body(steps, always);
        Some(Verb::Repeat(Box::new(Repeat {
            body,
            at_most,
            for_ms,
            every_ms,
            until,
            on_exhausted,
        })))
    }

    pub(super) fn call(&mut self, node: &Node) -> Option<Verb> {
        let mut fields = Fields::of(self, node, "call")?;
        let runbook = fields
            .need(self, "runbook", "provision-os")
            .and_then(|node| self.name(node, "a runbook"));
        let with = fields.take("with").map(|node| {
            if !matches!(node.kind, Kind::Map(_)) {
                self.shape(node, "with", "a map of inputs");
            }
            self.dynamic(node)
        });
        let wait = fields
            .take("wait")
            .and_then(|node| self.bool(node, "wait"))
            .unwrap_or(true);
        fields.unenforced(
            self,
            "expires",
            codes::NE_CALL_OPTION,
            "leave it out; the called runbook's own expiries hold",
        );
        fields.finish(self);
        Some(Verb::Call {
            runbook: runbook?,
            with,
            wait,
        })
    }
}
