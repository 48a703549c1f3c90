//! `approve` and `ask`: what people are asked.

use super::Reader;
use super::fields::Fields;
use super::form::Form;
use crate::ast::{Approve, Ask, Clause, Dyn, Expr, Rules};
use crate::codes;
use crate::yaml::{Kind, Node};
use hostler_core::definition::{After, OnDeny, OnExpire};
use serde_json::Value;

/// More people than this do not decide together.
const QUORUM_MAX: u32 = 20;
const ON_EXPIRE: [(&str, OnExpire); 3] = [
    ("deny", OnExpire::Deny),
    ("escalate", OnExpire::Escalate),
    ("again", OnExpire::Again),
];
const ON_DENY: [(&str, OnDeny); 3] = [
    ("stop", OnDeny::Stop),
    ("again", OnDeny::Again),
    ("continue", OnDeny::Continue),
];

impl Reader<'_, '_> {
    pub(super) fn approve(&mut self, node: &Node) -> Option<Approve> {
        let mut fields = Fields::of(self, node, "approve")?;
        let who = self.who(&mut fields);
        let listed: u32 = who.iter().map(|clause| clause.at_least).sum();
        let quorum = fields.take("quorum").and_then(|node| {
            self.number(node, "quorum", 1, QUORUM_MAX)
                .map(|number| (number, node.span))
        });
        let title = fields.take("title").map(|node| self.dynamic(node));
        let show = self.show(&mut fields);
        let say = fields
            .take("say")
            .and_then(|node| self.text(node, "say"))
            .map(|text| text.value);
        let condition = fields.take("if").and_then(|node| self.expr(node, "if"));
        let endless = !fields.has("expires") && !fields.has("ladder");
        let mut rules = Rules::default();
        let expires_ms = self.expires(&mut fields, &mut rules);
        let on_expire = self.on_expire(&mut fields);
        let on_deny = fields.take("on_deny").and_then(|node| {
            self.word(node, "on_deny", &ON_DENY)
                .map(|word| (word, node.span))
        });
        self.rules(&mut fields, &mut rules, expires_ms);
        self.yes_rules(&mut fields, &mut rules);
        fields.finish(self);
        Some(Approve {
            quorum: quorum.unwrap_or((listed.max(1), node.span)),
            who,
            title,
            show,
            say,
            condition,
            expires_ms,
            rules,
            on_expire: on_expire.unwrap_or((OnExpire::Deny, node.span)),
            on_deny: on_deny.unwrap_or((OnDeny::Stop, node.span)),
            endless,
            span: node.span,
        })
    }

    pub(super) fn ask(&mut self, node: &Node) -> Option<Ask> {
        let mut fields = Fields::of(self, node, "ask")?;
        let who = self.who(&mut fields);
        let title = fields.take("title").map(|node| self.dynamic(node));
        let form = fields
            .need(self, "form", "{ note: { type: string } }")
            .map_or_else(Form::empty, |node| self.form(node));
        let show = self.show(&mut fields);
        let endless = !fields.has("expires") && !fields.has("ladder");
        let mut rules = Rules::default();
        let expires_ms = self.expires(&mut fields, &mut rules);
        if let Some(node) = fields.peek("on_expire") {
            rules.finish = self.silence(node);
        }
        let on_expire = match rules.finish {
            Some(_) => fields
                .take("on_expire")
                .map(|node| (OnExpire::Deny, node.span)),
            None => self.on_expire(&mut fields),
        };
        let later = fields
            .take("later")
            .and_then(|node| self.bool(node, "later"))
            .unwrap_or(false);
        fields.unenforced(
            self,
            "key",
            codes::NE_STEP_OPTION,
            "leave it out; every run of the step asks a question of its own",
        );
        self.rules(&mut fields, &mut rules, expires_ms);
        if let (Some(_), Some(ladder)) = (&rules.finish, &rules.ladder) {
            self.faults.add(
                codes::WRONG_SHAPE,
                ladder.span,
                "the end of a ladder always denies, and `on_expire: finish` would not",
                "leave out one of them",
            );
        }
        let ends = matches!(on_expire, Some((OnExpire::Escalate, _)));
        let open = later && ends && rules.ladder.is_none() && rules.finish.is_none();
        let debt = self.debt(&mut fields, open);
        fields.finish(self);
        Some(Ask {
            who,
            title,
            form: form.schema,
            show,
            expires_ms,
            rules,
            on_expire: on_expire.unwrap_or((OnExpire::Deny, node.span)),
            later,
            debt,
            endless,
            span: node.span,
            form_exprs: form.exprs,
            form_musts: form.musts,
        })
    }

