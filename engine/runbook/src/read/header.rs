//! The top of the file: name, version, needs, inputs, outputs, policy.

use super::Reader;
use super::fields::Fields;
use crate::ast::{InputDecl, Runbook, Text};
use crate::codes;
use crate::source::Span;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{CLASSES, Policy};

/// Most inputs of a runbook: more is no form that a person fills in.
const INPUTS_MAX: usize = 60;

impl Reader<'_, '_> {
    pub(super) fn runbook(&mut self, root: &Node) -> Option<Runbook> {
        let mut fields = Fields::of(self, root, "a runbook")?;
        let blank = Text {
            value: String::new(),
            span: fields.head(),
        };
        let name = fields
            .need(self, "runbook", "monthly-patch")
            .and_then(|node| self.name(node, "a runbook"));
        let version = fields.need(self, "version", "1").and_then(|node| {
            self.number(node, "version", 1, 100_000)
                .map(|number| (number, node.span))
        });
        let title = fields
            .need(self, "title", "What it does")
            .and_then(|node| self.text(node, "title"));
        let owner = fields
            .need(self, "owner", "os-patching")
            .and_then(|node| self.name(node, "an owner"));
        let needs = fields.take("needs").map(|node| self.needs(node));
        let inputs = fields
            .take("inputs")
            .map(|node| self.inputs(node))
            .unwrap_or_default();
        let outputs = fields
            .take("outputs")
            .map(|node| self.outputs(node))
            .unwrap_or_default();
        let policy = match fields.need(self, "policy", "{ class: request, start: [operator] }") {
            Some(node) => self.policy(node),
            None => None,
        };
        let steps = fields.need(self, "steps", "[…]");
        let always = fields.take("always");
        let body = self.body(steps, always);
        let head = fields.head();
        fields.finish(self);
        Some(Runbook {
            name: name.unwrap_or_else(|| blank.clone()),
            version: version.unwrap_or((0, head)),
            title: title.map(|text| text.value).unwrap_or_default(),
            owner: owner.unwrap_or(blank),
            needs,
            inputs,
            outputs,
            policy: policy.unwrap_or_else(|| Policy {
                class: String::new(),
                start: Vec::new(),
                four_eyes: true,
                withdraw: Vec::new(),
            }),
            body,
            span: head,
        })
    }

    fn needs(&mut self, node: &Node) -> Vec<(Text, u32)> {
        let mut needs: Vec<(Text, u32)> = Vec::new();
        for item in self.items(node) {
            let Some(text) = self.text(item, "a need") else {
                continue;
            };
            let parsed = text
                .value
                .split_once('@')
                .and_then(|(name, major)| Some((name.to_owned(), major.parse::<u32>().ok()?)));
            match parsed {
                Some((name, _)) if needs.iter().any(|(known, _)| known.value == name) => {
                    self.faults.add(
                        codes::NEEDS,
                        item.span,
                        format!("{name} is needed twice"),
                        "keep one major version",
                    );
                }
                Some((name, major)) => needs.push((
                    Text {
                        value: name,
                        span: item.span,
                    },
                    major,
                )),
                None => {
                    self.faults.add(
                        codes::NEEDS,
                        item.span,
                        format!("`{}` is no contract with its major version", text.value),
                        "write it as in guest-patch@1",
                    );
                    needs.push((
                        Text {
                            value: text.value.split('@').next().unwrap_or_default().to_owned(),
                            span: item.span,
                        },
                        1,
                    ));
                }
            }
        }
        needs
    }

    fn outputs(&mut self, node: &Node) -> Vec<(Text, crate::ast::Dyn)> {
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "outputs", "a map of names to expressions");
            return Vec::new();
        };
        entries
            .iter()
            .map(|(key, value)| {
                let name = Text {
                    value: key.text.clone(),
                    span: key.span,
                };
                self.check_id(&name, "an output");
                (name, self.dynamic(value))
            })
            .collect()
    }

    fn inputs(&mut self, node: &Node) -> Vec<InputDecl> {
        let Kind::Map(entries) = &node.kind else {
            self.shape(node, "inputs", "a map of names to types");
            return Vec::new();
        };
        if entries.len() > INPUTS_MAX {
            self.faults.add(
                codes::TOO_LARGE,
                node.span,
                format!("{} inputs, at most {INPUTS_MAX}", entries.len()),
                "group them into objects",
            );
        }
        entries
            .iter()
            .filter_map(|(key, value)| {
                let name = Text {
                    value: key.text.clone(),
                    span: key.span,
                };
                self.check_id(&name, "an input");
                self.input(name, value)
            })
            .collect()
    }

    fn policy(&mut self, node: &Node) -> Option<Policy> {
        let mut fields = Fields::of(self, node, "policy")?;
        let class = fields
            .need(self, "class", "standard-patch")
            .and_then(|node| {
                let classes = CLASSES.map(|class| (class, class));
                self.word(node, "class", &classes)
            });
        let start = fields
            .need(self, "start", "[operator]")
            .map(|node| self.names_of(node, "start"))
            .unwrap_or_default();
        let four_eyes = fields
            .take("four_eyes")
            .and_then(|node| self.bool(node, "four_eyes"))
            .unwrap_or(true);
        let withdraw = fields
            .take("withdraw")
            .map(|node| self.names_of(node, "withdraw"))
            .unwrap_or_default();
        fields.unenforced(
            self,
            "keep",
            codes::NE_KEEP,
            "leave it out; the realm's own retention decides",
        );
        fields.finish(self);
        Some(Policy {
            class: class.unwrap_or_default().to_owned(),
            start,
            four_eyes,
            withdraw,
        })
    }

    fn names_of(&mut self, node: &Node, what: &str) -> Vec<String> {
        let names: Vec<String> = self
            .items(node)
            .into_iter()
            .filter_map(|item| self.name(item, what))
            .map(|text| text.value)
            .collect();
        if names.is_empty() {
            let span: Span = node.span;
            self.faults.add(
                codes::OUT_OF_RANGE,
                span,
                format!("{what} names nobody"),
                "name at least one role, scheduler or runbook",
            );
        }
        names
    }
}
