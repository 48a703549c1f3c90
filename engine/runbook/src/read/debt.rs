//! `debt: true` on an `ask`: what it holds, what settles it, over which assets.
//!
//! Not here: keeping it (the engine), and policies about debts (estate).

use super::Reader;
use super::fields::Fields;
use crate::ast::Debt;
use crate::codes;
use crate::yaml::{Kind, Node};
use hostler_core::debt::{Cure, EMERGENCY};
use hostler_core::definition::CLASSES;

/// More ways out than these nobody keeps in mind.
const CURES_MAX: usize = 10;

impl Reader<'_, '_> {
    /// `open`: the question stays until it is answered, and holds no lane.
    pub(super) fn debt(&mut self, fields: &mut Fields<'_>, open: bool) -> Option<Debt> {
        let wanted = fields.take("debt").map(|node| (node, self.is_debt(node)));
        let Some((node, true)) = wanted else {
            for name in ["blocks", "cured_by", "over"] {
                if let Some(node) = fields.take(name) {
                    self.not_owed(
                        node,
                        &format!("`{name}` stands without `debt: true`"),
                        "add `debt: true`, or leave it out",
                    );
                }
            }
            return None;
        };
        if !open {
            let remedy = "write `later: true` and `on_expire: escalate`, without a ladder";
            self.not_owed(
                node,
                "this debt could end without being settled, or hold its own lane",
                remedy,
            );
        }
        let blocks = fields.need(self, "blocks", "[standard-patch, planned, planned-high]");
        let blocks = blocks.map(|node| self.blocks(node)).unwrap_or_default();
        let cured_by = fields.take("cured_by").map(|node| self.cures(node));
        let over = fields.take("over").map(|node| self.dynamic(node));
        Some(Debt {
            blocks,
            cured_by: cured_by.unwrap_or_else(|| vec![Cure::Answer]),
            over,
        })
    }

    fn is_debt(&mut self, node: &Node) -> bool {
        if matches!(&node.kind, Kind::Plain(text) if text == "true" || text == "false") {
            return self.bool(node, "debt").unwrap_or(false);
        }
        self.faults.add(
            codes::NE_DEBT,
            node.span,
            "this engine does not take a debt from the policies yet",
            "write `debt: true` with `blocks` and `cured_by`",
        );
        false
    }

    fn blocks(&mut self, node: &Node) -> Vec<&'static str> {
        let classes = CLASSES.map(|class| (class, class));
        let mut blocks: Vec<&'static str> = Vec::new();
        for item in self.items(node) {
            match self.word(item, "blocks", &classes) {
                Some(EMERGENCY) => {
                    self.not_owed(item, "an emergency is never held by a debt", "leave it out")
                }
                Some(class) if !blocks.contains(&class) => blocks.push(class),
                _ => {}
            }
        }
        if blocks.is_empty() {
            let remedy =
                "name classes of work that wait for it, or leave `debt` out: it is a question then";
            self.not_owed(node, "this debt holds nothing", remedy);
        }
        blocks
    }

    fn cures(&mut self, node: &Node) -> Vec<Cure> {
        let mut cures = Vec::new();
        let items = self.items(node);
        for item in items.iter().take(CURES_MAX) {
            cures.extend(self.cure(item).filter(|cure| !cures.contains(cure)));
        }
        if items.len() > CURES_MAX {
            self.not_owed(
                node,
                &format!("more than {CURES_MAX} cures"),
                "leave some out",
            );
        }
        if !cures.contains(&Cure::Answer) {
            let remedy = "add `answer`: the form that is asked here must be able to settle it";
            self.not_owed(node, "an answer would not settle this debt", remedy);
        }
        cures
    }

    fn cure(&mut self, node: &Node) -> Option<Cure> {
        const REMEDY: &str = "write `answer`, `class:planned` or `runbook:monthly-patch`";
        let text = self.text(node, "cured_by")?.value;
        match text.split_once(':') {
            None if text == "answer" => return Some(Cure::Answer),
            None if text == "delivery" => {
                let message = "this engine does not settle a debt by the delivery of a notice yet";
                self.faults.add(codes::NE_DEBT, node.span, message, REMEDY);
                return None;
            }
            Some(("class", class)) if CLASSES.contains(&class) => {
                return Some(Cure::Class(class.to_owned()));
            }
            Some(("runbook", name)) if !name.is_empty() => {
                return Some(Cure::Runbook(name.to_owned()));
            }
            _ => self.not_owed(node, &format!("`{text}` settles no debt"), REMEDY),
        }
        None
    }

    fn not_owed(&mut self, node: &Node, message: &str, remedy: &str) {
        self.faults.add(codes::DEBT, node.span, message, remedy);
    }
}