    fn show(&mut self, fields: &mut Fields<'_>) -> Vec<Expr> {
        fields
            .take("show")
            .map(|node| {
                self.items(node)
                    .into_iter()
                    .filter_map(|item| self.bare(item, "show"))
                    .collect()
            })
            .unwrap_or_default()
    }

    /// Elapsed milliseconds; business days go into the rules.
    fn expires(&mut self, fields: &mut Fields<'_>, rules: &mut Rules) -> Option<u64> {
        let node = fields.take("expires")?;
        if let Kind::Map(_) = &node.kind {
            self.faults.add(
                codes::NE_BEFORE,
                node.span,
                "this engine does not count an expiry back from a notice yet",
                "write a duration: `expires: 2d`",
            );
            return None;
        }
        match self.after(node, "expires")? {
            After::Ms(ms) => Some(ms),
            After::BusinessDays(days) => {
                rules.expires_business_days = Some(days);
                None
            }
        }
    }

    fn on_expire(&mut self, fields: &mut Fields<'_>) -> Option<(OnExpire, crate::source::Span)> {
        let node = fields.take("on_expire")?;
        self.word(node, "on_expire", &ON_EXPIRE)
            .map(|word| (word, node.span))
    }

    fn who(&mut self, fields: &mut Fields<'_>) -> Vec<Clause> {
        let Some(node) = fields.need(self, "who", "role:operator") else {
            return Vec::new();
        };
        let items = self.items(node);
        let single = items.len() == 1;
        items
            .into_iter()
            .filter_map(|item| self.clause(item, single))
            .collect()
    }

    fn clause(&mut self, node: &Node, single: bool) -> Option<Clause> {
        if !matches!(node.kind, Kind::Map(_)) {
            // One of several names: any of them will do.
            return Some(Clause {
                who: self.who_text(node),
                at_least: u32::from(single),
            });
        }
        let mut fields = Fields::of(self, node, "who")?;
        let mut found = None;
        for (name, prefix) in [
            ("role", "role:"),
            ("person", "person:"),
            ("customer", "customer:"),
            ("query", ""),
        ] {
            if let Some(text) = fields.take(name).and_then(|node| self.text(node, name)) {
                found = Some(Dyn::Value(
                    Value::String(format!("{prefix}{}", text.value)),
                    text.span,
                ));
            }
        }
        let at_least = fields
            .take("at_least")
            .and_then(|node| self.number(node, "at_least", 0, QUORUM_MAX));
        if found.is_none() {
            self.faults.add(
                codes::MISSING_FIELD,
                fields.head(),
                "this names nobody",
                "add `role: change-board`",
            );
        }
        fields.finish(self);
        Some(Clause {
            who: found?,
            at_least: at_least.unwrap_or(1),
        })
    }

    fn who_text(&mut self, node: &Node) -> Dyn {
        let dynamic = self.dynamic(node);
        if let Dyn::Value(value, span) = &dynamic {
            const KINDS: [&str; 6] = [
                "role",
                "person",
                "customer",
                "owner-of",
                "budget-of",
                "head-of",
            ];
            let text = value.as_str().unwrap_or_default();
            let fine = text == "customer"
                || text
                    .split_once(':')
                    .is_some_and(|(kind, rest)| KINDS.contains(&kind) && !rest.is_empty());
            if !fine {
                self.faults.add(
                    codes::NOT_ONE_OF,
                    *span,
                    format!("{value} names nobody"),
                    "write role:…, person:…, customer, customer:…, owner-of:… or an expression",
                );
                return Dyn::Broken(*span);
            }
        }
        dynamic
    }
}
